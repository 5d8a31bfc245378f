//! Bolt's chunked framing: messages to chunks of any size, and chunks to messages.
//!
//! Owns: the chunk headers, the end marker, NOOPs.
//! Promises: the reader remembers where the chunks of a message ended, because some servers make
//! that matter.
//! May not know: what a message means.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// The largest payload of one chunk.
pub const MAX_CHUNK: usize = 0xFFFF;

/// A bare end marker where a message would begin: keep-alive.
pub const NOOP: [u8; 2] = [0, 0];

/// `payload` in chunks of at most `chunk` bytes (1..=65535), with its end marker.
pub fn frame_in(payload: &[u8], chunk: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 8);
    for part in payload.chunks(chunk.clamp(1, MAX_CHUNK)) {
        out.extend_from_slice(&(part.len() as u16).to_be_bytes());
        out.extend_from_slice(part);
    }
    out.extend_from_slice(&NOOP);
    out
}

/// `payload` in as few chunks as possible, with its end marker.
pub fn frame(payload: &[u8]) -> Vec<u8> {
    frame_in(payload, MAX_CHUNK)
}

/// What the reader found between two end markers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    Noop,
    Message {
        payload: Vec<u8>,
        /// Payload length of each chunk, in order.
        chunks: Vec<usize>,
    },
}

/// Joins chunks to messages, over any split of the bytes.
#[derive(Debug, Default)]
pub struct FrameReader {
    buffer: Vec<u8>,
    /// Where the unread part of `buffer` begins.
    at: usize,
    payload: Vec<u8>,
    chunks: Vec<usize>,
}

impl FrameReader {
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.at);
        self.at = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame, if its last byte has been pushed.
    pub fn pop(&mut self) -> Option<Frame> {
        loop {
            let header = self.rest().get(..2)?;
            let len = usize::from(u16::from_be_bytes([header[0], header[1]]));
            if len == 0 {
                self.at += 2;
                if self.chunks.is_empty() {
                    return Some(Frame::Noop);
                }
                return Some(Frame::Message {
                    payload: std::mem::take(&mut self.payload),
                    chunks: std::mem::take(&mut self.chunks),
                });
            }
            let part = self.buffer.get(self.at + 2..self.at + 2 + len)?;
            self.payload.extend_from_slice(part);
            self.chunks.push(len);
            self.at += 2 + len;
        }
    }

    /// Payload bytes of the unfinished message, the announced but missing ones included.
    pub fn pending_len(&self) -> usize {
        let announced = match self.rest().get(..2) {
            Some(header) => usize::from(u16::from_be_bytes([header[0], header[1]])),
            None => 0,
        };
        self.payload.len() + announced
    }

    /// True if neither a byte of a message nor of a header is waiting.
    pub fn is_empty(&self) -> bool {
        self.rest().is_empty() && self.chunks.is_empty()
    }

    /// Bytes read from the stream that belong to no whole frame yet.
    pub fn rest(&self) -> &[u8] {
        &self.buffer[self.at..]
    }

    /// Reads until a frame is complete; `None` at the end of the stream between two frames.
    ///
    /// # Errors
    /// The stream's own, and `UnexpectedEof` if it ends inside a frame.
    pub async fn next<R: AsyncRead + Unpin>(&mut self, stream: &mut R) -> io::Result<Option<Frame>> {
        let mut bytes = vec![0; 16 * 1024];
        loop {
            if let Some(frame) = self.pop() {
                return Ok(Some(frame));
            }
            match stream.read(&mut bytes).await? {
                0 if self.is_empty() => return Ok(None),
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => self.push(&bytes[..n]),
            }
        }
    }
}
