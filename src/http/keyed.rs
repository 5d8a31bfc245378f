//! Requests with an `Idempotency-Key`: reading the key, recognizing the request, and its answer as a value to store.

use std::future::Future;

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts},
    response::Response,
};
use http_body_util::BodyExt as _;

use super::{refusal::Refusal, verdict::verdict};
use crate::{
    auth::IdentityKey,
    idempotency::{self, Answer, Fingerprint, Fingerprinter, Key, LONGEST_KEY, Outcome, Store, Told},
    query::{Error, OFFLOAD_ABOVE, offload},
};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer is not the first one.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Headers that begin like this say how a request is to be carried out.
const OURS: &str = "boltgate-";

/// The key in the headers, if there is one.
///
/// # Errors
/// When there are two keys, or the header is not a key.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<Key>, Error> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Error::bad_request("there are two headers Idempotency-Key; send one"));
    }
    match value.to_str().ok().and_then(Key::new) {
        Some(key) => Ok(Some(key)),
        None => Err(Error::bad_request(&format!(
            "the header Idempotency-Key is not 1 to {LONGEST_KEY} visible ASCII characters without spaces"
        ))),
    }
}

/// The fingerprint of everything in a request that its answer depends on, except for the caller.
pub(super) async fn fingerprint(parts: &Parts, body: &Bytes) -> Fingerprint {
    let mut fingerprinter = Fingerprinter::default();
    fingerprinter.part(parts.method.as_str().as_bytes());
    fingerprinter.part(parts.uri.path().as_bytes());
    fingerprinter.list(parts.uri.query().into_iter().map(str::as_bytes));
    let mut ours: Vec<_> = parts.headers.keys().filter(|name| name.as_str().starts_with(OURS)).collect();
    // Headers of different names may be sent in any order.
    ours.sort_unstable_by_key(|name| name.as_str());
    for name in [&header::ACCEPT, &header::CONTENT_TYPE].into_iter().chain(ours) {
        fingerprinter.part(name.as_str().as_bytes());
        fingerprinter.list(parts.headers.get_all(name).iter().map(HeaderValue::as_bytes));
    }
    if body.len() <= OFFLOAD_ABOVE {
        fingerprinter.part(body);
    } else {
        let body = body.clone();
        fingerprinter = offload(move || {
            fingerprinter.part(&body);
            fingerprinter
        })
        .await;
    }
    fingerprinter.finish()
}

/// The answer to a request with a key. `work` carries the request out, and is started only if the key is new.
///
/// # Errors
/// When the key cannot be used.
pub(super) async fn once<F>(
    store: &Store,
    owner: IdentityKey,
    key: Key,
    fingerprint: Fingerprint,
    work: impl FnOnce() -> F,
) -> Result<Response, Refusal>
where
    F: Future<Output = Response> + Send + 'static,
{
    let longest = store.longest();
    let told = idempotency::once(store, owner, key, fingerprint, || outcome(work(), longest)).await;
    told.map(response).map_err(Refusal::of_key)
}

/// What a response comes to once its body is read; `None` if it broke off, or is longer than `longest` bytes.
async fn outcome(response: impl Future<Output = Response>, longest: usize) -> Option<Outcome> {
    let (parts, body) = response.await.into_parts();
    let body = whole(body, longest).await?;
    let headers = parts.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    Some(Outcome { answer: Answer { status: parts.status, headers, body }, verdict: verdict(&parts.extensions) })
}

/// All of `body`, if it is not longer than `longest` bytes. It is read to its end in any case: what is not read is not
/// carried out.
async fn whole(mut body: Body, longest: usize) -> Option<Bytes> {
    let mut bytes = Some(Vec::new());
    while let Some(frame) = body.frame().await {
        let Ok(chunk) = frame.ok()?.into_data() else { continue };
        bytes = bytes.filter(|bytes| bytes.len() + chunk.len() <= longest);
        if let Some(bytes) = &mut bytes {
            bytes.extend_from_slice(&chunk);
        }
    }
    // Without the spare capacity that it grew with.
    bytes.map(|bytes| Bytes::from(bytes.into_boxed_slice()))
}

