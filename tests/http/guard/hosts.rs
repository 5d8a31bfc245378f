//! The name that a request asks for. A page whose name was made to point at this machine (DNS rebinding) is of the same
//! origin to its browser; only the name tells.

use axum::http::{Method, Request};
use bytes::Bytes;
use h2::client::{self, SendRequest};
use tokio::net::TcpStream;

use super::{HOST_NOT_ALLOWED, PATH, PLAIN, ROUTES, is_refused, open, open_transaction};
use crate::support::{
    gateway::{Gateway, start_embedded},
    http::{Response, exchange},
    process::Process,
    query::{refused, works},
};

async fn asked_as(gateway: &Gateway, host: &str) -> Response {
    gateway.send("GET", "/", &[("Host", host)], "").await
}

#[tokio::test]
async fn rejects_foreign_names_on_loopback() {
    let gateway = start_embedded(&[("auth.anonymous", "refuse")]).await;
    for (method, path) in ROUTES {
        // Not even that its credentials are nonsense.
        let headers = [("Host", "evil.example:7474"), ("Authorization", "nonsense"), ("Content-Type", PLAIN)];
        let response = gateway.send(method, path, &headers, "").await;
        assert!(is_refused(&response, 421, HOST_NOT_ALLOWED), "{method} {path}: {response}");
    }
    let told = refused(&asked_as(&gateway, "evil.example").await);
    assert!(told.message.contains("\"evil.example\"") && told.message.contains("server.allowed_hosts"), "{told:?}");
}

#[tokio::test]
async fn rejects_a_transaction_from_a_rebound_page() {
    let gateway = start_embedded(&[]).await;
    let page = [("Host", "evil.example"), ("Origin", "http://evil.example"), ("Sec-Fetch-Site", "same-origin")];
    assert!(is_refused(&open_transaction(&gateway, &page).await, 421, HOST_NOT_ALLOWED));
    assert_eq!(open(&gateway), 0);
    works(&gateway).await;
}

#[tokio::test]
async fn accepts_local_names_and_addresses_on_loopback() {
    let gateway = start_embedded(&[]).await;
    for host in ["localhost", "LocalHost:7474", "app.localhost", "127.0.0.1:1", "[::1]:7474", "10.0.0.7"] {
        assert_eq!(asked_as(&gateway, host).await.status, 200, "{host}");
    }
    for host in ["localhost.evil.example", "graph.example", "boltgate"] {
        assert_eq!(asked_as(&gateway, host).await.status, 421, "{host}");
    }
}

#[tokio::test]
async fn accepts_any_name_beyond_loopback() {
    let gateway = start_embedded(&[("server.listen", "0.0.0.0:0")]).await;
    for host in ["localhost", "graph.example:7474", "10.0.0.7"] {
        assert_eq!(asked_as(&gateway, host).await.status, 200, "{host}");
    }
}

#[tokio::test]
async fn accepts_only_listed_names_when_configured() {
    for listen in ["127.0.0.1:0", "0.0.0.0:0"] {
        let listed = "graph.example, *.db.example, 10.0.0.7";
        let gateway = start_embedded(&[("server.listen", listen), ("server.allowed_hosts", listed)]).await;
        for host in ["graph.example", "GRAPH.example:80", "a.b.db.example", "10.0.0.7:7474"] {
            assert_eq!(asked_as(&gateway, host).await.status, 200, "{host}");
        }
        for host in ["localhost", "127.0.0.1", "db.example", "evil-graph.example", "graph.example.evil"] {
            assert_eq!(asked_as(&gateway, host).await.status, 421, "{host}");
        }
    }
    let gateway = start_embedded(&[("server.allowed_hosts", "*")]).await;
    assert_eq!(asked_as(&gateway, "evil.example").await.status, 200);
}

