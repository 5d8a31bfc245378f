//! Clients that take their time.

use super::{PATH, PLAIN, says};
use crate::support::{
    gateway::start_embedded,
    http::Connection,
    query::{refused, values, works},
};

#[tokio::test]
async fn cuts_off_an_incomplete_head() {
    // Long enough for a whole request to arrive in time.
    let gateway = start_embedded(&[("server.header_timeout", "5s")]).await;
    let mut connections = Vec::new();
    for start in ["", "P", "POST /db/neo4j/query/v2 HTTP/1.1\r\nHost: localhost\r\nX-Slow: "] {
        let mut connection = Connection::open(gateway.address()).await;
        connection.send(start.as_bytes()).await;
        connections.push(connection);
    }
    for connection in connections {
        let said = connection.end().await;
        assert!(said.is_empty() || said.starts_with(b"HTTP/1.1 408"), "{:?}", String::from_utf8_lossy(&said));
        works(&gateway).await;
    }
}

#[tokio::test]
async fn cuts_off_an_incomplete_body() {
    let gateway = start_embedded(&[("server.body_timeout", "300ms")]).await;
    for framing in ["Content-Length: 100\r\n\r\n{\"statement\"", "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"sta\r\n"] {
        let mut connection = Connection::open(gateway.address()).await;
        let start = format!("POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {PLAIN}\r\n{framing}");
        connection.send(start.as_bytes()).await;
        let message = "The request body did not arrive within 300ms (server.body_timeout).";
        says(&refused(&connection.answer().await), 408, message);
        works(&gateway).await;
    }
}

#[tokio::test]
async fn accepts_a_request_byte_by_byte() {
    let gateway = start_embedded(&[]).await;
    let mut connection = Connection::open(gateway.address()).await;
    let body = r#"{"statement":"RETURN 1 AS a"}"#;
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {PLAIN}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    for byte in head.bytes().chain(body.bytes()) {
        connection.send(&[byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(values(&connection.answer().await), serde_json::json!([[1]]));
}
