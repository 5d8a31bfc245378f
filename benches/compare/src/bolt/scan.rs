//! A scanner for the bytes of a server, which reads chunk headers and tags and skips everything else.

use super::reply;

/// The state of the scan. Bytes may arrive in pieces of any size.
#[derive(Debug, Default)]
pub struct Scan {
    /// The number of rows.
    pub records: u64,
    /// The number of messages that end a request.
    pub summaries: u64,
    /// Every FAILURE, without chunk headers.
    pub failure: Option<Vec<u8>>,
    state: State,
    /// The bytes of the current message that were seen, up to two: the second byte is the tag.
    seen: u8,
    tag: u8,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    #[default]
    Size,
    SizeEnd(u8),
    Chunk(usize),
}

impl Scan {
    /// Scans `bytes`.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        while let Some((&first, rest)) = bytes.split_first() {
            match self.state {
                State::Size => {
                    self.state = State::SizeEnd(first);
                    bytes = rest;
                }
                State::SizeEnd(high) => {
                    let size = usize::from(u16::from_be_bytes([high, first]));
                    self.state = if size == 0 { self.end_message() } else { State::Chunk(size) };
                    bytes = rest;
                }
                State::Chunk(left) => {
                    let (chunk, rest) = bytes.split_at(left.min(bytes.len()));
                    self.look_into(chunk);
                    self.state = if chunk.len() == left { State::Size } else { State::Chunk(left - chunk.len()) };
                    bytes = rest;
                }
            }
        }
    }

    fn look_into(&mut self, chunk: &[u8]) {
        for byte in chunk.iter().take(usize::from(2 - self.seen)) {
            self.seen += 1;
            self.tag = *byte;
        }
        if self.seen == 2 && self.tag == reply::FAILURE {
            self.failure.get_or_insert_default().extend(chunk);
        }
    }

    fn end_message(&mut self) -> State {
        match (self.seen, self.tag) {
            (0, _) => {}
            (_, reply::RECORD) => self.records += 1,
            _ => self.summaries += 1,
        }
        self.seen = 0;
        self.tag = 0;
        State::Size
    }
}

#[cfg(test)]
mod tests {
    use super::super::framed;
    use super::*;

    #[test]
    fn counts_whatever_the_pieces() {
        let long = [&[0xB1, reply::RECORD][..], &vec![9; 70_000]].concat();
        let messages: [&[u8]; 5] =
            [&[0xB1, reply::SUCCESS, 0xA0], &[0xB1, reply::RECORD, 0x91, 1], &long, &[], &[0xB1, reply::FAILURE, 0xA0]];
        let bytes = messages.map(framed).concat();
        for size in [1, 2, 3, 1000, bytes.len()] {
            let mut scan = Scan::default();
            bytes.chunks(size).for_each(|piece| scan.feed(piece));
            assert_eq!((scan.records, scan.summaries), (2, 2), "pieces of {size}");
            assert!(scan.failure.is_some_and(|text| text.ends_with(&[0xA0])), "pieces of {size}");
        }
    }
}
