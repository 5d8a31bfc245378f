//! Requests that take effect once, however often they are sent.
//!
//! Runs against a fake Neo4j, and a fake Memgraph where that may make a difference.

mod bounds;
mod concurrent;
mod kept;
mod people;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{
    bolt::{
        control::{Control, Fault},
        fake_neo4j::{FakeNeo4j, Options},
    },
    gateway::{Gateway, start_memory},
    http::{Connection, Response},
    query::{begin, body, values},
};

const PATH: &str = "/db/neo4j/query/v2";
const JSON: (&str, &str) = ("Content-Type", "application/json");
const ADD: &str = r#"{"statement":"ADD a 1 ROWS 2"}"#;

async fn start_with(settings: &[(&'static str, &str)]) -> (Gateway, Control) {
    let fake = FakeNeo4j::start_with(Options::default().without_auth()).await;
    let control = fake.control.clone();
    (start_memory(move || fake.connect(), settings).await, control)
}

async fn start() -> (Gateway, Control) {
    start_with(&[]).await
}

async fn send(gateway: &Gateway, path: &str, key: &str, body: &str) -> Response {
    gateway.send("POST", path, &[JSON, ("Idempotency-Key", key)], body).await
}

async fn read(gateway: &Gateway) -> Value {
    values(&gateway.query("READ a").await)[0][0].clone()
}

fn is_replay(response: &Response) -> bool {
    response.header("Idempotency-Replayed") == Some("true")
}

/// Status and code of a refusal.
fn refusal(response: &Response) -> (u16, String) {
    (response.status, body(response)["errors"][0]["code"].as_str().unwrap_or_default().to_owned())
}

/// Looks until there is something.
async fn settled<T>(look: impl AsyncFn() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "it never comes");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn replays_the_first_answer() {
    let (gateway, _) = start().await;
    let first = send(&gateway, PATH, "k1", ADD).await;
    assert!(first.status == 202 && !is_replay(&first), "{first}");
    for _ in 0..3 {
        let again = send(&gateway, PATH, "k1", ADD).await;
        assert!(is_replay(&again), "{again}");
        assert_eq!((again.status, &again.body), (first.status, &first.body));
        assert_eq!(again.header("Content-Type"), first.header("Content-Type"));
    }
    assert_eq!(read(&gateway).await, 1);
    assert!(!is_replay(&send(&gateway, PATH, "k2", ADD).await), "another key is another thing to do");
    assert_eq!(read(&gateway).await, 2);
}

#[tokio::test]
async fn rejects_a_key_for_another_request() {
    let (gateway, _) = start().await;
    send(&gateway, PATH, "k", ADD).await;
    let reused = (422, "Boltgate.ClientError.Idempotency.KeyReused".to_owned());
    let other_body = send(&gateway, PATH, "k", r#"{"statement":"ADD a 2"}"#).await;
    assert_eq!(refusal(&other_body), reused);
    assert_eq!(refusal(&send(&gateway, &format!("{PATH}/tx"), "k", ADD).await), reused);
    let lines = [JSON, ("Idempotency-Key", "k"), ("Accept", "application/jsonl")];
    assert_eq!(refusal(&gateway.send("POST", PATH, &lines, ADD).await), reused);
    let precise = [JSON, ("Idempotency-Key", "k"), ("Boltgate-Statuses", "precise")];
    assert_eq!(refusal(&gateway.send("POST", PATH, &precise, ADD).await), reused);
    // For somebody else it is a key of its own.
    let other = [JSON, ("Idempotency-Key", "k"), ("Authorization", "Basic Ym9iOnB3")];
    assert_eq!(gateway.send("POST", PATH, &other, r#"{"statement":"ADD a 2"}"#).await.status, 202);
    assert_eq!(read(&gateway).await, 3);
}

#[tokio::test]
async fn writes_once_for_many_concurrent_requests() {
    let (gateway, control) = start().await;
    let gateway = Arc::new(gateway);
    for round in 0..5 {
        let requests: Vec<_> = (0..64)
            .map(|_| {
                let gateway = Arc::clone(&gateway);
                tokio::spawn(async move { send(&gateway, PATH, &format!("round-{round}"), ADD).await })
            })
            .collect();
        let mut answers = Vec::new();
        for request in requests {
            let answer = request.await.unwrap();
            if answer.status == 202 {
                answers.push(answer.body);
            } else {
                let busy = (409, "Boltgate.ClientError.Idempotency.RequestInProgress".to_owned());
                assert_eq!(refusal(&answer), busy, "{answer}");
                assert_eq!(answer.header("Retry-After"), Some("1"));
            }
        }
        answers.push(send(&gateway, PATH, &format!("round-{round}"), ADD).await.body);
        answers.dedup();
        assert_eq!(answers.len(), 1, "all that are answered are answered the same");
    }
    assert_eq!(read(&gateway).await, 5);
    assert_eq!(control.violations(), [""; 0]);
}

#[tokio::test]
async fn supports_keys_on_every_route_that_writes() {
    let (gateway, _) = start().await;
    let begun = send(&gateway, &format!("{PATH}/tx"), "begin", r#"{"statement":"ADD a 1"}"#).await;
    let again = send(&gateway, &format!("{PATH}/tx"), "begin", r#"{"statement":"ADD a 1"}"#).await;
    assert_eq!((is_replay(&again), &again.body), (true, &begun.body), "one transaction, not two");
    let path = format!("{PATH}/tx/{}", crate::support::query::transaction_id(&begun));
    let run = send(&gateway, &path, "run", r#"{"statement":"ADD a 10"}"#).await;
    assert_eq!(send(&gateway, &path, "run", r#"{"statement":"ADD a 10"}"#).await.body, run.body);
    // A commit whose answer was lost can be asked for again, though the transaction is gone.
    let commit = send(&gateway, &format!("{path}/commit"), "commit", "").await;
    assert_eq!(commit.status, 202, "{commit}");
    let again = send(&gateway, &format!("{path}/commit"), "commit", "").await;
    assert_eq!((again.status, &again.body), (202, &commit.body));
    let batch = r#"{"statements":[{"statement":"ADD a 100"}]}"#;
    let first = send(&gateway, &format!("{PATH}/batch"), "batch", batch).await;
    assert_eq!(send(&gateway, &format!("{PATH}/batch"), "batch", batch).await.body, first.body);
    assert_eq!(read(&gateway).await, 111);
}

#[tokio::test]
async fn keeps_the_answer_of_a_client_that_disconnected() {
    let (gateway, control) = start().await;
    let mut client = Connection::open(gateway.address()).await;
    let slow = r#"{"statement":"SLEEP 700"}"#;
    client.request("POST", PATH, &[JSON, ("Idempotency-Key", "k")], slow).await;
    control.wait_for("the statement", |counts| counts.running == 1).await;
    drop(client);
    // It continues without its client, so the key is taken until it has ended.
    let deadline = Instant::now() + Duration::from_secs(60);
    let answer = loop {
        let answer = send(&gateway, PATH, "k", slow).await;
        if answer.status != 409 {
            break answer;
        }
        assert!(Instant::now() < deadline, "it never ends");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(answer.status == 202 && is_replay(&answer), "{answer}");
    assert_eq!((control.count("RUN"), control.count("RESET")), (1, 0));
}

#[tokio::test]
async fn allows_a_retry_after_a_failure_without_effect() {
    let (gateway, control) = start_with(&[("retry.max_time", "0s")]).await;
    control.fail_next("RUN", "Neo.TransientError.Transaction.DeadlockDetected", "deadlock");
    assert_eq!(send(&gateway, PATH, "k", ADD).await.status, 400);
    let second = send(&gateway, PATH, "k", ADD).await;
    assert!(second.status == 202 && !is_replay(&second), "{second}");
    assert_eq!(read(&gateway).await, 1);
    // What never will be better is kept, and so is what nobody knows.
    let wrong = r#"{"statement":"FAIL Neo.ClientError.Statement.SyntaxError no"}"#;
    send(&gateway, PATH, "wrong", wrong).await;
    assert!(is_replay(&send(&gateway, PATH, "wrong", wrong).await));
    for (key, fault) in [("before", Fault::CloseBefore), ("after", Fault::CloseAfter)] {
        control.on_next("RUN", fault);
        let lost = send(&gateway, PATH, key, r#"{"statement":"ADD a 10"}"#).await;
        let unknown = (502, "Boltgate.DatabaseError.Transaction.OutcomeUnknown".to_owned());
        assert_eq!(refusal(&lost), unknown);
        let again = send(&gateway, PATH, key, r#"{"statement":"ADD a 10"}"#).await;
        assert_eq!((is_replay(&again), &again.body), (true, &lost.body));
    }
    assert_eq!(read(&gateway).await, 1, "nothing was sent twice");
}

#[tokio::test]
async fn keeps_answers_within_time_and_capacity() {
    let (gateway, _) = start_with(&[("idempotency.keep", "300ms")]).await;
    let first = send(&gateway, PATH, "k", ADD).await;
    assert_eq!(first.status, 202);
    let deadline = Instant::now() + Duration::from_secs(60);
    while is_replay(&send(&gateway, PATH, "k", ADD).await) {
        assert!(Instant::now() < deadline, "it is kept for ever");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(read(&gateway).await, 2, "the key was free again, and taken again");
    let (gateway, _) = start_with(&[("idempotency.capacity", "128KiB"), ("idempotency.max_answer", "32KiB")]).await;
    let wide = r#"{"statement":"WIDE 20000"}"#;
    let full = loop {
        static NUMBER: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        assert!(number < 20, "there is no end to it");
        let answer = send(&gateway, PATH, &format!("k{number}"), wide).await;
        if answer.status != 202 {
            break answer;
        }
    };
    assert_eq!(refusal(&full), (503, "Boltgate.TransientError.Idempotency.StoreFull".to_owned()));
    // One caller fills its half only.
    let other = [JSON, ("Idempotency-Key", "k"), ("Authorization", "Basic Ym9iOnB3")];
    assert_eq!(gateway.send("POST", PATH, &other, wide).await.status, 202);
    assert!(is_replay(&send(&gateway, PATH, "k0", wide).await), "what is kept stays");
}

#[tokio::test]
async fn rejects_invalid_keys_and_callers() {
    let (gateway, _) = start().await;
    for key in ["", "a b", "ä", &"x".repeat(256)] {
        let answer = send(&gateway, PATH, key, ADD).await;
        assert_eq!(refusal(&answer), (400, "Neo.ClientError.Request.Invalid".to_owned()), "{key}");
    }
    let twice = [JSON, ("Idempotency-Key", "a"), ("Idempotency-Key", "b")];
    assert_eq!(gateway.send("POST", PATH, &twice, ADD).await.status, 400);
    assert_eq!(read(&gateway).await, Value::Null);
    // Rolling back may be repeated as it is, and a key changes nothing.
    let path = begin(&gateway, &json!({})).await;
    let headers = [("Idempotency-Key", "k")];
    assert_eq!(gateway.send("DELETE", &path, &headers, "").await.status, 200);
    assert_eq!(gateway.send("DELETE", &path, &headers, "").await.status, 404);

    let fake = FakeNeo4j::start_with(Options::default()).await;
    let gateway = start_memory(move || fake.connect(), &[]).await;
    let who = |authorization| [JSON, ("Idempotency-Key", "k"), ("Authorization", authorization)];
    let right = who("Basic bmVvNGo6cGFzc3dvcmQ=");
    assert_eq!(gateway.send("POST", PATH, &right, ADD).await.status, 202);
    for wrong in [who("Basic bmVvNGo6d3Jvbmc="), who("Basic bm9ib2R5Ong=")] {
        assert_eq!(gateway.send("POST", PATH, &wrong, ADD).await.status, 401);
    }
}
