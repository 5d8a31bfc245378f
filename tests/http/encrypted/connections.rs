//! What is spoken over TLS.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::start;
use crate::support::{
    http::{Connection, request},
    http2,
    tls::{Authority, Client, Mounted, ask, rest},
};

#[tokio::test]
async fn serves_http_1_over_both_versions_of_tls() {
    let authority = Authority::new("ours");
    let gateway = start(&Mounted::new(&authority.certify()), &[]).await;
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let client = Client::trusting(&authority).version(version);
        let mut stream = client.connect(gateway.address()).await.unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(version.version));
        ask(&mut stream, "/").await.unwrap();
        let answer = rest(&mut stream).await.expect("it ends as TLS ends");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(answer.contains("\"https://localhost/db/"), "it calls itself by the scheme that was used: {answer}");
    }
}

#[tokio::test]
async fn chooses_the_protocol_by_alpn() {
    let authority = Authority::new("ours");
    let gateway = start(&Mounted::new(&authority.certify()), &[]).await;
    let client = Client::trusting(&authority);
    for (offered, chosen) in [
        (&["h2", "http/1.1"][..], Some("h2")),
        (&["http/1.1", "h2"], Some("h2")),
        (&["http/1.1"], Some("http/1.1")),
        (&[], None),
    ] {
        let stream = client.clone().offering(offered).connect(gateway.address()).await.unwrap();
        let alpn = stream.get_ref().1.alpn_protocol().map(String::from_utf8_lossy);
        assert_eq!(alpn.as_deref(), chosen, "{offered:?}");
    }
    assert!(client.clone().offering(&["spdy/1"]).connect(gateway.address()).await.is_err());

    let stream = client.offering(&["h2"]).connect(gateway.address()).await.unwrap();
    let (requests, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let mut requests = requests.ready().await.unwrap();
    for _ in 0..2 {
        let (status, _) = http2::query(&mut requests, "localhost", json!({ "statement": "RETURN 1" })).await;
        assert_eq!(status, 202);
    }
}

#[tokio::test]
async fn carries_large_bodies_both_ways() {
    let authority = Authority::new("ours");
    let gateway = start(&Mounted::new(&authority.certify()), &[]).await;
    let mut stream = Client::trusting(&authority).connect(gateway.address()).await.unwrap();
    let text = "x".repeat(3_000_000);
    let body = json!({ "statement": "RETURN $t AS t", "parameters": { "t": text } }).to_string();
    let head = format!(
        "POST /db/neo4j/query/v2 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    let answer = rest(&mut stream).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 202 ") && answer.len() > text.len(), "{}", answer.len());
}

#[tokio::test]
async fn answers_a_client_that_closes_its_sending_half() {
    let authority = Authority::new("ours");
    let gateway = start(&Mounted::new(&authority.certify()), &[]).await;
    let mut stream = Client::trusting(&authority).connect(gateway.address()).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    stream.shutdown().await.unwrap();
    let answer = rest(&mut stream).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn tells_a_client_without_tls_what_is_wrong() {
    let authority = Authority::new("ours");
    let gateway = start(&Mounted::new(&authority.certify()), &[]).await;
    let answer = request(gateway.address(), "GET", "/", &[], b"").await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("https://"), "{answer}");
    // What is neither gets nothing, and harms nobody.
    let mut garbage = Connection::open(gateway.address()).await;
    garbage.send(&[0, 1, 2, 3]).await;
    assert_eq!(garbage.end().await, b"");
    assert!(Client::trusting(&authority).get(gateway.address(), "/").await.is_ok());
}

#[tokio::test]
async fn does_not_let_clients_that_say_nothing_take_the_place_of_others() {
    let authority = Authority::new("ours");
    let settings = [("server.tls.handshake_timeout", "3s"), ("server.max_connections", "2")];
    let gateway = start(&Mounted::new(&authority.certify()), &settings).await;
    let mut silent = Vec::new();
    for _ in 0..4 {
        silent.push(Connection::open(gateway.address()).await);
    }
    // They count, so this one waits until they were given up.
    let mut stream = Client::trusting(&authority).connect(gateway.address()).await.unwrap();
    ask(&mut stream, "/").await.unwrap();
    assert!(rest(&mut stream).await.unwrap().starts_with("HTTP/1.1 200 "));
    for connection in silent {
        assert_eq!(connection.end().await, b"");
    }
    let mut rest = [0];
    assert_eq!(stream.read(&mut rest).await.unwrap(), 0);
}
