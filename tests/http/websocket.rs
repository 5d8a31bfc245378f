//! Bolt over WebSocket: how a socket begins, what its frames may be, and how it ends.

mod ends;
mod frames;
mod handshake;

use std::io::Cursor;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio_tungstenite::tungstenite::protocol::frame::{FrameHeader, coding::OpCode};

use crate::support::{
    gateway::{self, Gateway},
    http::{Connection, Response},
};

const ON: (&str, &str) = ("websocket.enabled", "true");
/// What a driver sends in a page, besides its origin.
const ASKS: [(&str, &str); 4] = [
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

/// A database that sends back what it receives, until it receives `end`.
fn echo() -> DuplexStream {
    let (ours, mut theirs) = duplex(64 * 1024);
    tokio::spawn(async move {
        let mut chunk = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = theirs.read(&mut chunk).await {
            if &chunk[..length] == b"end" || theirs.write_all(&chunk[..length]).await.is_err() {
                return;
            }
        }
    });
    ours
}

/// A gateway in front of [`echo`] that serves WebSockets.
async fn start(changes: &[(&'static str, &str)]) -> Gateway {
    gateway::start_memory(echo, &[&[ON], changes].concat()).await
}

/// Asks for a WebSocket with further headers; its connection, and the answer's head.
async fn ask(gateway: &Gateway, path: &str, headers: &[(&str, &str)]) -> (Connection, Response) {
    let mut connection = Connection::open(gateway.address()).await;
    connection.send(asking(gateway, path, headers).as_bytes()).await;
    let head = connection.head().await;
    (connection, head)
}

/// A request for a WebSocket. A header replaces the usual one of its name; an empty one leaves it out.
fn asking(gateway: &Gateway, path: &str, headers: &[(&str, &str)]) -> String {
    let host = [("Host", gateway.address())];
    let given = |name: &str| headers.iter().any(|(given, _)| *given == name);
    let usual = host.iter().chain(&ASKS).filter(|(name, _)| !given(name));
    let all = usual.chain(headers.iter().filter(|(_, value)| !value.is_empty()));
    let lines: String = all.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("GET {path} HTTP/1.1\r\n{lines}\r\n")
}

/// A WebSocket, with the connection under it.
async fn open(gateway: &Gateway) -> Connection {
    let (connection, head) = ask(gateway, "/", &[]).await;
    assert_eq!(head.status, 101, "{head}");
    connection
}

/// A client's frame: its first byte, and its payload, under a mask that changes nothing.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match u16::try_from(payload.len()) {
        Ok(short @ 0..126) => bytes.push(0x80 | short as u8),
        Ok(middle) => {
            bytes.push(0x80 | 126);
            bytes.extend(middle.to_be_bytes());
        }
        Err(_) => {
            bytes.push(0x80 | 127);
            bytes.extend((payload.len() as u64).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}

/// What the gateway has sent: the content of all messages, the payloads of pongs, and the code and reason of the end.
#[derive(Debug, Default, PartialEq, Eq)]
struct Heard {
    data: Vec<u8>,
    pongs: Vec<Vec<u8>>,
    close: Option<(u16, String)>,
}

impl Heard {
    /// The frames in `bytes`, all of which have to be whole.
    fn of(bytes: &[u8]) -> Self {
        let (heard, rest) = Self::so_far(bytes);
        assert!(rest.is_empty(), "the last frame is whole: {rest:?}");
        heard
    }

    /// The whole frames in `bytes`, all of which have to be unmasked and before the end, and the bytes behind them.
    fn so_far(mut bytes: &[u8]) -> (Self, &[u8]) {
        let mut heard = Self::default();
        loop {
            let mut cursor = Cursor::new(bytes);
            let parsed = FrameHeader::parse(&mut cursor).expect("is a frame");
            let whole = parsed.and_then(|(header, length)| {
                let (_, rest) = bytes.split_at(cursor.position() as usize);
                Some((header, rest.split_at_checked(length as usize)?))
            });
            let Some((header, (payload, rest))) = whole else { return (heard, bytes) };
            bytes = rest;
            assert_eq!(heard.close, None, "nothing comes behind the end");
            assert!(header.is_final && header.mask.is_none() && !header.rsv1);
            match u8::from(header.opcode) {
                2 => heard.data.extend(payload),
                10 => heard.pongs.push(payload.to_vec()),
                8 => heard.close = Some(closing(payload)),
                other => panic!("{other}: {:?}", OpCode::from(other)),
            }
        }
    }

    fn code(&self) -> Option<u16> {
        self.close.as_ref().map(|(code, _)| *code)
    }
}

/// Without a code, it is 1005 as in browsers.
fn closing(payload: &[u8]) -> (u16, String) {
    match payload.split_first_chunk() {
        None => (1005, String::new()),
        Some((code, reason)) => (u16::from_be_bytes(*code), String::from_utf8(reason.to_vec()).expect("is text")),
    }
}

/// Sends these bytes over a new WebSocket, and hears everything to its end.
async fn exchange(gateway: &Gateway, bytes: &[u8]) -> Heard {
    let mut connection = open(gateway).await;
    connection.send(bytes).await;
    Heard::of(&connection.orderly_end().await)
}
