//! How much is kept, and for how long: answers that are too large, a store that is full, answers that expire.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{JSON, PATH, is_replay, read, refusal, send, settled, start_with};
use crate::support::{gateway::Gateway, http::Connection, query::body};

const SMALL: (&str, &str) = ("idempotency.max_answer", "1KiB");
const STORE_FULL: &str = "Boltgate.TransientError.Idempotency.StoreFull";

/// Has an answer of about 12 KiB.
const WIDE: &str = r#"{"statement":"ADD a 1 ROWS 2500"}"#;

/// The credential of somebody, whom the database lets in.
fn caller_number(number: u8) -> String {
    format!("Basic {}", STANDARD.encode(format!("caller{number}:pw")))
}

async fn send_as(gateway: &Gateway, who: &str, key: &str, request: &str) -> super::Response {
    let headers = [JSON, ("Idempotency-Key", key), ("Authorization", who)];
    gateway.send("POST", PATH, &headers, request).await
}

#[tokio::test]
async fn replays_a_too_large_answer_without_rows() {
    let (gateway, _) = start_with(&[SMALL]).await;
    for (number, (statuses, rows)) in
        [("query-api", 900), ("precise", 900), ("query-api", 5000), ("precise", 5000)].into_iter().enumerate()
    {
        let headers = [JSON, ("Idempotency-Key", &*format!("k{number}")), ("Boltgate-Statuses", statuses)];
        let request = json!({ "statement": format!("ADD a 1 ROWS {rows}") }).to_string();
        let first = gateway.send("POST", PATH, &headers, &request).await;
        assert!(first.status == 202 && first.body.len() < 2048, "{statuses}, {rows}: {first}");
        let told = body(&first);
        let message = told["errors"][0]["message"].as_str().unwrap_or_default();
        assert!(message.starts_with("The statement was carried out, but its answer is too large"), "{first}");
        let values = told["data"]["values"].as_array().expect("there are rows").len();
        assert!(values > 0 && values < rows, "{first}");
        let again = gateway.send("POST", PATH, &headers, &request).await;
        assert!(is_replay(&again) && again.status == 202 && again.body == first.body, "{again}");
        assert_eq!(read(&gateway).await, number + 1);
    }
    // Without a key there is no limit.
    let whole = gateway.query("ADD a 1 ROWS 5000").await;
    assert_eq!(body(&whole)["data"]["values"].as_array().map(Vec::len), Some(5000));
}

#[tokio::test]
async fn rolls_back_a_batch_whose_answer_is_too_large() {
    let (gateway, control) = start_with(&[SMALL]).await;
    let path = format!("{PATH}/batch");
    let request = r#"{"statements":[{"statement":"ADD a 1"},{"statement":"ROWS 900"}]}"#;
    let first = send(&gateway, &path, "k", request).await;
    assert_eq!(refusal(&first), (400, "Neo.ClientError.Request.Invalid".to_owned()), "{first}");
    let error = &body(&first)["errors"][0];
    assert!(error["message"].as_str().unwrap_or_default().contains("nothing of the batch was applied"), "{first}");
    assert_eq!(error["statement"], 1, "{first}");
    assert_eq!((read(&gateway).await, control.count("COMMIT")), (Value::Null, 0));
    assert!(is_replay(&send(&gateway, &path, "k", request).await), "it would be too large again");
    let small = r#"{"statements":[{"statement":"ADD a 1"},{"statement":"ROWS 9"}]}"#;
    assert_eq!(send(&gateway, &path, "small", small).await.status, 202);
    assert_eq!(read(&gateway).await, 1);
}

/// Sends requests under new keys until there is no room, and gives the number of those that were carried out.
async fn fill(gateway: &Gateway, who: &str) -> usize {
    for number in 0..50 {
        let answer = send_as(gateway, who, &format!("k{number}"), WIDE).await;
        if answer.status != 202 {
            assert_eq!(refusal(&answer), (503, STORE_FULL.to_owned()), "{answer}");
            assert_eq!(answer.header("Retry-After"), Some("1"));
            return number;
        }
    }
    panic!("there is no end to it");
}

#[tokio::test]
async fn executes_nothing_when_the_store_is_full() {
    let settings =
        [("idempotency.capacity", "256KiB"), ("idempotency.max_answer", "32KiB"), ("idempotency.keep", "1h")];
    let (gateway, _) = start_with(&settings).await;
    let mut counts = Vec::new();
    // So many halves there are not.
    for caller in 0..6 {
        let filled = fill(&gateway, &caller_number(caller)).await;
        counts.push(filled);
        assert_eq!(read(&gateway).await, counts.iter().sum::<usize>(), "what was refused was not done");
    }
    assert!(counts[0] > 0 && counts[1] > 0 && counts[5] == 0, "each has some, and then it is full: {counts:?}");
    for caller in 0..2 {
        let again = send_as(&gateway, &caller_number(caller), "k0", WIDE).await;
        assert!(is_replay(&again), "{again}");
    }
    assert_eq!(gateway.query("ADD a 1").await.status, 202, "without a key it needs no room");
}

#[tokio::test]
async fn frees_capacity_when_answers_expire() {
    let settings =
        [("idempotency.capacity", "128KiB"), ("idempotency.max_answer", "32KiB"), ("idempotency.keep", "200ms")];
    let (gateway, _) = start_with(&settings).await;
    for number in 0..12 {
        // Many times what fits at once.
        settled(async || {
            let answer = send(&gateway, PATH, &format!("k{number}"), WIDE).await;
            (answer.status != 503).then_some(answer)
        })
        .await;
    }
    assert_eq!(read(&gateway).await, 12);
}

#[tokio::test]
async fn starts_the_expiry_with_the_answer() {
    let (gateway, control) = start_with(&[("idempotency.keep", "50ms")]).await;
    let slow = r#"{"statement":"SLEEP 600000"}"#;
    let mut first = Connection::open(gateway.address()).await;
    first.request("POST", PATH, &[JSON, ("Idempotency-Key", "k")], slow).await;
    control.wait_for("the statement", |counts| counts.running == 1).await;
    sleep(Duration::from_millis(200)).await;
    let in_progress = (409, "Boltgate.ClientError.Idempotency.RequestInProgress".to_owned());
    assert_eq!(refusal(&send(&gateway, PATH, "k", slow).await), in_progress, "it is not over");
    assert_eq!(control.count("RUN"), 1);
    drop(first);
    assert_eq!(refusal(&send(&gateway, PATH, "k", slow).await), in_progress, "nor is it when nobody waits");
    assert_eq!((control.count("RUN"), control.count("RESET")), (1, 0));
}
