//! More than is allowed.

use super::{PATH, PLAIN, complaint, gateway, post, says};
use crate::support::{
    gateway::start_embedded,
    http::Connection,
    query::{refused, values, works},
};

/// Lists nested `depth` levels deep.
fn nested(depth: usize) -> String {
    let (open, close) = ("[".repeat(depth), "]".repeat(depth));
    format!(r#"{{"statement":"RETURN 1 AS a","parameters":{{"p":{open}{close}}}}}"#)
}

#[tokio::test]
async fn rejects_nesting_beyond_the_limit() {
    let gateway = start_embedded(&[("limits.depth", "10")]).await;
    // The body and its parameters are two.
    assert_eq!(post(&gateway, PLAIN, nested(8).as_bytes()).await.status, 202);
    let message = complaint(&gateway, PLAIN, nested(9)).await;
    assert!(message.contains("10"), "{message}");
}

#[tokio::test]
async fn rejects_endless_nesting_safely() {
    let gateway = gateway().await;
    for depth in [1_000, 1_000_000] {
        complaint(&gateway, PLAIN, nested(depth)).await;
        let open = r#"{"a":"#.repeat(depth);
        complaint(&gateway, PLAIN, format!(r#"{{"parameters":{open}"#)).await;
    }
}

#[tokio::test]
async fn rejects_a_statement_beyond_its_limit() {
    let gateway = start_embedded(&[("limits.statement", "1KiB")]).await;
    let statement = |length: usize| format!("RETURN 1 AS a {}", " ".repeat(length - 14));
    assert_eq!(values(&gateway.query(&statement(1024)).await), serde_json::json!([[1]]));
    let body = serde_json::json!({ "statement": statement(1025) }).to_string();
    let message = complaint(&gateway, PLAIN, body).await;
    assert!(message.contains("1025 bytes") && message.contains("limits.statement allows 1024"), "{message}");
}

const TOO_LONG: &str = "The request body is longer than 4096 bytes (limits.body).";

#[tokio::test]
async fn rejects_a_body_beyond_its_limit() {
    let gateway = start_embedded(&[("limits.body", "4KiB")]).await;
    let body = |length: usize| {
        let start = r#"{"statement":"RETURN 1 AS a"}"#;
        format!("{start}{}", " ".repeat(length - start.len()))
    };
    assert_eq!(values(&post(&gateway, PLAIN, body(4096).as_bytes()).await), serde_json::json!([[1]]));
    for length in [4097, 4 << 20] {
        says(&refused(&post(&gateway, PLAIN, body(length).as_bytes()).await), 413, TOO_LONG);
        works(&gateway).await;
    }
}

#[tokio::test]
async fn rejects_a_chunked_body_beyond_its_limit() {
    let gateway = start_embedded(&[("limits.body", "4KiB")]).await;
    let mut connection = Connection::open(gateway.address()).await;
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {PLAIN}\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    connection.send(head.as_bytes()).await;
    let chunk = format!("400\r\n{}\r\n", " ".repeat(0x400));
    for _ in 0..5 {
        connection.send(chunk.as_bytes()).await;
    }
    // It is refused before it ends: this one never does.
    says(&refused(&connection.answer().await), 413, TOO_LONG);
    works(&gateway).await;
}

#[tokio::test]
async fn rejects_a_too_large_content_length_before_the_body() {
    let gateway = start_embedded(&[("limits.body", "4KiB")]).await;
    let mut connection = Connection::open(gateway.address()).await;
    let head =
        format!("POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {PLAIN}\r\nContent-Length: 1000000\r\n\r\n");
    connection.send(head.as_bytes()).await;
    says(&refused(&connection.answer().await), 413, TOO_LONG);
    works(&gateway).await;
}
