//! What is kept and what is forgotten: an answer that says that nothing was done frees its key, any other is final.

use serde_json::json;

use super::{JSON, PATH, is_replay, read, refusal, send, settled, start, start_with};
use crate::support::{
    bolt::control::Fault,
    http::Connection,
    query::{begin, body, transaction_id},
};

const DEADLOCK: &str = "Neo.TransientError.Transaction.DeadlockDetected";
const UNKNOWN: &str = "Boltgate.DatabaseError.Transaction.OutcomeUnknown";
const UNAVAILABLE: &str = "Neo.TransientError.General.DatabaseUnavailable";

/// The code of the only error in an answer, whatever its status.
fn code(response: &super::Response) -> String {
    body(response)["errors"][0]["code"].as_str().unwrap_or_default().to_owned()
}

fn conflict() -> Fault {
    Fault::Fail { code: DEADLOCK.to_owned(), message: "deadlock".to_owned() }
}

#[tokio::test]
async fn frees_the_key_after_a_conflict() {
    let (gateway, control) = start_with(&[("retry.max_time", "0s")]).await;
    for (number, (key, message, fault)) in
        [("under RUN", "RUN", conflict()), ("behind the columns", "PULL", conflict())].into_iter().enumerate()
    {
        control.on_next(message, fault);
        let key = key.replace(' ', "-");
        let request = r#"{"statement":"ADD a 1 ROWS 3"}"#;
        let first = send(&gateway, PATH, &key, request).await;
        assert_eq!(code(&first), DEADLOCK, "{key}: {first}");
        let second = send(&gateway, PATH, &key, request).await;
        assert!(!is_replay(&second) && body(&second).get("errors").is_none(), "{key}: {second}");
        assert!(is_replay(&send(&gateway, PATH, &key, request).await), "{key}");
        assert_eq!(read(&gateway).await, number + 1, "{key}");
    }
}

