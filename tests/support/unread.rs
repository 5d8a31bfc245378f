//! Clients of both protocols that send a request and take nothing of the answer's body.

use std::time::Duration;

use axum::http::{Method, Request, StatusCode, header};
use bytes::Bytes;
use h2::{
    RecvStream,
    client::{self, SendRequest},
};
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};

use super::http::Connection;

/// The longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// An answer that nobody reads.
pub enum Unread {
    /// The socket is left full.
    Http1(Box<Connection>),
    /// The stream's window is shut.
    Http2 { body: RecvStream, _requests: SendRequest<Bytes> },
}

/// What is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Http1,
    Http2,
}

pub const PROTOCOLS: [Protocol; 2] = [Protocol::Http1, Protocol::Http2];

impl Protocol {
    /// Sends a request, waits for the head of its answer, and reads no further.
    pub async fn ask(self, address: &str, path: &str, body: &Value) -> Unread {
        match self {
            Self::Http1 => {
                let mut connection = Connection::open(address).await;
                connection.post(path, &body.to_string()).await;
                let head = connection.head().await;
                assert_eq!(head.status, 202, "{head}");
                Unread::Http1(Box::new(connection))
            }
            Self::Http2 => {
                let requests = shut(address).await;
                Unread::http2(requests, address, path, body).await
            }
        }
    }
}

/// An HTTP/2 connection that grants its streams no window.
pub async fn shut(address: &str) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(address).await.expect("the gateway takes connections");
    let (requests, connection) =
        client::Builder::new().initial_window_size(0).handshake(stream).await.expect("the gateway speaks HTTP/2");
    tokio::spawn(connection);
    requests.ready().await.expect("the connection is good for a request")
}

impl Unread {
    pub async fn http2(mut requests: SendRequest<Bytes>, address: &str, path: &str, body: &Value) -> Self {
        let head = Request::builder()
            .method(Method::POST)
            .uri(format!("http://{address}{path}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(())
            .unwrap();
        let (response, mut sending) = requests.send_request(head, false).expect("a stream is free");
        sending.send_data(body.to_string().into(), true).expect("the body goes out");
        let response = response.await.expect("it is answered");
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        Self::Http2 { body: response.into_body(), _requests: requests }
    }

    /// Reads the rest: the text as far as it goes, and whether it ended as it should.
    pub async fn read(self) -> (String, bool) {
        let mut text = Vec::new();
        let whole = match self {
            Self::Http1(connection) => {
                text = connection.end().await;
                text.ends_with(b"0\r\n\r\n")
            }
            Self::Http2 { mut body, .. } => {
                // From here on the client takes what it gets.
                let _ = body.flow_control().release_capacity(0);
                loop {
                    match timeout(PATIENCE, body.data()).await.expect("the stream ends") {
                        None => break true,
                        Some(Err(_)) => break false,
                        Some(Ok(piece)) => text.extend_from_slice(&piece),
                    }
                }
            }
        };
        (String::from_utf8_lossy(&text).into_owned(), whole)
    }
}
