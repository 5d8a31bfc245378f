//! The work behind a key is carried out once, whatever happens.

use std::{
    future::{pending, ready},
    sync::atomic::{AtomicUsize, Ordering},
};

use tokio::{
    sync::Notify,
    time::{advance, timeout},
};
use tokio_util::task::TaskTracker;

use super::*;
use crate::telemetry::event_log::EventLog;

const KEEP: Duration = Duration::from_secs(3600);
const KIB: usize = 1024;

fn store() -> Store {
    with(KIB * KIB, 64 * KIB * KIB)
}

fn with(max_answer: usize, capacity: usize) -> Store {
    Store::new(Settings { keep: KEEP, max_answer, capacity }, TaskTracker::new(), Arc::new(EventLog))
}

fn caller(number: u64) -> IdentityKey {
    IdentityKey::numbered(number)
}

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

fn request(body: &str) -> Fingerprint {
    let mut fingerprinter = Fingerprinter::default();
    fingerprinter.part(body.as_bytes());
    fingerprinter.finish()
}

/// Sends the request `body` under a key, for the first caller.
async fn send<F>(store: &Store, name: &str, body: &str, work: impl FnOnce() -> F) -> Result<Told, Refused>
where
    F: Future<Output = Option<Outcome>> + Send + 'static,
{
    once(store, caller(1), key(name), request(body), work).await
}

/// Sends the request `x` under a key that has to have been used before.
async fn repeat(store: &Store, name: &str) -> Result<Told, Refused> {
    send(store, name, "x", || async { panic!("this was carried out twice") }).await
}

fn done(body: impl Into<Bytes>, verdict: Option<Verdict>) -> Option<Outcome> {
    let headers = [(http::header::CONTENT_TYPE, HeaderValue::from_static("text/plain"))];
    Some(Outcome { answer: Answer { status: StatusCode::OK, headers: headers.into(), body: body.into() }, verdict })
}

fn answer_of(length: usize) -> impl FnOnce() -> std::future::Ready<Option<Outcome>> {
    move || ready(done("x".repeat(length), None))
}

