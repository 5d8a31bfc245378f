//! Finds the end of a body: by its length, or by its last chunk.

use anyhow::{Result, ensure};

/// The state of a body that is being received.
#[derive(Debug)]
pub(super) struct Body {
    state: State,
    bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    /// The number of remaining bytes of a body of known length.
    Length(u64),
    /// Inside the line with a chunk's size; the size read so far.
    Size(u64),
    /// After the digits of that line.
    SizeEnd(u64),
    /// The number of remaining bytes of a chunk.
    Chunk(u64),
    /// Inside the line end after a chunk; whether it is the last chunk.
    ChunkEnd(bool),
    Complete,
}

impl Body {
    pub(super) fn of_length(length: u64) -> Self {
        Self { state: if length == 0 { State::Complete } else { State::Length(length) }, bytes: 0 }
    }

    pub(super) fn chunked() -> Self {
        Self { state: State::Size(0), bytes: 0 }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.state == State::Complete
    }

    /// The number of bytes so far, without chunk headers.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Processes received bytes.
    pub(super) fn feed(&mut self, mut piece: &[u8], mut kept: Option<&mut Vec<u8>>) -> Result<()> {
        while let Some((&first, rest)) = piece.split_first() {
            self.state = match self.state {
                State::Length(left) | State::Chunk(left) => {
                    let size = left.min(piece.len() as u64);
                    let (taken, rest) = piece.split_at(usize::try_from(size)?);
                    if let Some(kept) = kept.as_deref_mut() {
                        kept.extend(taken);
                    }
                    self.bytes += size;
                    piece = rest;
                    match self.state {
                        State::Chunk(_) if left == size => State::ChunkEnd(false),
                        State::Chunk(_) => State::Chunk(left - size),
                        _ if left == size => State::Complete,
                        _ => State::Length(left - size),
                    }
                }
                State::Size(size) => {
                    piece = rest;
                    match char::from(first).to_digit(16) {
                        Some(digit) => State::Size(size * 16 + u64::from(digit)),
                        None => State::SizeEnd(size),
                    }
                }
                State::SizeEnd(size) => {
                    piece = rest;
                    match (first, size) {
                        (b'\n', 0) => State::ChunkEnd(true),
                        (b'\n', _) => State::Chunk(size),
                        _ => State::SizeEnd(size),
                    }
                }
                State::ChunkEnd(last) => {
                    piece = rest;
                    match (first, last) {
                        (b'\n', true) => State::Complete,
                        (b'\n', false) => State::Size(0),
                        _ => State::ChunkEnd(last),
                    }
                }
                State::Complete => break,
            };
        }
        ensure!(piece.is_empty(), "there are {} bytes after the response", piece.len());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mut body: Body, bytes: &[u8], size: usize) -> (Vec<u8>, bool) {
        let mut kept = Vec::new();
        for piece in bytes.chunks(size) {
            assert!(body.feed(piece, Some(&mut kept)).is_ok());
        }
        (kept, body.is_complete())
    }

    #[test]
    fn chunks_are_joined_whatever_the_pieces() {
        let bytes = b"5\r\nhello\r\nb\r\n, the world\r\n0\r\n\r\n";
        for size in [1, 2, 3, bytes.len()] {
            assert_eq!(read(Body::chunked(), bytes, size), (b"hello, the world".to_vec(), true));
        }
        assert!(!read(Body::chunked(), bytes.get(..bytes.len() - 1).unwrap_or_default(), 4).1);
    }

    #[test]
    fn a_length_is_kept_to() {
        assert_eq!(read(Body::of_length(3), b"abc", 2), (b"abc".to_vec(), true));
        assert!(!read(Body::of_length(4), b"abc", 2).1);
        assert!(Body::of_length(2).feed(b"abc", None).is_err());
    }
}