#[tokio::test]
async fn requires_exactly_one_host() {
    let gateway = start_embedded(&[]).await;
    let status = async |head: &str| {
        let bytes = format!("{head}\r\nConnection: close\r\n\r\n");
        exchange(gateway.address(), bytes.as_bytes(), false).await.expect(head)
    };
    for head in [
        "GET / HTTP/1.1\r\nX: y",
        "GET / HTTP/1.1\r\nHost:",
        "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost",
        "GET / HTTP/1.1\r\nHost: localhost, localhost",
        "GET / HTTP/1.1\r\nHost: a b<>\"",
        "GET / HTTP/1.1\r\nHost: user@localhost",
        "GET / HTTP/1.1\r\nHost: localhost:x",
        "GET / HTTP/1.1\r\nHost: localhost:65536",
        "GET / HTTP/1.1\r\nHost: ::1",
        "GET http://evil.example/ HTTP/1.1\r\nHost: localhost",
        "GET http://localhost/ HTTP/1.1\r\nHost: evil.example",
        "GET http://localhost:81/ HTTP/1.1\r\nHost: localhost:80",
        "GET http://user@localhost/ HTTP/1.1\r\nHost: localhost",
        "GET http://localhost/ HTTP/1.1\r\nX: y",
        "OPTIONS / HTTP/1.1\r\nX: y",
        "GET / HTTP/1.0\r\nHost: localhost\r\nHost: localhost",
    ] {
        let response = status(head).await;
        assert!(is_refused(&response, 400, "Neo.ClientError.Request.Invalid"), "{head}: {response}");
        assert!(refused(&response).message.starts_with("Bad Request: "), "{response}");
    }
    for (head, expected) in [
        ("GET http://localhost/ HTTP/1.1\r\nHost: localhost:80", 200),
        ("GET http://LOCALHOST:7474/ HTTP/1.1\r\nHost: localhost:7474", 200),
        ("GET http://evil.example/ HTTP/1.1\r\nHost: evil.example", 421),
        // Older than the header.
        ("GET / HTTP/1.0\r\nX: y", 200),
        ("GET / HTTP/1.0\r\nHost: evil.example", 421),
    ] {
        assert_eq!(status(head).await.status, expected, "{head}");
    }
    works(&gateway).await;
}

/// The status of a request over HTTP/2.
async fn over_http2(gateway: &Gateway, target: &str, host: Option<&str>) -> u16 {
    let stream = TcpStream::connect(gateway.address()).await.expect("the gateway takes connections");
    let (requests, connection) = client::handshake(stream).await.expect("the gateway speaks HTTP/2");
    tokio::spawn(connection);
    let mut requests: SendRequest<Bytes> = requests.ready().await.expect("the connection is good for a request");
    let mut request = Request::builder().method(Method::GET).uri(target);
    if let Some(host) = host {
        request = request.header("host", host);
    }
    let (response, _) = requests.send_request(request.body(()).unwrap(), true).expect("a stream is free");
    response.await.expect("it is answered").status().as_u16()
}

#[tokio::test]
async fn treats_the_http_2_authority_as_the_host() {
    let gateway = start_embedded(&[]).await;
    assert_eq!(over_http2(&gateway, "http://localhost:7474/", None).await, 200);
    assert_eq!(over_http2(&gateway, "http://localhost:7474/", Some("localhost:7474")).await, 200);
    assert_eq!(over_http2(&gateway, "http://evil.example/", None).await, 421);
    assert_eq!(over_http2(&gateway, "http://localhost/", Some("evil.example")).await, 400);
}

#[tokio::test]
async fn logs_refused_hosts() {
    let process = Process::embedded(&[]);
    let headers = [("Host", "evil.example"), ("X-Request-Id", "rebound-1")];
    let response = crate::support::http::request(&process.address(), "POST", PATH, &headers, b"").await;
    assert_eq!((response.status, response.header("X-Request-Id")), (421, Some("rebound-1")));
    let line = process.wait_for_line("answered");
    assert!(line.contains("421") && line.contains("rebound-1"), "{line}");
}
