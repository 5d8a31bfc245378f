//! Framing: a message is one or more chunks of at most 65 535 bytes, and a chunk of no bytes ends it.
//!
//! Where a message should begin, the empty chunk is a keep-alive (NOOP) and means nothing.

use std::collections::VecDeque;

use bytes::{Buf, BytesMut};

use super::error::Error;

const MAX_CHUNK: usize = 0xFFFF;

/// The number of boundaries that are remembered of a message: its last ones. A server may send millions of one-byte
/// chunks, but whatever is looked for at boundaries starts at one of the last few.
const MAX_BOUNDARIES: usize = 256;

/// Appends one message, whose payload `write` appends.
pub fn frame(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0, 0]);
    write(out);
    let payload = out.len() - start - 2;
    if let Ok(length) = u16::try_from(payload) {
        put_length(out, start, length);
    } else {
        split(out, start, payload);
    }
    out.extend_from_slice(&[0, 0]);
}

/// The size of one framed message with a payload of `payload` bytes.
pub(super) fn framed_size(payload: usize) -> usize {
    payload + 2 * payload.div_ceil(MAX_CHUNK) + 4
}

/// Splits a payload that is too long for the one chunk it was written as. Moves it within the buffer, since it may be
/// very large.
fn split(out: &mut Vec<u8>, start: usize, payload: usize) {
    let heads = 2 * (payload.div_ceil(MAX_CHUNK) - 1);
    out.reserve_exact(heads + 2);
    out.resize(out.len() + heads, 0);
    // From the end, so that nothing is overwritten before it has moved.
    for chunk in (0..payload.div_ceil(MAX_CHUNK)).rev() {
        let from = start + 2 + chunk * MAX_CHUNK;
        let length = (payload - chunk * MAX_CHUNK).min(MAX_CHUNK);
        let to = from + 2 * chunk;
        out.copy_within(from..from + length, to);
        put_length(out, to - 2, u16::try_from(length).unwrap_or(u16::MAX));
    }
}

fn put_length(out: &mut [u8], at: usize, length: u16) {
    if let Some(head) = out.get_mut(at..at + 2) {
        head.copy_from_slice(&length.to_be_bytes());
    }
}

/// Takes bytes as they arrive, split anywhere, and returns one whole message at a time.
///
/// A message in a single chunk, the usual case, stays where it was read. Others are joined in a scratch buffer.
#[derive(Debug)]
pub struct Dechunker {
    buffer: BytesMut,
    scratch: Vec<u8>,
    /// The offsets in `scratch` at which the last chunks begin.
    boundaries: VecDeque<usize>,
    current: Current,
    max_message: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Current {
    /// Between messages, or in the middle of one that is being joined.
    None,
    /// In `buffer`, after its two bytes of length.
    InPlace(usize),
    /// In `scratch`.
    Joined,
}

impl Dechunker {
    /// Returns an empty dechunker that accepts payloads of at most `max_message` bytes.
    #[must_use]
    pub fn new(max_message: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            scratch: Vec::new(),
            boundaries: VecDeque::new(),
            current: Current::None,
            max_message,
        }
    }

