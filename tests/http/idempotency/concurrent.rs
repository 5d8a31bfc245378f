//! Many clients, many keys, and clients that disconnect: one write for each key.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{JSON, PATH, is_replay, read, refusal, send, settled, start, start_with};
use crate::support::{
    bolt::{
        control::{Control, Fault},
        fake_memgraph::{FakeMemgraph, Options as MemgraphOptions},
    },
    gateway::{Gateway, start_memory},
    http::{Connection, Response},
    query::{begin, body, transaction_id, values},
};

const KEYS: usize = 40;
const TIMES: usize = 8;

async fn memgraph() -> (Gateway, Control) {
    let fake = FakeMemgraph::start_with(MemgraphOptions::default()).await;
    let control = fake.control.clone();
    (start_memory(move || fake.connect(), &[]).await, control)
}

/// The first answer that is not that the request is at work, which is the final one.
async fn last_word(gateway: &Gateway, path: &str, key: &str, request: &str) -> Response {
    settled(async || {
        let answer = send(gateway, path, key, request).await;
        (answer.status != 409).then_some(answer)
    })
    .await
}

/// Sends a request under a key, and leaves as soon as `read` has ended: a client that leaves before its request was
/// read has asked for nothing.
async fn send_and_leave(gateway: &Gateway, path: &str, key: &str, request: &str, read: impl Future) {
    let mut client = Connection::open(gateway.address()).await;
    client.request("POST", path, &[JSON, ("Idempotency-Key", key)], request).await;
    read.await;
}

