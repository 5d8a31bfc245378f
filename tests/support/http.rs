//! A raw HTTP/1.1 client for tests: owns one exchange over one TCP connection.
//!
//! Promises to send exactly the header lines and body it is given (adding `Host`, `Connection: close` and
//! `Content-Length` only where the caller has not), and to decode `Content-Length`, chunked and
//! close-delimited answers. Knows nothing about Boltgate, JSON or the Query API.

mod connection;

use std::fmt;
use std::time::Duration;

pub use connection::Connection;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The longest wait for an answer; afterwards the server counts as hung.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// A complete answer; the body is already free of chunk framing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Status code of the final answer (interim `1xx` answers are skipped).
    pub status: u16,
    /// Header lines in the order received, names as spelled by the server.
    pub headers: Vec<(String, String)>,
    /// Body bytes.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of that name, case-insensitively.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as text; bytes that are not UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "HTTP {}", self.status)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {value}")?;
        }
        write!(f, "\n{}", self.text())
    }
}

/// Sends one request and reads the whole answer. `addr` is `host:port` or a base URL without a path.
///
/// # Panics
/// With the method, path and reason when there is no complete answer.
pub async fn request(addr: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
    match try_request(addr, method, path, headers, body).await {
        Ok(response) => response,
        Err(reason) => panic!("{method} {path} on {addr}: {reason}"),
    }
}

