//! A client that sends exactly what it is told and shows exactly what comes.
//!
//! Owns: one connection from the first byte.
//! Promises: waits at most [`PATIENCE`] for anything, and panics naming what it waited for.
//! May not know: states, retries, the crate under test.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::frame::{Frame, FrameReader, frame};
use super::message::{self as msg, hello, hello_with, logon, show};
use super::value::{Value, v};

pub const PATIENCE: Duration = Duration::from_secs(60);

/// What came: a message, or the end of the connection.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    Message(Value),
    /// Bytes that are no value.
    Undecodable(Vec<u8>),
    End,
}

impl Reply {
    /// True for SUCCESS, FAILURE and IGNORED.
    fn is_summary(&self) -> bool {
        !matches!(self, Reply::Message(Value::Struct { tag: msg::RECORD, .. }))
    }

    /// The first field: metadata of a summary, values of a record.
    pub fn field(&self) -> Option<&Value> {
        match self {
            Reply::Message(Value::Struct { fields, .. }) => fields.first(),
            _ => None,
        }
    }

    pub fn get(&self, key: &str) -> Option<&Value> {
        self.field()?.get(key)
    }

    /// `SUCCESS`, `RECORD [1]`, `IGNORED`, `FAILURE code: message`, `END`.
    pub fn brief(&self) -> String {
        let Reply::Message(Value::Struct { tag, fields }) = self else {
            return if *self == Reply::End { "END".into() } else { "UNDECODABLE".into() };
        };
        match *tag {
            msg::RECORD => fields.first().map_or_else(String::new, |f| format!("RECORD {}", show(f))),
            msg::FAILURE => {
                let text = |key| self.get(key).and_then(Value::as_str).unwrap_or_default();
                let code = format!("{}{}", text("neo4j_code"), text("code"));
                format!("FAILURE {code}: {}", text("message"))
            }
            tag => msg::name(tag).to_owned(),
        }
    }
}

pub struct RawClient<S> {
    stream: S,
    frames: FrameReader,
}

impl<S: AsyncRead + AsyncWrite + Unpin> RawClient<S> {
    pub fn new(stream: S) -> RawClient<S> {
        RawClient { stream, frames: FrameReader::default() }
    }

    /// Sends the handshake and reads the 4 bytes of the answer.
    pub async fn shake(stream: S, slots: [[u8; 4]; 4]) -> (RawClient<S>, Vec<u8>) {
        let mut client = RawClient::new(stream);
        let mut offer = vec![0x60, 0x60, 0xB0, 0x17];
        slots.iter().for_each(|slot| offer.extend_from_slice(slot));
        client.send_raw(&offer).await;
        let answer = client.bytes(4).await;
        (client, answer)
    }

    /// Offers one version, which must be accepted.
    pub async fn open(stream: S, (major, minor): (u8, u8)) -> RawClient<S> {
        let (client, answer) = RawClient::shake(stream, [[0, 0, minor, major], [0; 4], [0; 4], [0; 4]]).await;
        assert_eq!(answer, [0, 0, minor, major], "the answer to an offer of {major}.{minor}");
        client
    }

    /// [`RawClient::open`], HELLO and LOGON, which must succeed.
    pub async fn login(stream: S, version: (u8, u8), auth: Value) -> RawClient<S> {
        let mut client = RawClient::open(stream, version).await;
        if version >= (5, 1) {
            client.send(&[hello(), logon(auth)]).await;
            assert_eq!(client.briefs(2).await, ["SUCCESS", "SUCCESS"]);
        } else {
            client.send(&[hello_with(auth.with("user_agent", "test/1"))]).await;
            assert_eq!(client.briefs(1).await, ["SUCCESS"]);
        }
        client
    }

    /// All messages in one write.
    pub async fn send(&mut self, messages: &[Value]) {
        let bytes: Vec<u8> = messages.iter().flat_map(|m| frame(&m.encode())).collect();
        self.send_raw(&bytes).await;
    }

