//! A stand-in for a gateway: it gives the answer that the test wants.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread::{self, JoinHandle},
};

/// What a client sent: the head, in lower case but for the values, and the body.
pub(super) struct Request {
    pub(super) head: String,
    pub(super) body: String,
}

impl Request {
    /// The value of a header field.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let found = self.head.lines().filter_map(|line| line.split_once(": "));
        found.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }
}

/// Answers one request on each of so many connections with these bytes, and closes them.
pub(super) fn answer(answers: &[&[u8]]) -> (String, JoinHandle<Vec<Request>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let address = listener.local_addr().expect("it is bound").to_string();
    let answers: Vec<Vec<u8>> = answers.iter().map(|answer| answer.to_vec()).collect();
    let serve = move || {
        let serve = |answer: Vec<u8>| {
            let (mut stream, _) = listener.accept().expect("somebody connects");
            let request = read(&mut stream);
            stream.write_all(&answer).expect("the client reads");
            request
        };
        answers.into_iter().map(serve).collect()
    };
    (address, thread::spawn(serve))
}

fn read(stream: &mut TcpStream) -> Request {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        let count = stream.read(&mut part).expect("the client writes");
        bytes.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let request = Request { head: head.to_owned(), body: body.to_owned() };
            let length = request.field("content-length").map_or(0, |length| length.parse().expect("is a number"));
            if body.len() >= length {
                return request;
            }
        }
        assert!(count > 0, "the client left: {text}");
    }
}

/// A whole answer of this type.
pub(super) fn whole(status: &str, media: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// An answer of this type that breaks off behind `body`.
pub(super) fn broken(media: &str, body: &[u8]) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n", body.len());
    [head.as_bytes(), body, b"\r\n"].concat()
}
