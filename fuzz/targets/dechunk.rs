//! Any bytes, split anywhere, as the chunks of a connection: the messages must be those of the whole.
//!
//! The first byte is the number of bytes after it that are lengths of pieces, which are used in turn.
#![no_main]

use boltgate::bolt::chunk::Dechunker;
use libfuzzer_sys::fuzz_target;

const LONGEST: usize = 4096;

/// The messages that were found, and whether a limit ended the search.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    messages: Vec<Vec<u8>>,
    tails: Vec<Vec<u8>>,
    too_long: bool,
}

fuzz_target!(|data: &[u8]| {
    let Some((&count, rest)) = data.split_first() else {
        return;
    };
    let (lengths, stream) = rest.split_at(usize::from(count).min(rest.len()));
    let whole = cut(stream, std::iter::once(stream.len()));
    assert_eq!(whole.messages, expected(stream, whole.too_long));
    let pieces = lengths.iter().map(|&length| usize::from(length) + 1);
    if !lengths.is_empty() {
        assert_eq!(cut(stream, pieces.cycle()), whole);
    }
    assert_eq!(cut(stream, std::iter::repeat(1)), whole);
});

fn cut(mut stream: &[u8], lengths: impl Iterator<Item = usize>) -> Found {
    let mut dechunker = Dechunker::new(LONGEST);
    let mut found = Found::default();
    for length in lengths {
        let (piece, rest) = stream.split_at(length.min(stream.len()));
        stream = rest;
        dechunker.buffer().extend_from_slice(piece);
        loop {
            match dechunker.advance() {
                Ok(true) => {
                    found.messages.push(dechunker.message().to_vec());
                    found.tails.extend(dechunker.tails().map(<[u8]>::to_vec));
                }
                Ok(false) => break,
                Err(_) => {
                    found.too_long = true;
                    return found;
                }
            }
        }
        if stream.is_empty() {
            break;
        }
    }
    found
}

/// A simple implementation of the same.
fn expected(mut stream: &[u8], too_long: bool) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    let mut message = Vec::new();
    while let Some((head, rest)) = stream.split_first_chunk::<2>() {
        let Some((chunk, rest)) = rest.split_at_checked(usize::from(u16::from_be_bytes(*head))) else {
            break;
        };
        stream = rest;
        message.extend_from_slice(chunk);
        if message.len() > LONGEST {
            assert!(too_long, "a message of {} bytes was let through", message.len());
            return messages;
        }
        if chunk.is_empty() && !message.is_empty() {
            messages.push(std::mem::take(&mut message));
        }
    }
    assert!(!too_long, "no message was too long");
    messages
}
