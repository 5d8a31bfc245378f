//! One work for each key, whatever happens on the way.

use std::{
    convert::Infallible,
    future::{pending, ready},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::response::IntoResponse;
use futures_util::{FutureExt, StreamExt, stream};
use tokio::{
    sync::Notify,
    time::{advance, timeout},
};
use tokio_util::task::TaskTracker;

use super::*;
use crate::query::{Error, Kind};

const KEEP: Duration = Duration::from_secs(3600);
const KIB: usize = 1024;

fn store() -> Store {
    with(KIB * KIB, 64 * KIB * KIB)
}

fn with(max_answer: usize, capacity: usize) -> Store {
    Store::new(Settings { keep: KEEP, max_answer, capacity }, TaskTracker::new())
}

fn caller(number: u64) -> IdentityKey {
    IdentityKey::numbered(number)
}

fn request(body: &str) -> Fingerprint {
    let (parts, ()) = axum::http::Request::new(()).into_parts();
    fingerprint(&parts, &Bytes::copy_from_slice(body.as_bytes())).now_or_never().unwrap()
}

/// Sends the request `body` under `key`, for the first caller.
async fn send<F>(store: &Store, key: &str, body: &str, work: impl FnOnce() -> F) -> Result<Response, Refused>
where
    F: Future<Output = Response> + Send + 'static,
{
    once(store, caller(1), Key::sample(key), request(body), work).await
}

/// Sends the request `x` under `key`, which has to have been used before.
async fn repeat(store: &Store, key: &str) -> Result<Response, Refused> {
    send(store, key, "x", || async { panic!("this was carried out twice") }).await
}

fn answer_of(length: usize) -> impl FnOnce() -> std::future::Ready<Response> {
    move || ready("x".repeat(length).into_response())
}

async fn text(response: Response) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

fn replayed(response: &Response) -> bool {
    response.headers().get("idempotency-replayed").is_some_and(|value| value == "true")
}

/// Sends the request `x` under `key`, and goes away before there is an answer; it waits for a word to go on.
async fn send_and_leave(store: &Store, key: &str) -> Arc<Notify> {
    let go_on = Arc::new(Notify::new());
    let told = Arc::clone(&go_on);
    let work = async move || {
        told.notified().await;
        "done".into_response()
    };
    assert!(timeout(Duration::from_secs(1), send(store, key, "x", work)).await.is_err());
    go_on
}

#[tokio::test(start_paused = true)]
async fn whoever_sends_it_again_gets_the_first_answer() {
    let store = store();
    let work = || async {
        let chunks = ["[1", ",2]"].map(|chunk| Ok::<_, Infallible>(Bytes::from(chunk)));
        let headers = [("content-type", "a/b"), ("boltgate-attempts", "2")];
        (StatusCode::ACCEPTED, headers, Body::from_stream(stream::iter(chunks))).into_response()
    };
    let first = send(&store, "a", "x", work).await.unwrap();
    assert!(!replayed(&first));
    let mut headers = first.headers().clone();
    headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
    assert_eq!((first.status(), text(first).await), (StatusCode::ACCEPTED, "[1,2]".into()));
    for _ in 0..2 {
        let again = repeat(&store, "a").await.unwrap();
        assert_eq!((again.status(), again.headers()), (StatusCode::ACCEPTED, &headers));
        assert_eq!(text(again).await, "[1,2]");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_stands_for_one_request_of_one_caller() {
    let store = store();
    let go_on = send_and_leave(&store, "a").await;
    assert_eq!(send(&store, "a", "y", answer_of(1)).await.unwrap_err(), Refused::KeyReused);
    assert_eq!(repeat(&store, "a").await.unwrap_err(), Refused::InProgress);
    let others = once(&store, caller(2), Key::sample("a"), request("y"), answer_of(3)).await.unwrap();
    assert!(!replayed(&others));
    assert_eq!(text(send(&store, "b", "x", answer_of(2)).await.unwrap()).await, "xx");
    go_on.notify_one();
    tokio::task::yield_now().await;
    assert_eq!(send(&store, "a", "y", answer_of(1)).await.unwrap_err(), Refused::KeyReused);
    // Nobody was there any more to hear it.
    let again = repeat(&store, "a").await.unwrap();
    assert!(replayed(&again));
    assert_eq!(text(again).await, "done");
}

#[tokio::test(start_paused = true)]
async fn what_did_nothing_may_be_sent_again() {
    let store = store();
    let refusal = || async {
        let mut response = (StatusCode::SERVICE_UNAVAILABLE, "later").into_response();
        response.extensions_mut().insert(Verdict::NothingDone);
        response
    };
    for _ in 0..2 {
        let response = send(&store, "a", "x", refusal).await.unwrap();
        assert_eq!((response.status(), replayed(&response)), (StatusCode::SERVICE_UNAVAILABLE, false));
        assert_eq!(text(response).await, "later");
        assert_eq!(store.ledger().room_taken(), (0, vec![]));
    }
    assert!(!replayed(&send(&store, "a", "y", answer_of(1)).await.unwrap()));
}

/// An answer whose verdict comes while it is read.
fn told_later(error: Error) -> impl FnOnce() -> std::future::Ready<Response> {
    move || {
        let later = Later::default();
        let told = later.clone();
        let body = stream::iter([Ok::<_, Infallible>("some rows")]).chain(stream::once(async move {
            told.failed(&error);
            Ok(" and an error")
        }));
        let mut response = Response::new(Body::from_stream(body));
        response.extensions_mut().insert(later);
        ready(response)
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_ends_with_an_error_is_judged_by_it() {
    let store = store();
    let conflict = || Error::new(Kind::Conflict, "", "it was undone");
    for _ in 0..2 {
        let response = send(&store, "a", "x", told_later(conflict())).await.unwrap();
        assert!(!replayed(&response), "what came to nothing is not kept");
        assert_eq!(text(response).await, "some rows and an error");
    }
    let refused = || Error::new(Kind::Refused, "", "it will be refused again");
    send(&store, "b", "x", told_later(refused())).await.unwrap();
    assert!(replayed(&repeat(&store, "b").await.unwrap()));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_ended_meanwhile_leaves_the_outcome_open() {
    let store = store();
    let expired = Error::new(Kind::ExpiredMeanwhile, "", "whether it took effect is not known");
    let first = send(&store, "a", "x", told_later(expired)).await.unwrap();
    assert_eq!(text(first).await, "some rows and an error");
    // Neither is it carried out again, nor is anybody told once more to log in.
    assert_eq!(repeat(&store, "a").await.unwrap_err(), Refused::OutcomeUnknown);
}

#[tokio::test(start_paused = true)]
async fn nobody_knows_the_outcome_of_what_was_lost() {
    let store = store();
    let in_body = || stream::iter([()]).map(|()| -> Result<Bytes, Infallible> { panic!("as if there were a bug") });
    for key in ["in the work", "in the body"] {
        let work = async move || {
            assert_eq!(key, "in the body", "as if there were a bug");
            Body::from_stream(in_body()).into_response()
        };
        assert_eq!(send(&store, key, "x", work).await.unwrap_err(), Refused::OutcomeUnknown);
        assert_eq!(repeat(&store, key).await.unwrap_err(), Refused::OutcomeUnknown);
        assert_eq!(send(&store, key, "y", answer_of(1)).await.unwrap_err(), Refused::KeyReused);
    }
    advance(KEEP).await;
    assert!(send(&store, "in the work", "y", answer_of(1)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_kept_for_its_time() {
    let store = store();
    send(&store, "a", "x", answer_of(1)).await.unwrap();
    let go_on = send_and_leave(&store, "b").await;
    advance(KEEP - Duration::from_secs(1) - Duration::from_millis(1)).await;
    assert!(replayed(&repeat(&store, "a").await.unwrap()));
    advance(Duration::from_millis(1)).await;
    assert!(!replayed(&send(&store, "a", "y", answer_of(2)).await.unwrap()));
    // However long it takes, and its time begins when there is an answer.
    assert_eq!(repeat(&store, "b").await.unwrap_err(), Refused::InProgress);
    go_on.notify_one();
    advance(Duration::from_millis(1)).await;
    advance(KEEP - Duration::from_millis(2)).await;
    assert!(replayed(&repeat(&store, "b").await.unwrap()));
    advance(KEEP).await;
    send(&store, "c", "x", answer_of(0)).await.unwrap();
    let (all, by_caller) = store.ledger().room_taken();
    assert_eq!(by_caller, [all], "all others have given their room back");
    assert!(all < KIB, "{all}");
}

#[tokio::test(start_paused = true)]
async fn one_caller_may_fill_half_of_the_room() {
    let store = with(64 * KIB, KIB * KIB);
    let mut kept = 0;
    let refused = loop {
        match send(&store, &kept.to_string(), "x", answer_of(32 * KIB)).await {
            Ok(_) => kept += 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!((kept, refused), (12, Refused::CallerFull));
    // Nothing that is kept makes way, and nothing of it is out of reach.
    for key in 0..kept {
        assert!(replayed(&repeat(&store, &key.to_string()).await.unwrap()));
    }
    let sent = |number, key| once(&store, caller(number), Key::sample(key), request("x"), answer_of(64 * KIB));
    for key in ["a", "b", "c", "d", "e", "f"] {
        sent(2, key).await.unwrap();
    }
    assert_eq!(sent(2, "g").await.unwrap_err(), Refused::CallerFull);
    for key in ["a", "b"] {
        sent(3, key).await.unwrap();
    }
    assert_eq!(sent(3, "c").await.unwrap_err(), Refused::StoreFull);
    advance(KEEP).await;
    assert!(!replayed(&sent(3, "c").await.unwrap()));
}

#[tokio::test(start_paused = true)]
async fn room_is_never_exceeded_and_small_answers_always_find_some() {
    let store = with(KIB * KIB, 4 * KIB * KIB);
    let mut tasks = Vec::new();
    for key in 0_u64.. {
        let (go_on, told) = (Arc::new(Notify::new()), store.clone());
        let length = if key % 2 == 0 { ledger::SMALL - KIB } else { KIB * KIB };
        let work = {
            let go_on = Arc::clone(&go_on);
            async move || {
                go_on.notified().await;
                "x".repeat(length).into_response()
            }
        };
        let id = Key::sample(&key.to_string());
        let task = tokio::spawn(async move { once(&told, caller(key), id, request("x"), work).await });
        tokio::task::yield_now().await;
        if task.is_finished() {
            assert_eq!(task.await.unwrap().unwrap_err(), Refused::StoreFull);
            break;
        }
        tasks.push((key, length, go_on, task));
    }
    assert!(tasks.len() > 100, "many can be in flight: {}", tasks.len());
    let mut too_large = 0;
    for (key, length, go_on, task) in tasks {
        go_on.notify_one();
        assert_eq!(text(task.await.unwrap().unwrap()).await.len(), length, "the first answer is whole");
        assert!(store.ledger().room_taken().0 <= 4 * KIB * KIB);
        match once(&store, caller(key), Key::sample(&key.to_string()), request("x"), pending::<Response>).await {
            Ok(again) => assert!(replayed(&again) && text(again).await.len() == length),
            Err(refused) => {
                assert_eq!((refused, length), (Refused::OutcomeUnknown, KIB * KIB));
                too_large += 1;
            }
        }
    }
    assert!(too_large > 0, "the room did run out");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_too_large_is_still_carried_out() {
    let store = with(KIB, KIB * KIB);
    let read = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&read);
    let work = async move || {
        let chunks = stream::iter((0..100).map(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Infallible>(Bytes::from(vec![b'x'; KIB]))
        }));
        Body::from_stream(chunks).into_response()
    };
    assert_eq!(send(&store, "a", "x", work).await.unwrap_err(), Refused::OutcomeUnknown);
    assert_eq!(read.load(Ordering::Relaxed), 100);
    assert_eq!(repeat(&store, "a").await.unwrap_err(), Refused::OutcomeUnknown);
    let largest = send(&store, "b", "x", answer_of(KIB + AFTER_ROWS)).await.unwrap();
    assert_eq!(text(largest).await, text(repeat(&store, "b").await.unwrap()).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_once_one_is_carried_out() {
    let store = store();
    let carried_out = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let (store, carried_out) = (store.clone(), Arc::clone(&carried_out));
            tokio::spawn(async move {
                let work = async move || {
                    tokio::task::yield_now().await;
                    carried_out.fetch_add(1, Ordering::Relaxed).to_string().into_response()
                };
                send(&store, "a", "x", work).await
            })
        })
        .collect();
    let mut first = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(response) => {
                first += usize::from(!replayed(&response));
                assert_eq!(text(response).await, "0");
            }
            Err(refused) => assert_eq!(refused, Refused::InProgress),
        }
    }
    assert_eq!((first, carried_out.load(Ordering::Relaxed)), (1, 1));
}

#[test]
fn refusals_say_whether_to_send_it_again() {
    use Refused::{CallerFull, InProgress, KeyReused, OutcomeUnknown, StoreFull};
    for (refused, status, retryable) in [
        (KeyReused, 422, false),
        (InProgress, 409, true),
        (StoreFull, 503, true),
        (CallerFull, 503, true),
        (OutcomeUnknown, 502, false),
    ] {
        assert_eq!((refused.status().as_u16(), refused.kind().is_retryable()), (status, retryable), "{refused:?}");
    }
}
