//! One TCP connection over which several requests go, and answers can be read in pieces.
//!
//! Promises that every wait ends: with what was waited for, or with a panic that says what was missing.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{DEADLINE, Response, encode_head, fill, host_and_port, read_body, read_head};

/// A client's end of a connection.
pub struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
    address: String,
}

impl Connection {
    /// Connects to `host:port`.
    pub async fn open(address: &str) -> Self {
        let address = host_and_port(address).to_owned();
        let stream = TcpStream::connect(&address).await.expect("the gateway takes connections");
        stream.set_nodelay(true).expect("a fresh socket takes options");
        Self { stream, received: Vec::new(), address }
    }

    /// Sends exactly these bytes.
    pub async fn send(&mut self, bytes: &[u8]) {
        timeout(DEADLINE, self.stream.write_all(bytes))
            .await
            .expect("the gateway reads")
            .expect("the connection holds");
    }

    /// Sends a request after which the connection stays open.
    pub async fn request(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) {
        let headers = [&[("Connection", "keep-alive")], headers].concat();
        let head = encode_head(&self.address, method, path, &headers, body.len());
        self.send(&[head.as_bytes(), body.as_bytes()].concat()).await;
    }

    /// POSTs JSON and leaves the answer unread.
    pub async fn post(&mut self, path: &str, body: &str) {
        self.request("POST", path, &[("Content-Type", "application/json")], body).await;
    }

    /// The next head, an interim one too; its body is still to be read.
    pub async fn head(&mut self) -> Response {
        let head = timeout(DEADLINE, read_head(&mut self.stream, &mut self.received)).await;
        let (status, headers) = head.expect("a head arrives").expect("it can be read");
        Response { status, headers, body: Vec::new() }
    }

    /// `head` with the body that follows it.
    pub async fn rest(&mut self, mut head: Response) -> Response {
        let body = timeout(DEADLINE, read_body(&mut self.stream, &mut self.received, &head, false)).await;
        head.body = body.expect("a body arrives").expect("it can be read");
        head
    }

    /// A whole answer.
    pub async fn answer(&mut self) -> Response {
        let head = self.head().await;
        self.rest(head).await
    }

    /// Waits until this number of unread bytes has arrived.
    pub async fn wait_for_bytes(&mut self, count: usize) {
        let filled = timeout(DEADLINE, fill(&mut self.stream, &mut self.received, count)).await;
        filled.expect("more arrives").expect("the connection holds");
    }

    /// Waits until `enough` says so of the unread bytes that have arrived.
    pub async fn wait_until(&mut self, enough: impl Fn(&[u8]) -> bool) {
        while !enough(&self.received) {
            self.wait_for_bytes(self.received.len() + 1).await;
        }
    }

    /// Closes the sending half.
    pub async fn finish_sending(&mut self) {
        self.stream.shutdown().await.expect("the connection holds");
    }

    /// Waits until something is there to be read, and leaves it there.
    pub async fn wait_for_bytes_unread(&mut self) {
        let peeked = timeout(DEADLINE, self.stream.peek(&mut [0])).await;
        assert_eq!(peeked.expect("something arrives").expect("the connection holds"), 1);
    }

    /// Waits until the other side ends the connection, and gives what came before that.
    pub async fn end(mut self) -> Vec<u8> {
        // Whether it ends in order or breaks, it has ended.
        let _ = self.ending().await;
        self.received
    }

    /// Waits until the other side ends the connection in order, without a reset, and gives what came before that.
    pub async fn orderly_end(mut self) -> Vec<u8> {
        self.ending().await.expect("the connection is not broken off");
        self.received
    }

    async fn ending(&mut self) -> io::Result<usize> {
        timeout(DEADLINE, self.stream.read_to_end(&mut self.received)).await.expect("the connection ends")
    }
}
