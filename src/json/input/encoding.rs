//! The encoding of a request body: UTF-8, UTF-16 or UTF-32, recognised by its first bytes.
//!
//! Promises that the result is the whole body as valid text, without a byte order mark. Ignores the media type's
//! charset parameter, because RFC 8259 defines none.

use std::borrow::Cow;

use thiserror::Error;

/// A body that is not valid in the encoding that its first bytes show.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the body is not valid {encoding} at byte {offset}; send JSON as UTF-8")]
pub struct EncodingError {
    /// The encoding that was recognised.
    pub encoding: &'static str,
    /// The offset of the first invalid byte, from the start of the body.
    pub offset: usize,
}

/// The encoding of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16 { big: bool },
    Utf32 { big: bool },
}

/// Returns the body as text: borrowed if it is UTF-8, converted otherwise.
///
/// # Errors
/// Returns an [`EncodingError`] with the encoding and the first invalid byte. An unpaired surrogate is invalid.
pub fn decode(body: &[u8]) -> Result<Cow<'_, str>, EncodingError> {
    let (encoding, mark) = recognise(body);
    let text = body.get(mark..).unwrap_or_default();
    match encoding {
        Encoding::Utf8 => utf8(text, mark).map(Cow::Borrowed),
        Encoding::Utf16 { big } => utf16(text, mark, big).map(Cow::Owned),
        Encoding::Utf32 { big } => utf32(text, mark, big).map(Cow::Owned),
    }
}

/// Whether the first bytes of the body indicate UTF-8.
#[must_use]
pub fn is_utf8(body: &[u8]) -> bool {
    recognise(body).0 == Encoding::Utf8
}

/// Recognises the encoding, and the length of its byte order mark. Without a mark, the zero bytes around the first
/// character decide, because that character is ASCII in JSON.
fn recognise(body: &[u8]) -> (Encoding, usize) {
    match *body {
        [0xEF, 0xBB, 0xBF, ..] => (Encoding::Utf8, 3),
        [0x00, 0x00, 0xFE, 0xFF, ..] => (Encoding::Utf32 { big: true }, 4),
        [0xFF, 0xFE, 0x00, 0x00, ..] => (Encoding::Utf32 { big: false }, 4),
        [0xFE, 0xFF, ..] => (Encoding::Utf16 { big: true }, 2),
        [0xFF, 0xFE, ..] => (Encoding::Utf16 { big: false }, 2),
        [0x00, 0x00, 0x00, _, ..] => (Encoding::Utf32 { big: true }, 0),
        [_, 0x00, 0x00, 0x00, ..] => (Encoding::Utf32 { big: false }, 0),
        [0x00, _, ..] => (Encoding::Utf16 { big: true }, 0),
        [_, 0x00, ..] => (Encoding::Utf16 { big: false }, 0),
        _ => (Encoding::Utf8, 0),
    }
}

fn utf8(text: &[u8], mark: usize) -> Result<&str, EncodingError> {
    simdutf8::compat::from_utf8(text)
        .map_err(|error| EncodingError { encoding: "UTF-8", offset: mark + error.valid_up_to() })
}

fn utf16(text: &[u8], mark: usize, big: bool) -> Result<String, EncodingError> {
    let wrong = |unit: usize| EncodingError { encoding: "UTF-16", offset: mark + 2 * unit };
    let (pairs, rest) = text.as_chunks::<2>();
    let units = pairs.iter().map(|pair| match big {
        true => u16::from_be_bytes(*pair),
        false => u16::from_le_bytes(*pair),
    });
    // Counted first: a string that grows by doubling would briefly take three times its size.
    let size = char::decode_utf16(units.clone()).map(|unit| unit.map_or(0, char::len_utf8)).sum();
    let mut decoded = String::with_capacity(size);
    let mut unit = 0;
    for character in char::decode_utf16(units) {
        let character = character.map_err(|_| wrong(unit))?;
        unit += character.len_utf16();
        decoded.push(character);
    }
    if rest.is_empty() { Ok(decoded) } else { Err(wrong(unit)) }
}

fn utf32(text: &[u8], mark: usize, big: bool) -> Result<String, EncodingError> {
    let wrong = |unit: usize| EncodingError { encoding: "UTF-32", offset: mark + 4 * unit };
    let (quads, rest) = text.as_chunks::<4>();
    let mut decoded = String::with_capacity(text.len() / 4);
    for (unit, quad) in quads.iter().enumerate() {
        let point = if big { u32::from_be_bytes(*quad) } else { u32::from_le_bytes(*quad) };
        decoded.push(char::from_u32(point).ok_or_else(|| wrong(unit))?);
    }
    if rest.is_empty() { Ok(decoded) } else { Err(wrong(quads.len())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "{\"a\":\"é😀\"}";

    fn units16(big: bool) -> Vec<u8> {
        let order = |unit: u16| {
            if big { unit.to_be_bytes() } else { unit.to_le_bytes() }
        };
        TEXT.encode_utf16().flat_map(order).collect()
    }

    fn units32(big: bool) -> Vec<u8> {
        let order = |unit: u32| {
            if big { unit.to_be_bytes() } else { unit.to_le_bytes() }
        };
        TEXT.chars().map(u32::from).flat_map(order).collect()
    }

    fn marked(mark: &[u8], text: Vec<u8>) -> Vec<u8> {
        [mark, &text].concat()
    }

    #[test]
    fn every_encoding_is_read_with_and_without_a_byte_order_mark() {
        for body in [
            TEXT.as_bytes().to_vec(),
            marked(&[0xEF, 0xBB, 0xBF], TEXT.as_bytes().to_vec()),
            units16(true),
            units16(false),
            marked(&[0xFE, 0xFF], units16(true)),
            marked(&[0xFF, 0xFE], units16(false)),
            units32(true),
            units32(false),
            marked(&[0, 0, 0xFE, 0xFF], units32(true)),
            marked(&[0xFF, 0xFE, 0, 0], units32(false)),
        ] {
            assert_eq!(decode(&body).as_deref(), Ok(TEXT), "{body:x?}");
        }
        assert_eq!(decode(b"").as_deref(), Ok(""));
    }

    #[test]
    fn invalid_bytes_are_located() {
        for (body, encoding, offset) in [
            (&b"{\"a\":\"\xE9\"}"[..], "UTF-8", 6),
            (b"\xEF\xBB\xBF\xFF", "UTF-8", 3),
            (b"{\0\"\0\x00\xD8\"\0", "UTF-16", 4),
            (b"{\0\"", "UTF-16", 2),
            (b"{\0\0\0\0\0\x11\0", "UTF-32", 4),
            (b"{\0\0\0\"", "UTF-32", 4),
        ] {
            assert_eq!(decode(body), Err(EncodingError { encoding, offset }), "{body:x?}");
        }
    }
}
