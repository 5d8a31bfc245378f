//! The admin listener answers when the threads that serve clients do not.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use serde_json::json;

use crate::admin::{BEARER, PATIENCE, Stand};

/// Asks in a way that blocks the thread, which is the one that serves clients in these tests.
fn ask(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let (name, value) = BEARER;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: h\r\n{name}: {value}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test]
async fn answers_while_the_worker_computes() {
    let stand = Stand::neo4j(&[]).await;
    let address = stand.gateway.admin_address();
    stand.begin(&json!({})).await;
    for path in ["/live", "/ready", "/metrics", "/pools", "/transactions", "/config", "/log"] {
        assert!(ask(&address, path).starts_with("HTTP/1.1 200 "), "{path}");
    }
}

#[tokio::test]
async fn is_open_to_operators_though_others_say_nothing() {
    let stand = Stand::neo4j(&[]).await;
    let address = stand.gateway.admin_address();
    let idle: Vec<_> = (0..40).map(|_| TcpStream::connect(&address).unwrap()).collect();
    // It waits behind the silent ones, until those are closed.
    assert!(ask(&address, "/live").starts_with("HTTP/1.1 200 "));
    for mut stream in idle.into_iter().take(8) {
        stream.set_read_timeout(Some(PATIENCE + Duration::from_secs(1))).unwrap();
        assert_eq!(stream.read(&mut [0; 1]).unwrap_or_default(), 0);
    }
}
