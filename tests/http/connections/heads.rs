//! The size of a head: 64 KiB and 200 lines, on HTTP/1.1 and HTTP/2 alike.

use axum::http::Request;
use serde_json::json;

use super::{GOOD, PATH};
use crate::support::{
    gateway::{Gateway, start_embedded},
    http::Connection,
    http2,
    query::{values, works},
};

const LONGEST: usize = 64 * 1024;
const MOST_LINES: usize = 200;

/// A head of exactly this number of bytes.
fn of_length(length: usize) -> String {
    let head = |padding: usize| {
        let padding = "x".repeat(padding);
        format!(
            "POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             X-Padding: {padding}\r\n\r\n",
            GOOD.len()
        )
    };
    head(length - head(0).len())
}

/// A head of exactly this number of header lines.
fn of_lines(lines: usize) -> String {
    let head = of_length(1000);
    let more = "X-Line: y\r\n".repeat(lines - 4);
    head.replacen("X-Padding", &format!("{more}X-Padding"), 1)
}

/// The status of an answer, to a client that reads only when it has sent all.
async fn status(gateway: &Gateway, head: &str) -> u16 {
    let mut connection = Connection::open(gateway.address()).await;
    connection.send(head.as_bytes()).await;
    connection.send(GOOD.as_bytes()).await;
    let head = connection.head().await;
    let answer = connection.rest(head).await;
    if answer.status == 202 {
        assert_eq!(values(&answer), json!([[1]]));
    } else {
        assert_eq!(answer.header("Connection"), Some("close"), "{answer}");
        connection.finish_sending().await;
        assert_eq!(connection.orderly_end().await, b"");
    }
    works(gateway).await;
    answer.status
}

#[tokio::test]
async fn limits_heads_on_http_1() {
    let gateway = start_embedded(&[]).await;
    for length in [16_000, 40_000, LONGEST - 1, LONGEST] {
        assert_eq!(status(&gateway, &of_length(length)).await, 202, "{length} bytes");
    }
    for length in [LONGEST + 1, LONGEST + 1000, 100_000, 1_000_000, 20_000_000] {
        assert_eq!(status(&gateway, &of_length(length)).await, 431, "{length} bytes");
    }
    for (lines, expected) in [(101, 202), (MOST_LINES, 202), (MOST_LINES + 1, 431), (2000, 431)] {
        assert_eq!(status(&gateway, &of_lines(lines)).await, expected, "{lines} lines");
    }
}

/// Sends a head over a connection on which another request waits, and gives the status.
async fn http2_status(gateway: &Gateway, head: Request<()>) -> u16 {
    let address = gateway.address();
    let mut requests = http2::connect(address).await;
    let waiting = http2::post(address, PATH).body(()).unwrap();
    let (waiting, mut body) = requests.send_request(waiting, false).expect("a stream is free");
    let (response, _) = requests.send_request(head, true).expect("a stream is free");
    let status = response.await.expect("it is answered").status().as_u16();
    body.send_data(GOOD.into(), true).expect("the other stream goes on");
    assert_eq!(waiting.await.expect("it is answered").status(), 202);
    let (other, _) = http2::query(&mut requests, address, json!({ "statement": "RETURN 1" })).await;
    assert_eq!(other, 202, "the connection goes on");
    status
}

#[tokio::test]
async fn limits_heads_on_http_2() {
    let gateway = start_embedded(&[]).await;
    let head = || Request::get(format!("http://{}/", gateway.address()));
    let token = |length: usize| head().header("x-token", "x".repeat(length)).body(()).unwrap();
    // Most of these were the end of the connection.
    for length in [15_900, 16_100, 16_300, 16_400, 16_600, 17_000, 18_000, 19_000, 20_000, 32_768, 65_000] {
        assert_eq!(http2_status(&gateway, token(length)).await, 200, "{length} bytes");
    }
    for length in [LONGEST, 70_000, 100_000, 200_000, 250_000] {
        assert_eq!(http2_status(&gateway, token(length)).await, 431, "{length} bytes");
    }
    let lines = |count: usize| (0..count).fold(head(), |head, _| head.header("x-line", "y")).body(()).unwrap();
    for (count, expected) in [(101, 200), (MOST_LINES, 200), (MOST_LINES + 1, 431), (2000, 431)] {
        assert_eq!(http2_status(&gateway, lines(count)).await, expected, "{count} lines");
    }
}

#[tokio::test]
async fn accepts_two_tokens_of_sixteen_kibibytes() {
    let gateway = start_embedded(&[]).await;
    let (access, id) = ("a".repeat(16 * 1024), "i".repeat(16 * 1024));
    let bearer = format!("Bearer {access}");
    let headers = [("Content-Type", "application/json"), ("Authorization", bearer.as_str()), ("X-Id-Token", &id)];
    assert_eq!(values(&gateway.send("POST", PATH, &headers, GOOD).await), json!([[1]]));
    let mut requests = http2::connect(gateway.address()).await;
    let head = http2::post(gateway.address(), PATH).header("authorization", bearer.as_str()).header("x-id-token", &id);
    let response = http2::send(&mut requests, head.body(()).unwrap(), GOOD).await.expect("it is answered");
    assert_eq!(response.status(), 202);
}

/// A `P` may be the beginning of either protocol.
#[tokio::test]
async fn detects_the_protocol_byte_by_byte() {
    let gateway = start_embedded(&[]).await;
    const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    let mut connection = Connection::open(gateway.address()).await;
    for byte in b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".iter().chain(&SETTINGS) {
        connection.send(&[*byte]).await;
        tokio::task::yield_now().await;
    }
    connection.finish_sending().await;
    let said = connection.end().await;
    assert_eq!(said.get(3), Some(&4), "it begins with SETTINGS: {said:?}");
    for method in ["P", "PR", "PUT", "POST"] {
        let mut connection = Connection::open(gateway.address()).await;
        for byte in format!("{method} / HTTP/1.1\r\nHost: localhost\r\n\r\n").bytes() {
            connection.send(&[byte]).await;
            tokio::task::yield_now().await;
        }
        assert_eq!(connection.head().await.status, 405, "{method}");
    }
}
