//! What a client may send, and what becomes of it: cases as in the Autobahn test suite.

use super::{Gateway, Heard, exchange, frame, open, start};

const BINARY: u8 = 0x02;
const CONTINUE: u8 = 0x00;
const LAST: u8 = 0x80;
const PING: u8 = LAST | 0x09;
const PONG: u8 = LAST | 0x0a;
const CLOSE: u8 = LAST | 0x08;

/// What is heard if the database sends `data` back, and the client then closes with 1000.
fn heard(data: &[u8], pongs: &[&[u8]]) -> Heard {
    let pongs = pongs.iter().map(|pong| pong.to_vec()).collect();
    Heard { data: data.to_vec(), pongs, close: Some((1000, String::new())) }
}

/// Sends frames, this many bytes at a time, waits until as much has come back as is expected, and then closes.
async fn sent(gateway: &Gateway, frames: &[Vec<u8>], expected: &Heard, at_once: usize) -> Heard {
    let mut connection = open(gateway).await;
    for piece in frames.concat().chunks(at_once) {
        connection.send(piece).await;
    }
    let all = |heard: &Heard| heard.data.len() >= expected.data.len() && heard.pongs.len() >= expected.pongs.len();
    connection.wait_until(|bytes| all(&Heard::so_far(bytes).0)).await;
    connection.send(&frame(CLOSE, &1000_u16.to_be_bytes())).await;
    Heard::of(&connection.orderly_end().await)
}

#[tokio::test]
async fn messages_pass_however_they_are_divided() {
    let gateway = start(&[]).await;
    let long = vec![7; 70_000];
    for (frames, expected) in [
        (vec![frame(LAST | BINARY, b"whole")], heard(b"whole", &[])),
        (vec![frame(LAST | BINARY, &long)], heard(&long, &[])),
        (
            vec![frame(BINARY, b"a"), frame(CONTINUE, b""), frame(CONTINUE, b"b"), frame(LAST | CONTINUE, b"c")],
            heard(b"abc", &[]),
        ),
        (vec![frame(LAST | BINARY, b""), frame(LAST | BINARY, b"x")], heard(b"x", &[])),
        (vec![frame(BINARY, b"a"), frame(PING, b"within"), frame(LAST | CONTINUE, b"b")], heard(b"ab", &[b"within"])),
        (vec![frame(PING, b""), frame(PING, &[0xfe; 125])], heard(b"", &[b"", &[0xfe; 125]])),
        (vec![frame(PONG, b"nobody asked"), frame(LAST | BINARY, b"x")], heard(b"x", &[])),
    ] {
        for at_once in [1 << 20, 1, 3] {
            if at_once > 3 || frames.concat().len() < 1000 {
                assert_eq!(sent(&gateway, &frames, &expected, at_once).await, expected);
            }
        }
    }
}

#[tokio::test]
async fn a_message_counts_before_it_is_whole() {
    let gateway = start(&[]).await;
    let mut connection = open(&gateway).await;
    let whole = frame(LAST | BINARY, &[b'x'; 1000]);
    let (first, second) = whole.split_at(500);
    connection.send(first).await;
    connection.wait_until(|bytes| !Heard::so_far(bytes).0.data.is_empty()).await;
    connection.send(second).await;
    connection.send(&frame(CLOSE, b"")).await;
    let heard = Heard::of(&connection.orderly_end().await);
    assert_eq!(heard.close, Some((1005, String::new())));
}

#[tokio::test]
async fn what_breaks_the_protocol_closes_the_socket_with_its_code() {
    let gateway = start(&[]).await;
    let storm = [vec![frame(BINARY, b"")], vec![frame(CONTINUE, b""); 20_000]].concat().concat();
    let too_long = [&[LAST | BINARY, 0xff][..], &(64 * 1024 * 1024 + 1_u64).to_be_bytes(), &[0; 4]].concat();
    for (bytes, code, says) in [
        (frame(LAST | 0x01, b"text"), 1003, "binary"),
        (too_long, 1009, "64 MiB"),
        (storm, 1009, "fragments"),
        (vec![LAST | BINARY, 1, b'x'], 1002, "masked"),
        (frame(LAST | 0x40 | BINARY, b"x"), 1002, "extension"),
        (frame(LAST | 0x03, b""), 1002, "type"),
        (frame(LAST | CONTINUE, b"x"), 1002, "to continue"),
        ([frame(BINARY, b"x"), frame(LAST | BINARY, b"y")].concat(), 1002, "within"),
        (frame(0x09, b"x"), 1002, "control"),
        (frame(PING, &[0; 126]), 1002, "control"),
        (frame(CLOSE, b"x"), 1002, "code"),
        (frame(CLOSE, &1006_u16.to_be_bytes()), 1002, "code"),
        (frame(CLOSE, &[3, 0xe8, 0xff]), 1007, "UTF-8"),
    ] {
        // What else the client has sent does not keep it from reading why.
        let bytes = [&bytes[..], &frame(LAST | BINARY, &[0; 1000])].concat();
        let (found, reason) = exchange(&gateway, &bytes).await.close.expect("is told");
        assert!(found == code && reason.contains(says), "{code} {says}: {found} {reason}");
    }
}

#[tokio::test]
async fn the_clients_own_code_is_the_answer() {
    let gateway = start(&[]).await;
    for code in [1000_u16, 1001, 1011, 3000, 4999] {
        let bytes = frame(CLOSE, &[&code.to_be_bytes()[..], b"why"].concat());
        assert_eq!(exchange(&gateway, &bytes).await.code(), Some(code));
    }
    assert_eq!(exchange(&gateway, &frame(CLOSE, b"")).await.code(), Some(1005));
}
