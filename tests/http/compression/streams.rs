//! Answers that are sent while their statement runs.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::*;
use crate::support::{bolt::control::Fault, http::DEADLINE};

/// Its first rows come, and then nothing for ever.
const HELD: &str = "ROWS 1000000 WIDE 20";
const LINES: &str = "application/jsonl";

fn hold_after_the_first_rows(control: &Control) {
    control.on_next("PULL", Fault::Delay(Duration::ZERO));
    control.on_next("PULL", Fault::Hang);
}

/// Sends a request whose answer is not chunked, and gives the connection.
async fn ask_in_http_1_0(gateway: &Gateway, accept: &str, coding: &str, statement: &str) -> TcpStream {
    let request = json!({ "statement": statement }).to_string();
    let head = format!(
        "POST {PATH} HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: {accept}\r\n\
         Accept-Encoding: {coding}\r\nContent-Length: {}\r\n\r\n",
        request.len()
    );
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    stream.write_all((head + &request).as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn the_first_rows_arrive_before_the_statement_ends() {
    for (name, coding) in CODINGS {
        let (gateway, control) = stand(&[]).await;
        hold_after_the_first_rows(&control);
        let mut stream = ask_in_http_1_0(&gateway, LINES, name, HELD).await;
        let mut received = BytesMut::new();
        let head = loop {
            timeout(DEADLINE, stream.read_buf(&mut received)).await.expect("a head arrives").unwrap();
            if let Some(end) = received.windows(4).position(|end| end == b"\r\n\r\n") {
                break received.split_to(end + 4);
            }
        };
        let head = String::from_utf8(head.to_vec()).unwrap().to_ascii_lowercase();
        assert!(head.contains(&format!("content-encoding: {name}\r\n")), "{head}");
        let (mut unpacker, mut text) = (Unpacker::new(coding).unwrap(), BytesMut::new());
        loop {
            text.extend(unpack(&mut unpacker, received.split().freeze()));
            if text.windows(6).any(|part| part == b"Record") {
                break;
            }
            let more = timeout(DEADLINE, stream.read_buf(&mut received)).await.expect("rows arrive").unwrap();
            assert!(more > 0, "the connection holds");
        }
    }
}

#[tokio::test]
async fn the_first_rows_arrive_by_http2_before_the_statement_ends() {
    for (name, coding) in CODINGS {
        let (gateway, control) = stand(&[]).await;
        hold_after_the_first_rows(&control);
        let mut requests = http2::connect(gateway.address()).await;
        let head = http2::post(gateway.address(), PATH).header("accept", LINES).header("accept-encoding", name);
        let request = json!({ "statement": HELD }).to_string();
        let answer = http2::send(&mut requests, head.body(()).unwrap(), request).await.expect("it is answered");
        assert_eq!(answer.headers()["content-encoding"], name);
        let (mut unpacker, mut text, mut incoming) =
            (Unpacker::new(coding).unwrap(), BytesMut::new(), answer.into_body());
        while !text.windows(6).any(|part| part == b"Record") {
            let piece = timeout(DEADLINE, incoming.data()).await.expect("rows arrive").expect("it goes on").unwrap();
            incoming.flow_control().release_capacity(piece.len()).unwrap();
            text.extend(unpack(&mut unpacker, piece));
        }
    }
}

const BREAKS: &str = "FAILPULL 3000 Neo.TransientError.General.OutOfMemoryError no memory";

#[tokio::test]
async fn what_is_broken_off_has_no_end_of_its_coding_either() {
    let (gateway, _) = stand(&[]).await;
    for (name, coding) in CODINGS {
        for (accept, last) in [("text/csv", "3000\r\n"), ("application/x-ndjson", "\"message\":\"no memory\"}}\n")] {
            let mut stream = ask_in_http_1_0(&gateway, accept, name, BREAKS).await;
            let mut received = Vec::new();
            // Whether it ends in order or breaks, it has ended.
            let _ = timeout(DEADLINE, stream.read_to_end(&mut received)).await.expect("the connection ends");
            let head = received.windows(4).position(|end| end == b"\r\n\r\n").expect("there is a head") + 4;
            let mut unpacker = Unpacker::new(coding).unwrap();
            let text = unpack(&mut unpacker, received.split_off(head).into());
            assert!(text.ends_with(last.as_bytes()), "all that was there has come: {text:?}");
            assert!(unpacker.end().is_err(), "{name} {accept}");
        }
    }
}

#[tokio::test]
async fn clients_notice_that_an_answer_is_broken_off() {
    let (gateway, _) = stand(&[]).await;
    let mut requests = http2::connect(gateway.address()).await;
    let request = json!({ "statement": BREAKS }).to_string();
    for (name, _) in CODINGS {
        let headers = [("Content-Type", "application/json"), ("Accept", "text/csv"), ("Accept-Encoding", name)];
        let chunked =
            crate::support::http::try_request(gateway.address(), "POST", PATH, &headers, request.as_bytes()).await;
        assert!(chunked.is_err(), "the last chunk is missing: {chunked:?}");
        let head = http2::post(gateway.address(), PATH).header("accept", "text/csv").header("accept-encoding", name);
        let answer = http2::send(&mut requests, head.body(()).unwrap(), request.clone()).await.expect("it is answered");
        let reset = http2::whole(answer).await.unwrap_err();
        assert_eq!(reset.reason(), Some(h2::Reason::INTERNAL_ERROR), "{reset}");
    }
}
