//! The ways in which a request may come over HTTP/1.

use std::collections::BTreeSet;

use serde_json::json;

use super::gateway;
use crate::support::{
    http::{self, Connection},
    query::{refused, values, works},
};

const PATH: &str = "/db/neo4j/query/v2";

#[tokio::test]
async fn serves_good_and_bad_requests_on_one_connection() {
    let gateway = gateway().await;
    let mut connection = Connection::open(gateway.address()).await;
    for number in 0..20 {
        connection.post(PATH, &json!({ "statement": format!("RETURN {number} AS n") }).to_string()).await;
        assert_eq!(values(&connection.answer().await), json!([[number]]));
        let (path, body, status) = [
            (PATH, r#"{"statement":"RETURN x"}"#, 400),
            ("/db/neo4j/nothing", "{}", 404),
            (PATH, "{", 400),
            ("/", "{}", 405),
            ("/db/nope/query/v2", r#"{"statement":"RETURN 1"}"#, 404),
        ][number % 5];
        connection.post(path, body).await;
        assert_eq!(refused(&connection.answer().await).status, status, "{path}");
    }
}

#[tokio::test]
async fn answers_pipelined_requests_in_order() {
    let gateway = gateway().await;
    let mut connection = Connection::open(gateway.address()).await;
    for number in 0..5 {
        connection.post(PATH, &json!({ "statement": format!("RETURN {number} AS n") }).to_string()).await;
    }
    for number in 0..5 {
        assert_eq!(values(&connection.answer().await), json!([[number]]));
    }
}

#[tokio::test]
async fn closes_the_connection_on_request() {
    let gateway = gateway().await;
    let mut connection = Connection::open(gateway.address()).await;
    connection.request("GET", "/", &[], "").await;
    assert_eq!(connection.answer().await.status, 200);
    connection.send(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    let rest = connection.end().await;
    assert!(rest.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&rest));
}

#[tokio::test]
async fn answers_expect_continue_before_the_body() {
    let gateway = gateway().await;
    let mut connection = Connection::open(gateway.address()).await;
    let body = br#"{"statement":"RETURN 1 AS a"}"#;
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    connection.send(head.as_bytes()).await;
    assert_eq!(connection.head().await.status, 100);
    connection.send(body).await;
    assert_eq!(values(&connection.answer().await), json!([[1]]));
}

#[tokio::test]
async fn accepts_chunked_bodies() {
    let gateway = gateway().await;
    let mut connection = Connection::open(gateway.address()).await;
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    // With an extension, a break inside of a string, and a trailer.
    for piece in [&head, "5;a=b\r\n{\"sta\r\n", "18\r\ntement\":\"RETURN 1 AS a\"}\r\n", "0\r\nX-Trailer: y\r\n\r\n"] {
        connection.send(piece.as_bytes()).await;
    }
    assert_eq!(values(&connection.answer().await), json!([[1]]));
    // The connection is where it should be.
    connection.post(PATH, r#"{"statement":"RETURN 2 AS a"}"#).await;
    assert_eq!(values(&connection.answer().await), json!([[2]]));
}

#[tokio::test]
async fn serves_http_1_0_clients() {
    let gateway = gateway().await;
    let body = r#"{"statement":"UNWIND range(1, 5000) AS i RETURN i"}"#;
    let request = format!(
        "POST {PATH} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let response = http::exchange(gateway.address(), request.as_bytes(), false).await.unwrap();
    assert_eq!(response.header("Transfer-Encoding"), None, "HTTP/1.0 knows no chunks");
    assert_eq!(values(&response).as_array().map(Vec::len), Some(5000));
}

#[tokio::test]
async fn ignores_an_upgrade_to_http_2() {
    let gateway = gateway().await;
    let headers = [
        ("Connection", "Upgrade, HTTP2-Settings"),
        ("Upgrade", "h2c"),
        ("HTTP2-Settings", "AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA"),
        ("Content-Type", "application/json"),
    ];
    let response = gateway.send("POST", PATH, &headers, r#"{"statement":"RETURN 1 AS a"}"#).await;
    assert_eq!(values(&response), json!([[1]]));
    assert_eq!(response.header("Upgrade"), None);
    works(&gateway).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_thirty_concurrent_requests_separately() {
    let gateway = gateway().await;
    let requests = (0..30).map(|number| {
        let address = gateway.address().to_owned();
        let body = json!({ "statement": "RETURN $n AS n", "parameters": { "n": number } }).to_string();
        let headers = [("Content-Type", "application/json")];
        tokio::spawn(async move {
            let response = http::request(&address, "POST", PATH, &headers, body.as_bytes()).await;
            assert_eq!(values(&response), json!([[number]]));
            response.header("X-Request-Id").expect("every answer has an id").to_owned()
        })
    });
    let mut ids = BTreeSet::new();
    for request in requests.collect::<Vec<_>>() {
        ids.insert(request.await.expect("it was answered"));
    }
    assert_eq!(ids.len(), 30, "every request has an id of its own");
}

#[tokio::test]
async fn returns_the_request_id_of_the_client() {
    let gateway = gateway().await;
    let response = gateway.send("GET", "/", &[("X-Request-Id", "order-66")], "").await;
    assert_eq!(response.header("X-Request-Id"), Some("order-66"));
}
