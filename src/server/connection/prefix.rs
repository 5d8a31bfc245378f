//! The first bytes of a connection, which tell HTTP/2 from HTTP/1: read once, kept, and replayed to hyper.
//!
//! hyper's own detection would double the buffer that each connection has. Reading instead of peeking matters: a socket
//! with unread bytes stays readable, so a client that sends `P` and waits would keep its task awake.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncReadExt as _, ReadBuf};

/// The beginning of HTTP/2's preface. No method of HTTP/1 begins like this.
const PREFACE: [u8; 3] = *b"PRI";

/// Bytes that were read before hyper asked for them.
#[derive(Debug, Default)]
pub(super) struct Prefix {
    bytes: [u8; PREFACE.len()],
    length: usize,
}

impl Prefix {
    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Reads until the bytes differ from HTTP/2's preface or complete its beginning. Returns whether the client speaks
    /// HTTP/2.
    pub(super) async fn read_preface(&mut self, read: &mut (impl AsyncRead + Unpin)) -> io::Result<bool> {
        while PREFACE.starts_with(self.bytes()) {
            let room = self.bytes.get_mut(self.length..).unwrap_or_default();
            if room.is_empty() {
                return Ok(true);
            }
            match read.read(room).await? {
                0 => break,
                length => self.length += length,
            }
        }
        Ok(false)
    }

    /// Reads ahead into the empty prefix. Returns the number of bytes, which is zero at the end of the stream.
    pub(super) fn poll_fill(
        &mut self,
        read: Pin<&mut impl AsyncRead>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let mut buf = ReadBuf::new(&mut self.bytes);
        ready!(read.poll_read(cx, &mut buf))?;
        self.length = buf.filled().len();
        Poll::Ready(Ok(self.length))
    }

    /// Moves as many bytes to `buf` as fit.
    pub(super) fn replay(&mut self, buf: &mut ReadBuf<'_>) {
        let length = self.length.min(buf.remaining());
        buf.put_slice(self.bytes().get(..length).unwrap_or_default());
        self.bytes.rotate_left(length);
        self.length -= length;
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}
