//! What these tests share: opening a connection, hearing what comes, and watching what is written.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use boltgate::bolt::{
    AuthToken, Connection, Error, Extra, Recognition, Reply,
    connection::{Limits, Transport},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::support::bolt::{
    frame::{Frame, FrameReader},
    message::{name, show},
    value::Value,
};

pub const LIMITS: Limits = Limits { max_message: 1 << 20, silence: Duration::from_secs(30) };
/// No parameters.
pub const NONE: [u8; 1] = [0xA0];

pub fn neo4j() -> AuthToken {
    AuthToken::basic("neo4j", "password")
}

pub async fn open(stream: impl Transport + 'static) -> Result<Connection, Error> {
    open_with(stream, LIMITS).await
}

pub async fn open_with(stream: impl Transport + 'static, limits: Limits) -> Result<Connection, Error> {
    Connection::open(Box::new(stream), &neo4j(), Recognition::default(), limits).await
}

/// Queues a statement outside a transaction and its first PULL.
pub fn ask(connection: &mut Connection, statement: &str) {
    connection.run(statement, &NONE, &Extra::default());
    connection.pull(1000);
}

/// Everything up to the n-th summary, in short: `SUCCESS`, `RECORD [1]`, `IGNORED`, `FAILURE code`, `ERROR text`.
pub async fn hear(connection: &mut Connection, summaries: usize) -> Vec<String> {
    let mut heard = Vec::new();
    let mut left = summaries;
    while left > 0 {
        left -= 1;
        heard.push(match connection.reply().await {
            Ok(Reply::Success) => "SUCCESS".into(),
            Ok(Reply::Ignored) => "IGNORED".into(),
            Ok(Reply::Failure(failure)) => format!("FAILURE {}", failure.code),
            Ok(Reply::Record) => {
                left += 1;
                format!("RECORD {}", show(&Value::decode(connection.payload()).unwrap()))
            }
            Err(error) => {
                left = 0;
                format!("ERROR {error}")
            }
        });
    }
    heard
}

/// A stream that remembers what each write wrote.
pub struct Recorded<T> {
    io: T,
    writes: Writes,
}

/// The writes of a [`Recorded`] stream so far.
#[derive(Clone, Default)]
pub struct Writes(Arc<Mutex<Vec<Vec<u8>>>>);

impl<T> Recorded<T> {
    pub fn new(io: T) -> (Self, Writes) {
        let writes = Writes::default();
        (Self { io, writes: writes.clone() }, writes)
    }
}

impl Writes {
    /// Takes what was written since the last call: the names of the messages in each write.
    pub fn take(&self) -> Vec<Vec<&'static str>> {
        self.take_bytes().iter().map(|bytes| names(bytes)).collect()
    }

    pub fn take_bytes(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// The names of whole messages; anything else than whole messages is a failure of the test.
pub fn names(bytes: &[u8]) -> Vec<&'static str> {
    let mut frames = FrameReader::default();
    frames.push(bytes);
    let mut names = Vec::new();
    while let Some(frame) = frames.pop() {
        let Frame::Message { payload, .. } = frame else { panic!("a NOOP was written") };
        names.push(name(payload[1]));
    }
    assert!(frames.is_empty(), "a part of a message was written: {bytes:x?}");
    names
}

impl<T: AsyncRead + Unpin> AsyncRead for Recorded<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for Recorded<T> {}

impl<T: AsyncWrite + Unpin> AsyncWrite for Recorded<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, buf);
        if let Poll::Ready(Ok(count)) = written {
            self.writes.0.lock().unwrap().push(buf[..count].to_vec());
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// A stream that accepts a limited number of further bytes.
pub struct Valve<T> {
    io: T,
    left: Arc<AtomicUsize>,
}

impl<T> Valve<T> {
    /// Open, until the number is lowered.
    pub fn new(io: T) -> (Self, Arc<AtomicUsize>) {
        let left = Arc::new(AtomicUsize::new(usize::MAX));
        (Self { io, left: Arc::clone(&left) }, left)
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Valve<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for Valve<T> {}

impl<T: AsyncWrite + Unpin> AsyncWrite for Valve<T> {
    /// Does not wake when the valve is opened again: nobody is to go on writing.
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let left = self.left.load(Ordering::SeqCst);
        if left == 0 {
            return Poll::Pending;
        }
        let written = Pin::new(&mut self.io).poll_write(cx, &buf[..buf.len().min(left)]);
        if let Poll::Ready(Ok(count)) = written {
            self.left.fetch_sub(count, Ordering::SeqCst);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