/// Waits until a request for this statement waits for a connection.
async fn is_queued(gateway: &Gateway, statement: &str) {
    settled(async || {
        let running = body(&gateway.send("GET", &format!("{PATH}/running"), &[], "").await);
        let queued = running["running"].as_array()?.iter().find(|one| one["state"] == "queued")?;
        assert_eq!(queued["statement"], statement);
        Some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_once_per_key_under_concurrency() {
    for (name, (gateway, control)) in [("neo4j", start().await), ("memgraph", memgraph().await)] {
        let gateway = Arc::new(gateway);
        let mut clients = JoinSet::new();
        for n in 0..KEYS * TIMES {
            let gateway = Arc::clone(&gateway);
            let path = PATH.replace("neo4j", name);
            clients.spawn(async move {
                // Keys alternate, so that requests under one key meet.
                let key = (n / 4) % KEYS;
                let request = json!({ "statement": format!("ADD a{key} 1 ROWS 2") }).to_string();
                let key = format!("key-{key}");
                if n % 5 == 0 {
                    // Whether it was read by then makes no difference in the end.
                    let moment = tokio::time::sleep(std::time::Duration::from_millis(100));
                    send_and_leave(&gateway, &path, &key, &request, moment).await;
                    return None;
                }
                Some((key.clone(), send(&gateway, &path, &key, &request).await))
            });
        }
        let answers = clients.join_all().await;
        for key in 0..KEYS {
            let path = PATH.replace("neo4j", name);
            let request = json!({ "statement": format!("ADD a{key} 1 ROWS 2") }).to_string();
            let last = last_word(&gateway, &path, &format!("key-{key}"), &request).await;
            assert!(last.status == 202 && body(&last).get("errors").is_none(), "{last}");
            let of_key = answers.iter().flatten().filter(|(of, _)| *of == format!("key-{key}"));
            for (_, answer) in of_key {
                assert!(answer.status == 409 || answer.body == last.body, "{name}, {key}: {answer}\n{last}");
            }
            let value = json!({ "statement": format!("READ a{key}") }).to_string();
            assert_eq!(values(&gateway.post(&path, &value).await), json!([[1]]), "{name}, {key}");
        }
        assert_eq!(control.violations(), [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_once_for_many_requests() {
    let (gateway, control) = start().await;
    let path = begin(&gateway, &json!({ "statement": "ADD a 1" })).await;
    let (gateway, path) = (Arc::new(gateway), format!("{path}/commit"));
    let mut clients = JoinSet::new();
    for _ in 0..64 {
        let (gateway, path) = (Arc::clone(&gateway), path.clone());
        clients.spawn(async move { send(&gateway, &path, "k", r#"{"statement":"ADD a 10 ROWS 1"}"#).await });
    }
    let answers = clients.join_all().await;
    let last = last_word(&gateway, &path, "k", r#"{"statement":"ADD a 10 ROWS 1"}"#).await;
    assert!(last.status == 202 && body(&last).get("errors").is_none(), "{last}");
    assert!(answers.iter().all(|answer| answer.status == 409 || answer.body == last.body));
    assert_eq!((read(&gateway).await, control.counts().commits), (json!(11), 2), "and the commit of READ");
}

#[tokio::test]
async fn executes_an_abandoned_request_once() {
    let (gateway, control) = start().await;
    let batch = r#"{"statements":[{"statement":"ADD a 1"},{"statement":"ADD a 1"}]}"#;
    let transaction = begin(&gateway, &json!({})).await;
    let mut wanted = 0;
    for (route, message, request, adds) in [
        (PATH.to_owned(), "PULL", r#"{"statement":"ADD a 1 ROWS 3"}"#, 1),
        (PATH.to_owned(), "PULL", r#"{"statement":"ADD a 1 ROWS 3000"}"#, 1),
        (format!("{PATH}/batch"), "COMMIT", batch, 2),
        (format!("{transaction}/commit"), "RUN", r#"{"statement":"ADD a 1"}"#, 1),
    ] {
        let key = format!("k{wanted}");
        control.forget_messages();
        // Long enough for the client to be gone.
        control.on_next(message, Fault::Delay(std::time::Duration::from_millis(300)));
        let before = control.count(message);
        let mut client = Connection::open(gateway.address()).await;
        client.request("POST", &route, &[JSON, ("Idempotency-Key", &key)], request).await;
        control.wait_for(message, |counts| counts.messages.get(message).copied().unwrap_or(0) > before).await;
        drop(client);
        let answer = last_word(&gateway, &route, &key, request).await;
        assert!(answer.status == 202 && is_replay(&answer) && body(&answer).get("errors").is_none(), "{answer}");
        wanted += adds;
        assert_eq!(read(&gateway).await, wanted, "{route}");
        assert_eq!(control.count("RESET"), 0, "nobody has cancelled it");
    }
}

#[tokio::test]
async fn replays_the_handle_of_an_abandoned_transaction() {
    let (gateway, control) = start().await;
    let (path, request) = (format!("{PATH}/tx"), r#"{"statement":"ADD a 1"}"#);
    let begins = control.wait_for("the transaction", |counts| counts.transactions == 1);
    send_and_leave(&gateway, &path, "k", request, begins).await;
    let begun = last_word(&gateway, &path, "k", request).await;
    assert!(begun.status == 202 && is_replay(&begun), "{begun}");
    let commit = format!("{path}/{}/commit", transaction_id(&begun));
    assert_eq!(send(&gateway, &commit, "c", "{}").await.status, 202);
    assert_eq!(read(&gateway).await, 1);
}

#[tokio::test]
async fn keeps_waiting_for_a_connection_without_its_client() {
    let few = [("database.max_connections", "2"), ("database.caller_share", "100"), ("transactions.max", "1")];
    let (gateway, control) = start_with(&[few[0], few[1], few[2], ("transactions.caller_share", "100")]).await;
    let transaction = begin(&gateway, &json!({})).await;
    let mut other = Connection::open(gateway.address()).await;
    other.post(PATH, r#"{"statement":"SLEEP 600000"}"#).await;
    control.wait_for("the statement", |counts| counts.running == 1).await;
    let request = r#"{"statement":"ADD a 1"}"#;
    send_and_leave(&gateway, PATH, "k", request, is_queued(&gateway, "ADD a 1")).await;
    // It is known from now on, and has not begun.
    let in_progress = send(&gateway, PATH, "k", request).await;
    assert_eq!(refusal(&in_progress).0, 409, "{in_progress}");
    assert_eq!(gateway.send("DELETE", &transaction, &[], "").await.status, 200);
    let answer = last_word(&gateway, PATH, "k", request).await;
    assert!(answer.status == 202 && is_replay(&answer), "{answer}");
    assert_eq!(read(&gateway).await, 1);
}

#[tokio::test]
async fn stores_no_key_for_an_incomplete_request() {
    let (gateway, _) = start().await;
    let request = r#"{"statement":"ADD a 1"}"#;
    let mut client = Connection::open(gateway.address()).await;
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nIdempotency-Key: k\r\n\
         Content-Length: {}\r\n\r\n",
        request.len()
    );
    client.send(&[head.as_bytes(), &request.as_bytes()[..10]].concat()).await;
    let whole = send(&gateway, PATH, "k", request).await;
    assert!(whole.status == 202 && !is_replay(&whole), "{whole}");
    drop(client);
    assert_eq!(read(&gateway).await, 1);
}

#[tokio::test]
async fn rejects_keys_on_bulk_loads() {
    let (gateway, control) = start().await;
    let headers = [("Content-Type", "application/x-ndjson"), ("Idempotency-Key", "k")];
    let lines = "{\"statement\":\"ADD a 1\"}\n{}\n{}\n";
    for _ in 0..2 {
        let answer = gateway.send("POST", &format!("{PATH}/batch"), &headers, lines).await;
        assert_eq!(refusal(&answer), (400, "Neo.ClientError.Request.Invalid".to_owned()), "{answer}");
        assert!(!is_replay(&answer), "{answer}");
    }
    assert_eq!((read(&gateway).await, control.count("BEGIN")), (Value::Null, 0));
    let without = gateway.send("POST", &format!("{PATH}/batch"), &headers[..1], lines).await;
    assert_eq!(without.status, 202, "{without}");
    assert_eq!(read(&gateway).await, 2);
}
