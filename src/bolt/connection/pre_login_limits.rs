//! The limits on messages before a login has succeeded: Neo4j closes the connection if an unauthenticated client sends
//! a large or deep one (8 KiB, 64 entries, four levels; seen on 5.26 and 2026.09).

use smallvec::SmallVec;

use super::super::packstream::{DecodeError, Reader, Token};

const MAX_BYTES: usize = 8 * 1024;
const MAX_ENTRIES: usize = 64;
/// The most nesting levels, including the message itself.
const MAX_DEPTH: usize = 3;

/// Whether a framed message may be sent before the login has succeeded.
pub(super) fn is_allowed_before_login(framed: &[u8]) -> bool {
    // Within the limit a message is one chunk, between its length and the two bytes of its end.
    let message = framed.get(2..framed.len().saturating_sub(2)).unwrap_or_default();
    framed.len() <= MAX_BYTES && is_flat(message).unwrap_or(false)
}

fn is_flat(message: &[u8]) -> Result<bool, DecodeError> {
    let mut reader = Reader::new(message);
    // The number of values that each open container still has.
    let mut open: SmallVec<[usize; MAX_DEPTH]> = SmallVec::new();
    while !reader.rest().is_empty() {
        if let Some(left) = open.last_mut() {
            *left -= 1;
        }
        let (entries, values) = match reader.token()? {
            Token::List(count) | Token::Struct(_, count) => (count, count),
            Token::Map(count) => (count, 2 * count.min(MAX_ENTRIES)),
            _ => (0, 0),
        };
        if entries > MAX_ENTRIES || (entries > 0 && open.len() == MAX_DEPTH) {
            return Ok(false);
        }
        open.push(values);
        while open.last() == Some(&0) {
            open.pop();
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::{chunk::frame, packstream::Writer},
        *,
    };

    fn framed(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
        let mut out = Vec::new();
        frame(&mut out, |out| {
            let mut writer = Writer::new(out);
            writer.structure(0x10, 1);
            write(&mut writer);
        });
        out
    }

    fn nested(levels: usize) -> Vec<u8> {
        framed(|writer| {
            for _ in 0..levels {
                writer.list(1);
            }
            writer.integer(1);
        })
    }

    fn wide(entries: usize) -> Vec<u8> {
        framed(|writer| {
            writer.list(entries);
            for at in 0..entries {
                writer.integer(at.try_into().unwrap());
            }
        })
    }

    #[test]
    fn small_and_flat_messages_are_allowed() {
        assert!(
            is_allowed_before_login(&nested(0))
                && is_allowed_before_login(&nested(2))
                && is_allowed_before_login(&wide(64))
        );
        assert!(is_allowed_before_login(&framed(|writer| {
            writer.map(2);
            for key in ["a", "b"] {
                writer.string(key);
                writer.list(0);
            }
        })));
    }

    #[test]
    fn deep_wide_or_long_messages_are_not_allowed() {
        assert!(
            !is_allowed_before_login(&nested(3))
                && !is_allowed_before_login(&nested(500))
                && !is_allowed_before_login(&wide(65))
        );
        assert!(is_allowed_before_login(&framed(|writer| writer.string(&"x".repeat(8000)))));
        assert!(!is_allowed_before_login(&framed(|writer| writer.string(&"x".repeat(8200)))));
        assert!(!is_allowed_before_login(&framed(|writer| writer.string(&"x".repeat(100_000)))));
    }
}