    /// The buffer for bytes that arrive.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// Whether every byte that arrived belongs to a message that was returned.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let held = match self.current {
            Current::InPlace(length) => length + 4,
            Current::None | Current::Joined => 0,
        };
        self.buffer.len() == held && (self.current != Current::None || self.scratch.is_empty())
    }

    /// Moves on to the next message, and returns whether all of it has arrived.
    ///
    /// # Errors
    /// [`Error::MessageTooLong`].
    pub fn advance(&mut self) -> Result<bool, Error> {
        self.release();
        loop {
            let Some((head, rest)) = self.buffer.split_first_chunk::<2>() else {
                return Ok(false);
            };
            let length = usize::from(u16::from_be_bytes(*head));
            if length == 0 {
                self.buffer.advance(2);
                if self.boundaries.is_empty() {
                    continue; // a keep-alive
                }
                self.current = Current::Joined;
                return Ok(true);
            }
            let Some((chunk, behind)) = rest.split_at_checked(length) else {
                return Ok(false);
            };
            if self.scratch.len() + length > self.max_message {
                return Err(Error::MessageTooLong { limit: self.max_message });
            }
            if self.boundaries.is_empty() {
                match behind {
                    [0, 0, ..] => {
                        self.current = Current::InPlace(length);
                        return Ok(true);
                    }
                    [] | [_] => return Ok(false),
                    _ => {}
                }
            }
            if self.boundaries.len() == MAX_BOUNDARIES {
                self.boundaries.pop_front();
            }
            self.boundaries.push_back(self.scratch.len());
            self.scratch.extend_from_slice(chunk);
            self.buffer.advance(2 + length);
        }
    }

    /// The message that [`Dechunker::advance`] moved to.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        match self.current {
            Current::None => &[],
            Current::InPlace(length) => self.buffer.get(2..2 + length).unwrap_or_default(),
            Current::Joined => &self.scratch,
        }
    }

    /// The tails of the message that begin at one of its last chunk boundaries, except the whole message.
    pub fn tails(&self) -> impl Iterator<Item = &[u8]> {
        let joined = self.current == Current::Joined;
        let inner = self.boundaries.iter().filter(move |&&boundary| joined && boundary > 0);
        inner.filter_map(|&boundary| self.scratch.get(boundary..))
    }

    /// Releases the last message, and the read buffer if it has more than `most` bytes. Returns whether it had. Does
    /// nothing unless [`Dechunker::is_empty`].
    pub fn shrink(&mut self, most: usize) -> bool {
        if !self.is_empty() {
            return false;
        }
        self.release();
        let is_large = self.buffer.try_reclaim(most + 1);
        if is_large {
            self.buffer = BytesMut::new();
        }
        is_large
    }

    fn release(&mut self) {
        match std::mem::replace(&mut self.current, Current::None) {
            Current::None => {}
            Current::InPlace(length) => self.buffer.advance(length + 4),
            Current::Joined => {
                self.boundaries.clear();
                self.boundaries.shrink_to(0);
                self.scratch.clear();
                self.scratch.shrink_to(MAX_CHUNK);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn framed(messages: &[Vec<u8>]) -> Vec<u8> {
        let mut out = Vec::new();
        for message in messages {
            frame(&mut out, |out| out.extend_from_slice(message));
        }
        out
    }

    fn drain(dechunker: &mut Dechunker) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        while dechunker.advance().unwrap() {
            messages.push(dechunker.message().to_vec());
        }
        messages
    }

    #[test]
    fn messages_survive_a_cut_at_any_byte() {
        let messages = vec![vec![1; 5], vec![2; 70_000], vec![3; 65_535], vec![4; 131_071], vec![5]];
        let bytes = framed(&messages);
        for cut in [1, 2, 3, 4, 7, 1000, 65_536, 65_537, 65_538, 65_539] {
            let mut dechunker = Dechunker::new(1 << 20);
            let mut found = Vec::new();
            for piece in bytes.chunks(cut) {
                dechunker.buffer().extend_from_slice(piece);
                found.extend(drain(&mut dechunker));
            }
            assert_eq!(found, messages, "cut every {cut} bytes");
            assert!(dechunker.is_empty());
        }
    }

    #[test]
    fn a_large_message_is_split_without_a_copy() {
        let size = 3 << 20;
        let measured = allocation_counter::measure(|| {
            let mut out = Vec::with_capacity(framed_size(size));
            frame(&mut out, |out| out.resize(out.len() + size, 7));
        });
        assert_eq!(measured.bytes_max, u64::try_from(framed_size(size)).unwrap());
    }

    #[test]
    fn only_a_large_and_empty_buffer_is_released() {
        let mut dechunker = Dechunker::new(1 << 20);
        dechunker.buffer().reserve(100);
        for size in [90, 1000] {
            let bytes = framed(&[vec![7; size]]);
            dechunker.buffer().extend_from_slice(&bytes);
            assert!(!dechunker.shrink(500), "it has not been read");
            assert!(dechunker.advance().unwrap());
            assert_eq!(dechunker.shrink(500), size > 500, "{size}");
            assert!(dechunker.message().is_empty() && dechunker.buffer().is_empty());
            assert_eq!(dechunker.buffer().try_reclaim(90), size == 90, "{size}: a small buffer is reused whole");
        }
    }

    #[test]
    fn keep_alives_between_messages_are_ignored() {
        let mut dechunker = Dechunker::new(100);
        dechunker.buffer().extend_from_slice(&[0, 0, 0, 0, 0, 1, 7, 0, 0, 0, 0]);
        assert_eq!(drain(&mut dechunker), [vec![7]]);
        assert!(dechunker.is_empty());
    }

    #[test]
    fn a_message_beyond_the_limit_is_refused() {
        for chunk in [4, 101] {
            let mut dechunker = Dechunker::new(100);
            let payload = [9; 101];
            for piece in payload.chunks(chunk) {
                dechunker.buffer().extend_from_slice(&u16::try_from(piece.len()).unwrap().to_be_bytes());
                dechunker.buffer().extend_from_slice(piece);
            }
            dechunker.buffer().extend_from_slice(&[0, 0]);
            assert!(matches!(dechunker.advance(), Err(Error::MessageTooLong { limit: 100 })));
        }
    }

    #[test]
    fn tails_begin_where_chunks_begin() {
        let mut dechunker = Dechunker::new(100);
        dechunker.buffer().extend_from_slice(&[0, 2, 1, 2, 0, 1, 3, 0, 2, 4, 5, 0, 0]);
        assert!(dechunker.advance().unwrap());
        assert_eq!(dechunker.message(), [1, 2, 3, 4, 5]);
        assert_eq!(dechunker.tails().collect::<Vec<_>>(), [&[3, 4, 5][..], &[4, 5]]);
    }

    #[test]
    fn a_flood_of_small_chunks_costs_no_more_than_its_bytes() {
        const BYTES: usize = 1 << 20;
        let mut dechunker = Dechunker::new(BYTES);
        let mut most = 0;
        for at in 0..BYTES {
            dechunker.buffer().extend_from_slice(&[0, 1, if at == BYTES - 3 { 8 } else { 7 }]);
            assert!(!dechunker.advance().unwrap());
            most = most.max(dechunker.boundaries.capacity());
        }
        dechunker.buffer().extend_from_slice(&[0, 0]);
        assert!(dechunker.advance().unwrap());
        assert_eq!(dechunker.message().len(), BYTES);
        assert!(most <= 2 * MAX_BOUNDARIES, "{most} boundaries");
        assert!(dechunker.tails().any(|tail| tail == [8, 7, 7]), "the last ones are remembered");
        assert!(dechunker.shrink(4096) || dechunker.buffer.capacity() <= 64 * 1024);
        let kept = (dechunker.boundaries.capacity(), dechunker.scratch.capacity());
        assert!(kept.0 == 0 && kept.1 <= MAX_CHUNK, "{kept:?} are retained");
    }

    proptest! {
        #[test]
        fn framing_is_reversible(
            messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 1..8),
            cut in 1_usize..64,
        ) {
            let mut dechunker = Dechunker::new(1000);
            let mut found = Vec::new();
            for piece in framed(&messages).chunks(cut) {
                dechunker.buffer().extend_from_slice(piece);
                found.extend(drain(&mut dechunker));
            }
            prop_assert_eq!(found, messages);
        }

        #[test]
        fn hostile_bytes_end_in_messages_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
            let mut dechunker = Dechunker::new(64);
            dechunker.buffer().extend_from_slice(&bytes);
            while let Ok(true) = dechunker.advance() {
                prop_assert!(dechunker.message().len() <= 64);
            }
        }
    }
}