    /// A server that has closed makes this fail, which is its right.
    pub async fn send_raw(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
        let _ = self.stream.flush().await;
    }

    /// Exactly `n` bytes, or fewer if the connection ends before.
    pub async fn bytes(&mut self, n: usize) -> Vec<u8> {
        let mut bytes = vec![0; n];
        let mut have = 0;
        while have < n {
            let read = tokio::time::timeout(PATIENCE, self.stream.read(&mut bytes[have..]));
            match read.await.unwrap_or_else(|_| panic!("{n} bytes never came, only {have}")) {
                Ok(0) | Err(_) => break,
                Ok(got) => have += got,
            }
        }
        bytes.truncate(have);
        bytes
    }

    /// The next frame; `None` at the end.
    pub async fn frame(&mut self) -> Option<Frame> {
        let next = tokio::time::timeout(PATIENCE, self.frames.next(&mut self.stream)).await;
        next.unwrap_or_else(|_| panic!("no frame came")).unwrap_or(None)
    }

    /// The next message, NOOPs skipped.
    pub async fn reply(&mut self) -> Reply {
        loop {
            match self.frame().await {
                None => return Reply::End,
                Some(Frame::Noop) => {}
                Some(Frame::Message { payload, .. }) => {
                    return Value::decode(&payload).map_or_else(|_| Reply::Undecodable(payload), Reply::Message);
                }
            }
        }
    }

    /// Everything up to the n-th summary, or the end.
    pub async fn replies(&mut self, summaries: usize) -> Vec<Reply> {
        let mut all = Vec::new();
        let mut left = summaries;
        while left > 0 {
            let reply = self.reply().await;
            left -= usize::from(reply.is_summary());
            let ended = reply == Reply::End;
            all.push(reply);
            if ended {
                break;
            }
        }
        all
    }

    /// [`RawClient::replies`] in short.
    pub async fn briefs(&mut self, summaries: usize) -> Vec<String> {
        self.replies(summaries).await.iter().map(Reply::brief).collect()
    }

    /// Sends and waits for as many summaries.
    pub async fn ask(&mut self, messages: &[Value]) -> Vec<Reply> {
        self.send(messages).await;
        self.replies(messages.len()).await
    }

    /// [`RawClient::ask`] in short.
    pub async fn talk(&mut self, messages: &[Value]) -> Vec<String> {
        self.ask(messages).await.iter().map(Reply::brief).collect()
    }

    /// Runs a statement automatically and returns the rows.
    pub async fn rows(&mut self, statement: &str, extra: Value) -> Vec<Vec<Value>> {
        let run = msg::run(statement, super::value::map([]), extra);
        let replies = self.ask(&[run, msg::pull(-1)]).await;
        let failed = replies.iter().find(|reply| reply.brief().starts_with("FAILURE"));
        assert!(failed.is_none(), "{statement}: {replies:?}");
        let rows = replies.iter().filter(|reply| !reply.is_summary());
        rows.filter_map(|r| r.field()?.as_list().map(<[Value]>::to_vec)).collect()
    }

    /// One cell of the first row of [`RawClient::rows`].
    pub async fn cell(&mut self, statement: &str, extra: Value, column: usize) -> Value {
        let rows = self.rows(statement, extra).await;
        rows.first().and_then(|row| row.get(column)).cloned().unwrap_or_else(|| v("no such cell"))
    }

    /// True if the connection ends within a moment, false if it stays open and silent. Where the clock is paused and
    /// all is in memory, the moment is over when nothing can happen any more. Over TCP only silence shows that nothing
    /// comes: it can hide a fault, but never reports one that is not there.
    pub async fn ends_within(&mut self, moment: Duration) -> bool {
        let next = self.frames.next(&mut self.stream);
        match tokio::time::timeout(moment, next).await {
            Ok(Ok(None) | Err(_)) => true,
            Ok(Ok(Some(frame))) => panic!("the connection says {frame:?}"),
            Err(_) => false,
        }
    }
}
