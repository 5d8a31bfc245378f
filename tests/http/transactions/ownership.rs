//! Who may use a transaction, and when.

use std::collections::BTreeSet;

use serde_json::json;

use super::{TX, commit, gateway, is_gone, is_gone_because, reading, run, until_none_is_open};
use crate::support::{
    http::Connection,
    query::{begin, body, count, refused, transaction_id, values},
};

const ALICE: (&str, &str) = ("Authorization", "Basic YWxpY2U6d29uZGVybGFuZA==");
const BOB: (&str, &str) = ("Authorization", "Basic Ym9iOmJ1aWxkZXI=");
const JSON: (&str, &str) = ("Content-Type", "application/json");
const ONE: &str = r#"{"statement":"RETURN 1 AS a"}"#;

#[tokio::test]
async fn returns_unguessable_handles_of_32_hexadecimal_digits() {
    let gateway = gateway().await;
    let mut handles = BTreeSet::new();
    for _ in 0..30 {
        let response = gateway.post(TX, &reading().to_string()).await;
        let handle = transaction_id(&response);
        assert!(handle.len() == 32 && handle.bytes().all(|byte| b"0123456789abcdef".contains(&byte)), "{handle}");
        assert!(handles.insert(handle.clone()), "{handle} came twice");
        commit(&gateway, &format!("{TX}/{handle}")).await;
    }
    // No digit is the same in all of them: not at the start, as in a counter, and nowhere else.
    for place in 0..32 {
        let digits: BTreeSet<u8> = handles.iter().map(|handle| handle.as_bytes()[place]).collect();
        assert!(digits.len() > 1, "digit {place} never changes: {handles:?}");
    }
}

#[tokio::test]
async fn returns_404_for_an_unknown_handle() {
    let gateway = gateway().await;
    for id in ["0", "commit", "0123456789abcdef0123456789abcdef", "x'y"] {
        is_gone(&gateway, &format!("{TX}/{id}")).await;
    }
}

#[tokio::test]
async fn returns_404_for_a_finished_transaction() {
    let gateway = gateway().await;
    let (committed, rolled_back) = (begin(&gateway, &reading()).await, begin(&gateway, &reading()).await);
    commit(&gateway, &committed).await;
    gateway.send("DELETE", &rolled_back, &[], "").await;
    is_gone(&gateway, &committed).await;
    is_gone(&gateway, &rolled_back).await;
}

#[tokio::test]
async fn returns_404_to_other_callers() {
    let gateway = gateway().await;
    let response = gateway.send("POST", TX, &[JSON, ALICE], r#"{"statement":"CREATE (:A)"}"#).await;
    let path = format!("{TX}/{}", transaction_id(&response));
    let end = format!("{path}/commit");
    let bearer = ("Authorization", "Bearer YWxpY2U6d29uZGVybGFuZA==");
    let realm = ("Realm", "elsewhere");
    for stranger in [&[JSON][..], &[JSON, BOB], &[JSON, bearer], &[JSON, ALICE, realm]] {
        for (method, path) in [("POST", &path), ("POST", &end), ("DELETE", &path)] {
            let refused = refused(&gateway.send(method, path, stranger, "{}").await);
            assert_eq!(refused.status, 404, "{method} {path} {stranger:?}");
        }
    }
    assert_eq!(gateway.send("POST", &end, &[JSON, ALICE], "{}").await.status, 202, "its owner still has it");
    assert_eq!(count(&gateway, "A").await, 1);
}

#[tokio::test]
async fn returns_404_under_another_database() {
    let gateway = gateway().await;
    let path = begin(&gateway, &json!({ "statement": "CREATE (:A)" })).await;
    for other in ["NEO4J", "system", "nope"] {
        is_gone(&gateway, &path.replace("/neo4j/", &format!("/{other}/"))).await;
    }
    assert_eq!(commit(&gateway, &path).await.status, 202);
    assert_eq!(count(&gateway, "A").await, 1);
}

/// A statement whose answer is far longer than what lies between the gateway and a client that does not read.
fn long() -> String {
    let text = "x".repeat(10_000);
    json!({ "statement": "UNWIND range(1, 4000) AS i RETURN i, $t AS t", "parameters": { "t": text } }).to_string()
}

#[tokio::test]
async fn rejects_concurrent_requests_to_one_transaction() {
    let gateway = gateway().await;
    let path = begin(&gateway, &json!({ "statement": "CREATE (:A)" })).await;
    let mut reader = Connection::open(gateway.address()).await;
    reader.post(&path, &long()).await;
    // The head is there, the end of the answer is not: the statement still runs.
    let head = reader.head().await;
    assert_eq!(head.status, 202);

    let end = format!("{path}/commit");
    for (method, path, body) in [("POST", &path, ONE), ("POST", &path, "{}"), ("POST", &end, ""), ("DELETE", &path, "")]
    {
        let refused = refused(&gateway.send(method, path, &[JSON], body).await);
        let code = "Neo.ClientError.Transaction.TransactionAccessedConcurrently";
        assert_eq!((refused.status, refused.code.as_str()), (400, code), "{method} {path}");
        assert_eq!(refused.message, "Another request is currently accessing this transaction.");
    }

    let response = reader.rest(head).await;
    assert_eq!(values(&response).as_array().map(Vec::len), Some(4000), "the first request is not disturbed");
    assert!(body(&response)["transaction"]["id"].is_string());
    assert_eq!(values(&run(&gateway, &path, "RETURN 1 AS a").await), json!([[1]]));
    assert_eq!(commit(&gateway, &path).await.status, 202);
    assert_eq!(count(&gateway, "A").await, 1);
}

#[tokio::test]
async fn rolls_back_when_the_client_disconnects() {
    let gateway = gateway().await;
    let path = begin(&gateway, &json!({ "statement": "CREATE (:A)" })).await;
    let mut reader = Connection::open(gateway.address()).await;
    reader.post(&path, &long()).await;
    assert_eq!(reader.head().await.status, 202);
    drop(reader);
    until_none_is_open(&gateway).await;
    let because = "It was rolled back because the request that was using it was interrupted: its client disconnected, \
                   its time limit passed, or it was cancelled.";
    is_gone_because(&gateway, &path, because).await;
    assert_eq!(count(&gateway, "A").await, 0);
    // The turn to write is free again.
    assert_eq!(gateway.query("CREATE (:B)").await.status, 202);
}