#[tokio::test]
async fn frees_the_key_after_a_conflict_behind_many_rows() {
    let (gateway, _) = start().await;
    let request = format!(r#"{{"statement":"FAILPULL 1500 {DEADLOCK} deadlock"}}"#);
    for statuses in ["query-api", "precise"] {
        let headers = [JSON, ("Idempotency-Key", statuses), ("Boltgate-Statuses", statuses)];
        for _ in 0..2 {
            let answer = gateway.send("POST", PATH, &headers, &request).await;
            assert!(answer.status == 202 && !is_replay(&answer), "{answer}");
            assert_eq!(code(&answer), DEADLOCK, "{answer}");
        }
    }
}

#[tokio::test]
async fn frees_the_key_of_a_rolled_back_batch() {
    let (gateway, control) = start().await;
    let path = format!("{PATH}/batch");
    let request = r#"{"statements":[{"statement":"ADD a 1"},{"statement":"ADD a 10"}],"retry":false}"#;
    control.on_next("PULL", Fault::CloseAfter);
    let first = send(&gateway, &path, "k", request).await;
    assert_eq!(refusal(&first), (503, UNAVAILABLE.to_owned()), "{first}");
    let second = send(&gateway, &path, "k", request).await;
    assert!(second.status == 202 && !is_replay(&second), "{second}");
    assert_eq!(send(&gateway, &path, "k", request).await.body, second.body);
    assert_eq!(read(&gateway).await, 11);
}

#[tokio::test]
async fn frees_the_key_when_the_database_is_unavailable() {
    let (gateway, control) = start().await;
    control.refuse_new(true);
    control.close_all();
    let request = r#"{"statement":"ADD a 1"}"#;
    for _ in 0..2 {
        let away = send(&gateway, PATH, "k", request).await;
        assert!(away.status >= 500 && !is_replay(&away) && code(&away) == UNAVAILABLE, "{away}");
    }
    control.refuse_new(false);
    let back = send(&gateway, PATH, "k", request).await;
    assert!(back.status == 202 && !is_replay(&back), "{back}");
    assert_eq!(read(&gateway).await, 1);
}

#[tokio::test]
async fn frees_the_key_after_a_refused_transaction() {
    let (gateway, control) = start_with(&[("transactions.max", "1"), ("transactions.caller_share", "100")]).await;
    let path = begin(&gateway, &json!({})).await;
    let full = send(&gateway, &format!("{PATH}/tx"), "begin", "{}").await;
    let limit = "Neo.TransientError.Transaction.MaximumTransactionLimitReached";
    assert_eq!(refusal(&full), (503, limit.to_owned()));

    let mut other = Connection::open(gateway.address()).await;
    other.post(&path, r#"{"statement":"SLEEP 600000"}"#).await;
    control.wait_for("the statement", |counts| counts.running == 1).await;
    let request = r#"{"statement":"ADD a 1"}"#;
    let busy = send(&gateway, &path, "run", request).await;
    assert_eq!(refusal(&busy), (400, "Neo.ClientError.Transaction.TransactionAccessedConcurrently".to_owned()));
    drop(other);
    control.wait_for("the roll-back", |counts| counts.transactions == 0).await;
    // The transaction ended with the client that was using it. That is final.
    let gone = send(&gateway, &path, "run", request).await;
    assert!(gone.status == 404 && !is_replay(&gone), "{gone}");
    assert!(is_replay(&send(&gateway, &path, "run", request).await));

    let begun = settled(async || {
        let answer = send(&gateway, &format!("{PATH}/tx"), "begin", "{}").await;
        (answer.status != 503).then_some(answer)
    })
    .await;
    assert!(begun.status == 202 && !is_replay(&begun), "{begun}");
    let again = send(&gateway, &format!("{PATH}/tx"), "begin", "{}").await;
    assert!(is_replay(&again) && transaction_id(&again) == transaction_id(&begun), "{again}");
}

#[tokio::test]
async fn keeps_an_unknown_outcome() {
    let (gateway, control) = start().await;
    let batch = r#"{"statements":[{"statement":"ADD a 1"}]}"#;
    let path = format!("{PATH}/batch");
    control.on_next("PULL", Fault::CloseAfter);
    let late = send(&gateway, PATH, "late", r#"{"statement":"ADD a 1 ROWS 3"}"#).await;
    assert_eq!((late.status, code(&late)), (202, UNKNOWN.to_owned()), "{late}");
    assert_eq!(send(&gateway, PATH, "late", r#"{"statement":"ADD a 1 ROWS 3"}"#).await.body, late.body);
    assert_eq!(read(&gateway).await, 1);
    for (key, fault, written) in [("before", Fault::CloseBefore, 1), ("after", Fault::CloseAfter, 2)] {
        control.on_next("COMMIT", fault);
        let lost = send(&gateway, &path, key, batch).await;
        assert_eq!(refusal(&lost), (502, UNKNOWN.to_owned()), "{lost}");
        for _ in 0..2 {
            let again = send(&gateway, &path, key, batch).await;
            assert!(is_replay(&again) && again.status == 502 && again.body == lost.body, "{again}");
        }
        assert_eq!(read(&gateway).await, written);
    }
    let transaction = begin(&gateway, &json!({ "statement": "ADD a 1" })).await;
    control.on_next("COMMIT", Fault::CloseAfter);
    let lost = send(&gateway, &format!("{transaction}/commit"), "commit", "{}").await;
    assert_eq!(refusal(&lost), (502, UNKNOWN.to_owned()), "{lost}");
    // Without the key it would be 404: the transaction is not there any more.
    let again = send(&gateway, &format!("{transaction}/commit"), "commit", "{}").await;
    assert!(is_replay(&again) && again.body == lost.body, "{again}");
    assert_eq!(read(&gateway).await, 3);
}

#[tokio::test]
async fn keeps_the_error_of_an_invalid_request() {
    let (gateway, control) = start().await;
    let elsewhere = PATH.replace("neo4j", "nowhere");
    let nowhere = format!("{PATH}/tx/0123456789abcdef0123456789abcdef/commit");
    for (key, path, request, status) in [
        ("no-json", PATH, "{", 400),
        ("no-statement", PATH, "{}", 400),
        ("refused", PATH, r#"{"statement":"FAIL Neo.ClientError.Schema.ConstraintValidationFailed no"}"#, 400),
        ("no-database", &elsewhere, r#"{"statement":"RETURN 1"}"#, 404),
        ("no-transaction", &nowhere, "{}", 404),
    ] {
        let first = send(&gateway, path, key, request).await;
        assert!(first.status == status && !is_replay(&first), "{first}");
        let runs = control.count("RUN");
        let again = send(&gateway, path, key, request).await;
        assert!(is_replay(&again) && again.status == status && again.body == first.body, "{again}");
        assert_eq!(control.count("RUN"), runs, "{key}");
    }
}

#[tokio::test]
async fn replays_an_answer_unchanged() {
    let (gateway, _) = start().await;
    let request = r#"{"statement":"CONFLICT 2","retry":{"initialRetryDelay":0.001}}"#;
    for (number, accept) in [
        "application/json",
        "application/jsonl",
        "application/vnd.neo4j.query",
        "application/vnd.neo4j.query.v1.0+jsonl",
    ]
    .into_iter()
    .enumerate()
    {
        // Each text counts its conflicts for itself.
        let request = request.replace("CONFLICT 2", &format!("CONFLICT 2 /* {number} */"));
        let headers = [JSON, ("Idempotency-Key", accept), ("Accept", accept)];
        let first = gateway.send("POST", PATH, &headers, &request).await;
        assert_eq!((first.status, first.header("Boltgate-Attempts")), (202, Some("3")), "{first}");
        let again = gateway.send("POST", PATH, &headers, &request).await;
        assert!(is_replay(&again) && again.status == 202 && again.body == first.body, "{again}");
        for header in ["Content-Type", "Boltgate-Attempts", "Content-Length"] {
            assert_eq!(again.header(header), first.header(header), "{header}");
        }
        assert_ne!(again.header("X-Request-Id"), first.header("X-Request-Id"), "it is a request of its own");
    }
}

#[tokio::test]
async fn says_whether_a_rejected_key_is_retryable() {
    let (gateway, control) = start().await;
    let slow = r#"{"statement":"SLEEP 600000"}"#;
    let mut first = Connection::open(gateway.address()).await;
    let headers = [JSON, ("Idempotency-Key", "k"), ("Boltgate-Statuses", "precise")];
    first.request("POST", PATH, &headers, slow).await;
    control.wait_for("the statement", |counts| counts.running == 1).await;
    let busy = gateway.send("POST", PATH, &headers, slow).await;
    let error = |response| body(response)["errors"][0].clone();
    assert_eq!((busy.status, busy.header("Retry-After"), &error(&busy)["retryable"]), (409, Some("1"), &json!(true)));
    // Another request is told so although the first is still at work.
    let other = gateway.send("POST", PATH, &headers, r#"{"statement":"ADD a 1"}"#).await;
    assert_eq!((other.status, &error(&other)["retryable"]), (422, &json!(false)), "{other}");
    let running = gateway.send("GET", &format!("{PATH}/running"), &[], "").await;
    let id = body(&running)["running"][0]["id"].as_str().expect("it runs").to_owned();
    assert_eq!(gateway.send("DELETE", &format!("{PATH}/running/{id}"), &[], "").await.status, 200);
    let cancelled = first.answer().await;
    assert_eq!(code(&cancelled), "Neo.ClientError.Transaction.Terminated", "{cancelled}");
    let again = gateway.send("POST", PATH, &headers, slow).await;
    assert!(is_replay(&again) && again.body == cancelled.body, "what was ended on purpose is not begun again: {again}");
    assert_eq!(control.count("RUN"), 1);
}
