//! How sockets end, and what operators see of it.

use super::{Gateway, Heard, ON, exchange, frame, open, start};
use crate::support::{gateway::start_memory, http::Connection};

const BINARY: u8 = 0x82;

/// A socket over which the database has answered.
async fn busy(gateway: &Gateway) -> Connection {
    let mut connection = open(gateway).await;
    connection.send(&frame(BINARY, b"hello")).await;
    connection.wait_until(|bytes| Heard::so_far(bytes).0.data == b"hello").await;
    connection
}

/// The code with which the gateway ends a socket.
async fn code(connection: Connection) -> Option<u16> {
    let heard = Heard::of(&connection.orderly_end().await);
    assert_eq!(heard.data, b"hello");
    heard.code()
}

#[tokio::test]
async fn the_databases_end_is_the_sockets() {
    let gateway = start(&[]).await;
    assert_eq!(exchange(&gateway, &frame(BINARY, b"end")).await.code(), Some(1000));
}

#[tokio::test]
async fn idleness_ends_it() {
    let gateway = start(&[("websocket.idle_timeout", "50ms")]).await;
    let heard = exchange(&gateway, &frame(BINARY, b"hello")).await;
    let (code, reason) = heard.close.expect("is told");
    assert!(code == 1001 && reason.contains("websocket.idle_timeout"), "{code} {reason}");
}

#[tokio::test]
async fn a_stop_ends_it_at_the_end_of_its_time() {
    let gateway = start(&[("server.shutdown_timeout", "50ms")]).await;
    let connection = busy(&gateway).await;
    let (code, ()) = tokio::join!(code(connection), gateway.shutdown());
    assert_eq!(code, Some(1001));
}

#[tokio::test]
async fn settings_that_turn_it_off_end_it() {
    let gateway = start(&[]).await;
    let connection = busy(&gateway).await;
    gateway.reload(&[("websocket.enabled", "true"), ("websocket.idle_timeout", "1m")]);
    let still_open = busy(&gateway).await;
    gateway.reload(&[("websocket.enabled", "false")]);
    assert_eq!((code(connection).await, code(still_open).await), (Some(1001), Some(1001)));
}

#[tokio::test]
async fn operators_see_how_many_are_open_and_why_they_ended() {
    let changes = [ON, ("admin.listen", "127.0.0.1:0"), ("websocket.max_connections", "1")];
    let gateway = start_memory(super::echo, &changes).await;
    let mut connection = busy(&gateway).await;
    assert_eq!(gateway.metrics().await.value("boltgate_websockets", &[]), 1.0);
    let (_, refused) = super::ask(&gateway, "/", &[]).await;
    assert_eq!(refused.status, 503);
    connection.send(&frame(0x88, b"")).await;
    connection.orderly_end().await;
    let metrics = loop {
        let metrics = gateway.metrics().await;
        if metrics.value("boltgate_websockets", &[]) == 0.0 {
            break metrics;
        }
        tokio::task::yield_now().await;
    };
    for (name, labels, value) in [
        ("boltgate_websockets_closed_total", &[("reason", "done")][..], 1.0),
        ("boltgate_websocket_received_bytes_total", &[], 5.0),
        ("boltgate_websocket_sent_bytes_total", &[], 5.0),
        ("boltgate_requests_refused_total", &[("reason", "websockets")], 1.0),
    ] {
        assert_eq!(metrics.value(name, labels), value, "{name}");
    }
}
