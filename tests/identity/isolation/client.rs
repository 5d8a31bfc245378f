//! HTTP/1.1 with as little around it as can be: one request after the other on a connection, or a part of one.

use std::{io, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::random::Random;

/// The longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(100);

pub struct Client {
    address: String,
    /// Opened when it is needed.
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

/// A request, ready to be sent.
pub struct Request {
    pub method: &'static str,
    pub path: String,
    /// With their line ends.
    pub headers: String,
    pub body: String,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Request {
    fn bytes(&self) -> Vec<u8> {
        let Self { method, path, headers, body } = self;
        let length = body.len();
        format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
             {headers}\r\n{body}"
        )
        .into_bytes()
    }
}

impl Client {
    pub fn new(address: &str) -> Self {
        Self { address: address.to_owned(), stream: None, buffer: Vec::with_capacity(4096) }
    }

    async fn stream(&mut self) -> &mut TcpStream {
        if self.stream.is_none() {
            let stream = TcpStream::connect(&self.address).await.expect("the gateway takes connections");
            stream.set_nodelay(true).expect("a fresh socket takes options");
            self.stream = Some(stream);
        }
        self.stream.as_mut().expect("it was just opened")
    }

    /// Sends a request and reads its answer.
    pub async fn send(&mut self, request: &Request) -> Answer {
        let answer = timeout(PATIENCE, self.exchange(&request.bytes())).await;
        let answer = answer.unwrap_or_else(|_| panic!("no answer: {} {}", request.method, request.path));
        answer.unwrap_or_else(|error| panic!("{} {}: {error}", request.method, request.path))
    }

    async fn exchange(&mut self, bytes: &[u8]) -> io::Result<Answer> {
        self.buffer.clear();
        self.stream().await.write_all(bytes).await?;
        loop {
            let stream = self.stream.as_mut().expect("it was written to");
            if stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some((status, body)) = whole_answer(&self.buffer) {
                let body = serde_json::from_slice(body).expect("the answer is JSON");
                return Ok(Answer { status, body });
            }
        }
    }

    /// Sends a request, or a part of it, reads a part of its answer, or none, and is gone.
    pub async fn break_off(&mut self, request: &Request, random: &mut Random) {
        let bytes = request.bytes();
        let written = if random.percent(30) { random.below(bytes.len()) } else { bytes.len() };
        let stream = self.stream().await;
        // A gateway that has closed the connection meanwhile has as good as been left.
        let _ = stream.write_all(&bytes[..written]).await;
        let span = Duration::from_micros(u64::try_from(random.below(4000)).unwrap());
        let mut part = vec![0; 1 + random.below(600)];
        let _ = timeout(span, stream.read_exact(&mut part)).await;
        if random.percent(50) {
            let _ = stream.set_zero_linger();
        }
        self.stream = None;
    }
}

/// Status and body, once all of it is there.
fn whole_answer(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = str::from_utf8(&bytes[..end]).expect("a head is ASCII");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.unwrap_or_else(|| panic!("no length: {head}")).parse().expect("a length is a number");
    let status = head[9..12].parse().expect("a status is a number");
    Some((status, bytes[end + 4..].get(..length)?))
}