fn response(Told { answer, is_replay }: Told) -> Response {
    let mut response = Response::new(Body::from(answer.body.clone()));
    *response.status_mut() = answer.status;
    response.headers_mut().extend(answer.headers.iter().cloned());
    if is_replay {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

#[cfg(test)]
mod tests {
    use std::{
        collections::HashSet,
        convert::Infallible,
        future::{Ready, ready},
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        time::Duration,
    };

    use axum::{
        http::{Request, StatusCode},
        response::IntoResponse as _,
    };
    use futures_util::{FutureExt as _, StreamExt as _, stream};
    use tokio_util::task::TaskTracker;

    use super::*;
    use crate::telemetry::event_log::EventLog;
    use crate::{http::verdict::Later, query::Kind};

    fn read(values: &[&[u8]]) -> Result<Option<Key>, Error> {
        let value = |bytes: &&[u8]| (IDEMPOTENCY_KEY, HeaderValue::from_bytes(bytes).unwrap());
        let mut headers = HeaderMap::new();
        for (name, value) in values.iter().map(value) {
            headers.append(name, value);
        }
        key(&headers)
    }

    #[test]
    fn a_request_has_one_key_or_none() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[b"a"]), Ok(Some(Key::new("a").unwrap())));
        for bad in [&b""[..], b"a b", b"\x80", "\u{e9}".as_bytes()] {
            let error = read(&[bad]).unwrap_err();
            assert!(error.message.ends_with("is not 1 to 255 visible ASCII characters without spaces"), "{error}");
        }
        assert!(read(&[b"a", b"a"]).unwrap_err().message.contains("two headers"));
    }

    fn of(method: &str, uri: &str, headers: &[(&str, &str)], body: &str) -> Fingerprint {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        fingerprint(&parts, &Bytes::copy_from_slice(body.as_bytes())).now_or_never().unwrap()
    }

    #[test]
    fn requests_that_ask_for_something_else_are_told_apart() {
        let different = [
            of("POST", "/db/a", &[], "{}"),
            of("DELETE", "/db/a", &[], "{}"),
            of("POST", "/db/b", &[], "{}"),
            of("POST", "/db/a?", &[], "{}"),
            of("POST", "/db/a?x", &[], "{}"),
            of("POST", "/db/a", &[("accept", "x")], "{}"),
            of("POST", "/db/a", &[("accept", "x"), ("accept", "y")], "{}"),
            of("POST", "/db/a", &[("accept", "y"), ("accept", "x")], "{}"),
            of("POST", "/db/a", &[("accept", "xy"), ("accept", "z")], "{}"),
            of("POST", "/db/a", &[("accept", "x"), ("accept", "yz")], "{}"),
            of("POST", "/db/a", &[("content-type", "x")], "{}"),
            of("POST", "/db/a", &[("boltgate-statuses", "precise")], "{}"),
            of("POST", "/db/a", &[("boltgate-statuse", "sprecise")], "{}"),
            of("POST", "/db/a", &[("boltgate-impersonated-user", "precise")], "{}"),
            of("POST", "/db/a", &[], "{} "),
            of("POST", "/db/a{", &[], "}"),
        ];
        let apart: HashSet<_> = different.iter().collect();
        assert_eq!(apart.len(), different.len());
    }

    #[test]
    fn requests_that_ask_for_the_same_have_the_same_fingerprint() {
        let first = of("POST", "/db/a", &[("boltgate-a", "1"), ("boltgate-b", "2"), ("date", "x")], "{}");
        let second =
            of("POST", "http://x/db/a", &[("boltgate-b", "2"), ("user-agent", "y"), ("boltgate-a", "1")], "{}");
        assert_eq!(first, second);
    }

    fn store() -> Store {
        with(1024 * 1024)
    }

    fn with(max_answer: usize) -> Store {
        let settings =
            idempotency::Settings { keep: Duration::from_secs(3600), max_answer, capacity: 64 * 1024 * 1024 };
        Store::new(settings, TaskTracker::new(), Arc::new(EventLog))
    }

    async fn send<F>(store: &Store, key: &str, work: impl FnOnce() -> F) -> Response
    where
        F: Future<Output = Response> + Send + 'static,
    {
        let key = Key::new(key).unwrap();
        let answer = once(store, IdentityKey::numbered(1), key, of("POST", "/", &[], ""), work).await;
        answer.unwrap_or_else(|refusal| refusal.into_response())
    }

    /// Sends the request under `key`, which has to have been used before.
    async fn repeat(store: &Store, key: &str) -> Response {
        send(store, key, || async { panic!("this was carried out twice") }).await
    }

    async fn text(response: Response) -> String {
        String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    fn is_replay(response: &Response) -> bool {
        response.headers().get("idempotency-replayed").is_some_and(|value| value == "true")
    }

    async fn assert_outcome_unknown(response: Response) {
        assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
        let text = text(response).await;
        assert!(text.contains("Boltgate.DatabaseError.Transaction.OutcomeUnknown"), "{text}");
    }

    #[tokio::test]
    async fn a_request_that_is_sent_again_gets_the_first_answer() {
        let store = store();
        let work = || async {
            let chunks = ["[1", ",2]"].map(|chunk| Ok::<_, Infallible>(Bytes::from(chunk)));
            let headers = [("content-type", "a/b"), ("boltgate-attempts", "2")];
            (StatusCode::ACCEPTED, headers, Body::from_stream(stream::iter(chunks))).into_response()
        };
        let first = send(&store, "a", work).await;
        assert!(!is_replay(&first));
        let mut headers = first.headers().clone();
        headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
        assert_eq!((first.status(), text(first).await), (StatusCode::ACCEPTED, "[1,2]".into()));
        for _ in 0..2 {
            let again = repeat(&store, "a").await;
            assert_eq!((again.status(), again.headers()), (StatusCode::ACCEPTED, &headers));
            assert_eq!(text(again).await, "[1,2]");
        }
    }

    /// An answer whose verdict is known only when it is read.
    fn told_later(error: Error) -> impl FnOnce() -> Ready<Response> {
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

    #[tokio::test]
    async fn an_answer_that_ends_with_an_error_is_judged_by_it() {
        let store = store();
        let conflict = || Error::new(Kind::Conflict, "", "it was undone");
        for _ in 0..2 {
            let response = send(&store, "a", told_later(conflict())).await;
            assert!(!is_replay(&response), "an answer of a request that changed nothing is not stored");
            assert_eq!(text(response).await, "some rows and an error");
        }
        let refused = || Error::new(Kind::Refused, "", "it will be refused again");
        send(&store, "b", told_later(refused())).await;
        assert!(is_replay(&repeat(&store, "b").await));
    }

    #[tokio::test]
    async fn a_token_that_expired_meanwhile_leaves_the_outcome_open() {
        let store = store();
        let expired = Error::new(Kind::ExpiredMeanwhile, "", "whether it took effect is not known");
        let first = send(&store, "a", told_later(expired)).await;
        assert_eq!(text(first).await, "some rows and an error");
        // Neither is it carried out again, nor is anybody told once more to log in.
        assert_outcome_unknown(repeat(&store, "a").await).await;
    }

    #[tokio::test]
    async fn nobody_knows_the_outcome_when_the_body_is_lost() {
        let store = store();
        let in_body = || stream::iter([()]).map(|()| -> Result<Bytes, Infallible> { panic!("as if there were a bug") });
        let work = async move || Body::from_stream(in_body()).into_response();
        assert_outcome_unknown(send(&store, "a", work).await).await;
        assert_outcome_unknown(repeat(&store, "a").await).await;
    }

    #[tokio::test]
    async fn an_answer_that_is_too_large_is_still_carried_out() {
        const KIB: usize = 1024;
        let store = with(KIB);
        let read = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&read);
        let work = async move || {
            let chunks = stream::iter((0..100).map(move |_| {
                counter.fetch_add(1, Ordering::Relaxed);
                Ok::<_, Infallible>(Bytes::from(vec![b'x'; KIB]))
            }));
            Body::from_stream(chunks).into_response()
        };
        assert_outcome_unknown(send(&store, "a", work).await).await;
        assert_eq!(read.load(Ordering::Relaxed), 100);
        assert_outcome_unknown(repeat(&store, "a").await).await;
        let largest = store.longest();
        let first = send(&store, "b", move || ready("x".repeat(largest).into_response())).await;
        assert_eq!(text(first).await.len(), largest);
        assert_eq!(text(repeat(&store, "b").await).await.len(), largest);
    }
}