/// Sends the request `x` under a key, and leaves before it is answered; the work waits for the notification.
async fn send_and_leave(store: &Store, name: &str) -> Arc<Notify> {
    let go_on = Arc::new(Notify::new());
    let told = Arc::clone(&go_on);
    let work = async move || {
        told.notified().await;
        done("done", None)
    };
    assert!(timeout(Duration::from_secs(1), send(store, name, "x", work)).await.is_err());
    go_on
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_sent_again_gets_the_first_answer() {
    let store = store();
    let first = send(&store, "a", "x", answer_of(2)).await.unwrap();
    assert!(!first.is_replay);
    for _ in 0..2 {
        let again = repeat(&store, "a").await.unwrap();
        assert!(again.is_replay);
        assert_eq!(again.answer, first.answer);
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_stands_for_one_request_of_one_caller() {
    let store = store();
    let go_on = send_and_leave(&store, "a").await;
    assert_eq!(send(&store, "a", "y", answer_of(1)).await.unwrap_err(), Refused::KeyReused);
    assert_eq!(repeat(&store, "a").await.unwrap_err(), Refused::InProgress);
    let others = once(&store, caller(2), key("a"), request("y"), answer_of(3)).await.unwrap();
    assert!(!others.is_replay);
    assert_eq!(send(&store, "b", "x", answer_of(2)).await.unwrap().answer.body, "xx");
    go_on.notify_one();
    tokio::task::yield_now().await;
    assert_eq!(send(&store, "a", "y", answer_of(1)).await.unwrap_err(), Refused::KeyReused);
    // The first client was gone when the answer was ready.
    let again = repeat(&store, "a").await.unwrap();
    assert!(again.is_replay);
    assert_eq!(again.answer.body, "done");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_did_nothing_may_be_sent_again() {
    let store = store();
    for _ in 0..2 {
        let told = send(&store, "a", "x", || ready(done("later", Some(Verdict::NothingDone)))).await.unwrap();
        assert!(!told.is_replay);
        assert_eq!(told.answer.body, "later");
        assert_eq!(store.ledger().room_taken(), (0, vec![]));
    }
    assert!(!send(&store, "a", "y", answer_of(1)).await.unwrap().is_replay);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_of_no_use_later_is_not_stored() {
    let store = store();
    let told = send(&store, "a", "x", || ready(done("log in again", Some(Verdict::Unknown)))).await.unwrap();
    assert_eq!(told.answer.body, "log in again");
    assert_eq!(repeat(&store, "a").await.unwrap_err(), Refused::OutcomeUnknown);
}

#[tokio::test(start_paused = true)]
async fn nobody_knows_the_outcome_of_lost_work() {
    let store = store();
    for name in ["panicked", "lost"] {
        let work = async move || {
            assert_eq!(name, "lost", "as if there were a bug");
            None
        };
        assert_eq!(send(&store, name, "x", work).await.unwrap_err(), Refused::OutcomeUnknown);
        assert_eq!(repeat(&store, name).await.unwrap_err(), Refused::OutcomeUnknown);
        assert_eq!(send(&store, name, "y", answer_of(1)).await.unwrap_err(), Refused::KeyReused);
    }
    advance(KEEP).await;
    assert!(send(&store, "lost", "y", answer_of(1)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_stored_for_its_time() {
    let store = store();
    send(&store, "a", "x", answer_of(1)).await.unwrap();
    let go_on = send_and_leave(&store, "b").await;
    advance(KEEP - Duration::from_secs(1) - Duration::from_millis(1)).await;
    assert!(repeat(&store, "a").await.unwrap().is_replay);
    advance(Duration::from_millis(1)).await;
    assert!(!send(&store, "a", "y", answer_of(2)).await.unwrap().is_replay);
    // A request may take any time; its answer is stored from the moment that it is ready.
    assert_eq!(repeat(&store, "b").await.unwrap_err(), Refused::InProgress);
    go_on.notify_one();
    advance(Duration::from_millis(1)).await;
    advance(KEEP - Duration::from_millis(2)).await;
    assert!(repeat(&store, "b").await.unwrap().is_replay);
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
    // No stored answer is removed to make room, and all of them can be had.
    for name in 0..kept {
        assert!(repeat(&store, &name.to_string()).await.unwrap().is_replay);
    }
    let sent = |number, name| once(&store, caller(number), key(name), request("x"), answer_of(64 * KIB));
    for name in ["a", "b", "c", "d", "e", "f"] {
        sent(2, name).await.unwrap();
    }
    assert_eq!(sent(2, "g").await.unwrap_err(), Refused::CallerFull);
    for name in ["a", "b"] {
        sent(3, name).await.unwrap();
    }
    assert_eq!(sent(3, "c").await.unwrap_err(), Refused::StoreFull);
    advance(KEEP).await;
    assert!(!sent(3, "c").await.unwrap().is_replay);
}

#[tokio::test(start_paused = true)]
async fn room_is_never_exceeded_and_small_answers_always_find_some() {
    let store = with(KIB * KIB, 4 * KIB * KIB);
    let mut tasks = Vec::new();
    for number in 0_u64.. {
        let (go_on, told) = (Arc::new(Notify::new()), store.clone());
        let length = if number % 2 == 0 { ledger::SMALL - KIB } else { KIB * KIB };
        let work = {
            let go_on = Arc::clone(&go_on);
            async move || {
                go_on.notified().await;
                done("x".repeat(length), None)
            }
        };
        let name = key(&number.to_string());
        let task = tokio::spawn(async move { once(&told, caller(number), name, request("x"), work).await });
        tokio::task::yield_now().await;
        if task.is_finished() {
            assert_eq!(task.await.unwrap().unwrap_err(), Refused::StoreFull);
            break;
        }
        tasks.push((number, length, go_on, task));
    }
    assert!(tasks.len() > 100, "many can be in flight: {}", tasks.len());
    let mut too_large = 0;
    for (number, length, go_on, task) in tasks {
        go_on.notify_one();
        assert_eq!(task.await.unwrap().unwrap().answer.body.len(), length, "the first answer is whole");
        assert!(store.ledger().room_taken().0 <= 4 * KIB * KIB);
        match once(&store, caller(number), key(&number.to_string()), request("x"), pending::<Option<Outcome>>).await {
            Ok(again) => assert!(again.is_replay && again.answer.body.len() == length),
            Err(refused) => {
                assert_eq!((refused, length), (Refused::OutcomeUnknown, KIB * KIB));
                too_large += 1;
            }
        }
    }
    assert!(too_large > 0, "the room did run out");
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
                    done(carried_out.fetch_add(1, Ordering::Relaxed).to_string(), None)
                };
                send(&store, "a", "x", work).await
            })
        })
        .collect();
    let mut first = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(told) => {
                first += usize::from(!told.is_replay);
                assert_eq!(told.answer.body, "0");
            }
            Err(refused) => assert_eq!(refused, Refused::InProgress),
        }
    }
    assert_eq!((first, carried_out.load(Ordering::Relaxed)), (1, 1));
}
