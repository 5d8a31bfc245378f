//! How a socket begins, and who gets one.

use axum::http::Request;

use super::{ON, ask, asking, frame, open, start};
use crate::support::{
    gateway::{Gateway, start_for_with},
    http::{self, Connection},
    http2,
    query::{Refused, refused},
};

const CROSS_ORIGIN: &str = "Boltgate.ClientError.Request.CrossOrigin";

/// Asks for a WebSocket that is refused.
async fn refusal(gateway: &Gateway, headers: &[(&str, &str)]) -> (http::Response, Refused) {
    let (mut connection, head) = ask(gateway, "/", headers).await;
    let answer = connection.rest(head).await;
    let refused = refused(&answer);
    (answer, refused)
}

#[tokio::test]
async fn both_addresses_open_a_socket() {
    let gateway = start(&[]).await;
    for path in ["/", "/bolt"] {
        let extensions = ("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits");
        let (_, head) = ask(&gateway, path, &[extensions]).await;
        assert_eq!(head.status, 101, "{head}");
        // The example of the standard.
        assert_eq!(head.header("Sec-WebSocket-Accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        assert_eq!(head.header("Upgrade"), Some("websocket"));
        assert!(head.header("Connection").is_some_and(|value| value.eq_ignore_ascii_case("upgrade")), "{head}");
        for absent in ["Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions", "Content-Encoding", "Content-Length"] {
            assert_eq!(head.header(absent), None, "{head}");
        }
        assert!(head.header("X-Request-Id").is_some());
    }
}

#[tokio::test]
async fn the_subprotocol_binary_is_agreed_to() {
    let gateway = start(&[]).await;
    for (offered, agreed) in [("binary", Some("binary")), ("bolt, binary", Some("binary")), ("bolt", None)] {
        let (_, head) = ask(&gateway, "/", &[("Sec-WebSocket-Protocol", offered)]).await;
        assert_eq!((head.status, head.header("Sec-WebSocket-Protocol")), (101, agreed), "{offered}");
    }
}

#[tokio::test]
async fn off_by_default_it_is_an_ordinary_get() {
    let gateway = start(&[("websocket.enabled", "false")]).await;
    for origin in [&[][..], &[("Origin", "http://evil.example")]] {
        for (path, status) in [("/", 200), ("/bolt", 404)] {
            let (_, head) = ask(&gateway, path, origin).await;
            assert_eq!(head.status, status, "{path}: {head}");
        }
    }
}

#[tokio::test]
async fn what_is_no_upgrade_is_an_ordinary_get() {
    let gateway = start(&[]).await;
    for headers in [&[("Upgrade", "")][..], &[("Upgrade", "h2c")], &[("Connection", "keep-alive")]] {
        for (path, status) in [("/", 200), ("/bolt", 426)] {
            let (_, head) = ask(&gateway, path, headers).await;
            assert_eq!(head.status, status, "{path} {headers:?}: {head}");
            if status == 426 {
                assert_eq!(head.header("Upgrade"), Some("websocket"), "{head}");
            }
        }
    }
    let mut requests = http2::connect(gateway.address()).await;
    let head = Request::get(format!("http://{}/", gateway.address())).body(()).expect("the head is good");
    assert_eq!(http2::send(&mut requests, head, "").await.expect("it is answered").status(), 200);
    let response = gateway.send("POST", "/bolt", &[], "").await;
    assert_eq!((response.status, response.header("Allow")), (405, Some("HEAD,GET,OPTIONS")));
}

#[tokio::test]
async fn a_faulty_request_is_told_what_is_wrong() {
    let gateway = start(&[]).await;
    let (answer, refused) = refusal(&gateway, &[("Sec-WebSocket-Version", "8")]).await;
    assert_eq!((refused.status, answer.header("Sec-WebSocket-Version")), (426, Some("13")), "{answer}");
    for (headers, named) in [
        (("Sec-WebSocket-Key", ""), "Sec-WebSocket-Key"),
        (("Sec-WebSocket-Key", "c2hvcnQ="), "Sec-WebSocket-Key"),
        (("Content-Length", "1"), "body"),
        (("Transfer-Encoding", "chunked"), "body"),
    ] {
        let mut connection = Connection::open(gateway.address()).await;
        connection.send(asking(&gateway, "/", &[headers]).as_bytes()).await;
        let head = connection.head().await;
        assert_eq!(head.status, 400, "{headers:?}: {head}");
        if headers.0 == "Sec-WebSocket-Key" {
            let answer = connection.rest(head).await;
            assert!(crate::support::query::refused(&answer).message.contains(named), "{answer}");
        }
    }
}

#[tokio::test]
async fn only_pages_of_known_origins_get_one() {
    let gateway =
        start(&[("cors.allowed_origins", "https://app.example"), ("server.allowed_hosts", "a.example")]).await;
    const HOST: (&str, &str) = ("Host", "a.example:7474");
    for origin in ["http://a.example:7474", "http://A.EXAMPLE:7474", "https://app.example"] {
        let (_, head) = ask(&gateway, "/", &[HOST, ("Origin", origin)]).await;
        assert_eq!(head.status, 101, "{origin}: {head}");
    }
    // What is no browser says no origin.
    assert_eq!(ask(&gateway, "/", &[HOST]).await.1.status, 101);
    for origins in [
        &["http://evil.example"][..],
        &["null"],
        &["http://a.example"],
        &["http://app.example"],
        &["http://a.example:7474.evil.example"],
        &["http://a.example:7474", "http://evil.example"],
        &["http://evil.example", "http://a.example:7474"],
    ] {
        let headers: Vec<_> = [HOST].into_iter().chain(origins.iter().map(|origin| ("Origin", *origin))).collect();
        let (answer, refused) = refusal(&gateway, &headers).await;
        assert_eq!((refused.status, refused.code.as_str()), (403, CROSS_ORIGIN), "{origins:?}: {answer}");
    }
    // A browser that says more does not make an origin known.
    let (_, refused) =
        refusal(&gateway, &[HOST, ("Origin", "http://evil.example"), ("Sec-Fetch-Site", "same-origin")]).await;
    assert_eq!(refused.code, CROSS_ORIGIN);
    let (_, refused) = refusal(&gateway, &[("Host", "evil.example"), ("Origin", "http://evil.example")]).await;
    assert_eq!(refused.status, 421);
}

#[tokio::test]
async fn a_star_does_not_stand_for_pages_without_an_origin() {
    let gateway = start(&[("cors.allowed_origins", "*")]).await;
    assert_eq!(ask(&gateway, "/", &[("Origin", "https://any.example")]).await.1.status, 101);
    assert_eq!(refusal(&gateway, &[("Origin", "null")]).await.1.code, CROSS_ORIGIN);
}

#[tokio::test]
async fn one_too_many_is_refused_before_its_upgrade() {
    let gateway = start(&[("websocket.max_connections", "2")]).await;
    let (mut first, _second) = (open(&gateway).await, open(&gateway).await);
    let (answer, refused) = refusal(&gateway, &[]).await;
    assert_eq!((refused.status, refused.code.as_str()), (503, "Boltgate.TransientError.Limit.WebSockets"));
    assert!(refused.message.contains("websocket.max_connections = 2"), "{answer}");
    assert!(answer.header("Retry-After").is_some(), "{answer}");
    first.send(&frame(0x88, b"")).await;
    first.orderly_end().await;
    // The place is free once the gateway has noticed, which the client cannot know.
    loop {
        let (_, head) = ask(&gateway, "/", &[]).await;
        if head.status == 101 {
            break;
        }
        assert_eq!(head.status, 503, "{head}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn none_is_opened_once_the_gateway_is_about_to_stop() {
    let gateway = start(&[]).await;
    gateway.engine().drain().begin();
    assert_eq!(refusal(&gateway, &[]).await.1.status, 503);
}

#[tokio::test]
async fn a_database_that_is_down_is_told_inside() {
    // Nobody listens at port 1.
    let gateway = start_for_with("bolt://127.0.0.1:1", &[ON]).await;
    assert_eq!(super::exchange(&gateway, &frame(0x82, b"\x60\x60\xb0\x17")).await.code(), Some(1011));
}
