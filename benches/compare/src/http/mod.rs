//! An HTTP/1.1 client on one keep-alive connection that receives responses without decoding them.

mod body;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use body::Body;
use memchr::memmem;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The number of bytes per read.
const BUFFER: usize = 256 * 1024;

/// The maximum size of a response head in bytes.
const MAX_HEAD: usize = 16 * 1024;

/// A keep-alive connection.
pub struct Connection {
    socket: TcpStream,
    buffer: Vec<u8>,
}

/// The figures of a response that was received.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The number of bytes in the body, without chunk headers.
    pub bytes: u64,
    /// The time from the write to the first byte of the body.
    pub first_byte: Duration,
    /// The time from the write to the last byte.
    pub whole: Duration,
}

/// A whole request as bytes.
#[must_use]
pub fn request(method: &str, host: &str, path: &str, headers: &[String], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n", body.len());
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    [head.as_bytes(), body].concat()
}

impl Connection {
    /// Connects to `host:port`.
    ///
    /// # Errors
    /// Returns an error if nobody listens there.
    pub async fn open(address: &str) -> Result<Self> {
        let socket = TcpStream::connect(address).await.with_context(|| format!("cannot reach {address}"))?;
        socket.set_nodelay(true)?;
        Ok(Self { socket, buffer: vec![0; BUFFER] })
    }

    /// Sends a request and receives its response. Appends the body to `kept` if given.
    ///
    /// # Errors
    /// Returns an error if the connection breaks or the response is not the expected HTTP/1.1.
    pub async fn exchange(&mut self, request: &[u8], mut kept: Option<&mut Vec<u8>>) -> Result<Answer> {
        let start = Instant::now();
        self.socket.write_all(request).await?;
        let (filled, head) = self.read_head().await?;
        let (status, mut body) = parse_head(self.buffer.get(..head).unwrap_or_default())?;
        let mut first_byte = None;
        let (mut from, mut to) = (head, filled);
        loop {
            let piece = self.buffer.get(from..to).unwrap_or_default();
            if !piece.is_empty() {
                first_byte.get_or_insert_with(|| start.elapsed());
            }
            body.feed(piece, kept.as_deref_mut())?;
            if body.is_complete() {
                break;
            }
            (from, to) = (0, self.socket.read(&mut self.buffer).await?);
            ensure!(to > 0, "the connection was closed inside a response");
        }
        let whole = start.elapsed();
        Ok(Answer { status, bytes: body.bytes(), first_byte: first_byte.unwrap_or(whole), whole })
    }

    /// Reads until the head is complete. Returns the number of bytes in the buffer, and of those in the head.
    async fn read_head(&mut self) -> Result<(usize, usize)> {
        let mut filled = 0;
        loop {
            let free = self.buffer.get_mut(filled..).unwrap_or_default();
            let size = self.socket.read(free).await?;
            ensure!(size > 0, "the connection was closed before the response");
            filled += size;
            if let Some(end) = memmem::find(self.buffer.get(..filled).unwrap_or_default(), b"\r\n\r\n") {
                return Ok((filled, end + 4));
            }
            ensure!(filled < MAX_HEAD, "the head of the response is too long");
        }
    }
}

fn parse_head(head: &[u8]) -> Result<(u16, Body)> {
    let text = std::str::from_utf8(head).context("the head of the response is not text")?;
    let mut lines = text.split("\r\n");
    let status_line = lines.next().unwrap_or_default();
    let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.with_context(|| format!("this is not a status line: {status_line}"))?;
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { continue };
        if name.eq_ignore_ascii_case("content-length") {
            return Ok((status, Body::of_length(value.trim().parse()?)));
        }
        if name.eq_ignore_ascii_case("transfer-encoding") {
            ensure!(value.trim().eq_ignore_ascii_case("chunked"), "unknown encoding {value}");
            return Ok((status, Body::chunked()));
        }
    }
    bail!("the response has neither Content-Length nor chunks");
}