/// Like [`request`], but returns the reason instead of panicking.
pub async fn try_request(
    addr: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Response, String> {
    let addr = host_and_port(addr);
    let head = encode_head(addr, method, path, headers, body.len());
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    exchange(addr, &bytes, method == "HEAD").await
}

/// Sends exactly these bytes and reads the answer; the request should make the server close the
/// connection. `bodiless` says that the answer has no body whatever its headers say (`HEAD`).
pub async fn exchange(addr: &str, bytes: &[u8], bodiless: bool) -> Result<Response, String> {
    let work = async {
        let mut stream =
            TcpStream::connect(host_and_port(addr)).await.map_err(|error| format!("cannot connect: {error}"))?;
        stream.set_nodelay(true).map_err(|error| format!("cannot set nodelay: {error}"))?;
        let (mut reader, mut writer) = stream.split();
        let mut received = Vec::new();
        // A server may answer and close before it has read a large body: the answer still counts.
        let (sent, read) = tokio::join!(writer.write_all(bytes), read_answer(&mut reader, &mut received, bodiless));
        match read {
            Ok(response) => Ok(response),
            Err(reason) => Err(match sent {
                Err(error) => format!("{reason}; sending also failed: {error}"),
                Ok(()) => reason,
            }),
        }
    };
    tokio::time::timeout(DEADLINE, work)
        .await
        .unwrap_or_else(|_| Err(format!("no complete answer within {} s", DEADLINE.as_secs())))
}

/// `host:port` of a base URL or of itself.
pub fn host_and_port(addr: &str) -> &str {
    addr.strip_prefix("http://").unwrap_or(addr).trim_end_matches('/')
}

fn encode_head(addr: &str, method: &str, path: &str, headers: &[(&str, &str)], body_length: usize) -> String {
    let given = |name: &str| headers.iter().any(|(key, _)| key.eq_ignore_ascii_case(name));
    let mut head = format!("{method} {path} HTTP/1.1\r\n");
    if !given("Host") {
        head.push_str(&format!("Host: {addr}\r\n"));
    }
    if !given("Connection") {
        head.push_str("Connection: close\r\n");
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let may_omit_length = body_length == 0 && !matches!(method, "POST" | "PUT" | "PATCH");
    if !given("Content-Length") && !given("Transfer-Encoding") && !may_omit_length {
        head.push_str(&format!("Content-Length: {body_length}\r\n"));
    }
    head.push_str("\r\n");
    head
}

/// How the end of a body is found.
enum Framing {
    None,
    Length(usize),
    Chunked,
    UntilClose,
}

async fn read_answer(
    stream: &mut (impl AsyncReadExt + Unpin),
    received: &mut Vec<u8>,
    bodiless: bool,
) -> Result<Response, String> {
    loop {
        let (status, headers) = read_head(stream, received).await?;
        if (100..200).contains(&status) {
            continue;
        }
        let mut response = Response { status, headers, body: Vec::new() };
        response.body = read_body(stream, received, &response, bodiless).await?;
        return Ok(response);
    }
}

/// The body that follows the head of `response`.
async fn read_body(
    stream: &mut (impl AsyncReadExt + Unpin),
    received: &mut Vec<u8>,
    response: &Response,
    bodiless: bool,
) -> Result<Vec<u8>, String> {
    match framing(response, bodiless)? {
        Framing::None => Ok(Vec::new()),
        Framing::Length(length) => {
            fill(stream, received, length).await?;
            Ok(received.drain(..length).collect())
        }
        Framing::Chunked => read_chunks(stream, received).await,
        Framing::UntilClose => {
            stream.read_to_end(received).await.map_err(|error| format!("reading the body failed: {error}"))?;
            Ok(std::mem::take(received))
        }
    }
}

fn framing(response: &Response, bodiless: bool) -> Result<Framing, String> {
    if bodiless || matches!(response.status, 204 | 304) {
        return Ok(Framing::None);
    }
    if let Some(coding) = response.header("Transfer-Encoding") {
        return if coding.eq_ignore_ascii_case("chunked") {
            Ok(Framing::Chunked)
        } else {
            Err(format!("unknown transfer coding {coding:?}"))
        };
    }
    match response.header("Content-Length") {
        Some(length) => {
            length.parse().map(Framing::Length).map_err(|_| format!("Content-Length {length:?} is not a number"))
        }
        None => Ok(Framing::UntilClose),
    }
}

async fn read_head(
    stream: &mut (impl AsyncReadExt + Unpin),
    received: &mut Vec<u8>,
) -> Result<(u16, Vec<(String, String)>), String> {
    let mut lines = Vec::new();
    loop {
        let line = read_line(stream, received).await?;
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let (status_line, header_lines) = lines.split_first().ok_or_else(|| "the answer has no status line".to_owned())?;
    let status = status_line
        .strip_prefix("HTTP/1.1 ")
        .or_else(|| status_line.strip_prefix("HTTP/1.0 "))
        .and_then(|rest| rest.get(..3))
        .and_then(|code| code.parse().ok())
        .ok_or_else(|| format!("not a status line: {status_line:?}"))?;
    let headers = header_lines
        .iter()
        .map(|line| match line.split_once(':') {
            Some((name, value)) => Ok((name.to_owned(), value.trim().to_owned())),
            None => Err(format!("not a header line: {line:?}")),
        })
        .collect::<Result<_, _>>()?;
    Ok((status, headers))
}

async fn read_chunks(stream: &mut (impl AsyncReadExt + Unpin), received: &mut Vec<u8>) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    loop {
        let line = read_line(stream, received).await?;
        let digits = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(digits, 16)
            .map_err(|_| format!("not a chunk size: {line:?} after {} body bytes", body.len()))?;
        if size == 0 {
            while !read_line(stream, received).await?.is_empty() {}
            return Ok(body);
        }
        fill(stream, received, size + 2).await?;
        body.extend(received.drain(..size));
        if received.drain(..2).collect::<Vec<_>>() != b"\r\n" {
            return Err(format!("a chunk of {size} bytes is not followed by a line end"));
        }
    }
}

async fn read_line(stream: &mut (impl AsyncReadExt + Unpin), received: &mut Vec<u8>) -> Result<String, String> {
    loop {
        if let Some(end) = received.windows(2).position(|pair| pair == b"\r\n") {
            let line: Vec<u8> = received.drain(..end + 2).take(end).collect();
            return String::from_utf8(line).map_err(|_| "a header line is not UTF-8".to_owned());
        }
        read_more(stream, received).await?;
    }
}

async fn fill(stream: &mut (impl AsyncReadExt + Unpin), received: &mut Vec<u8>, length: usize) -> Result<(), String> {
    while received.len() < length {
        read_more(stream, received).await?;
    }
    Ok(())
}

async fn read_more(stream: &mut (impl AsyncReadExt + Unpin), received: &mut Vec<u8>) -> Result<(), String> {
    match stream.read_buf(received).await {
        Ok(0) => Err(format!(
            "the connection closed before the answer was complete; left over: {:?}",
            String::from_utf8_lossy(received)
        )),
        Ok(_) => Ok(()),
        Err(error) => Err(format!("reading the answer failed: {error}")),
    }
}
