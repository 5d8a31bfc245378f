//! Long values, written in pieces so that no buffer has to hold all of one.

use bytes::{BufMut, BytesMut};

use super::{scalar, text, vector};
use crate::bolt::packstream::{DecodeError, Reader, Token};
use crate::json::View;

/// The size in bytes above which a value is written in pieces.
pub(super) const LONGEST_WHOLE: usize = 16 * 1024;

/// The bytes in one piece: a multiple of a Base64 group and of any coordinate's width.
pub(super) const PIECE: usize = 12 * 1024;

/// A long value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LongValue {
    /// A string.
    Text,
    /// A key of a map.
    Key,
    /// Bytes.
    Base64,
    /// The coordinates of a vector of this type.
    Vector(&'static str),
}

/// Whether the value has to be written in pieces.
pub(super) fn is_long(token: &Token<'_>) -> bool {
    match token {
        Token::String(text) => text.len() > LONGEST_WHOLE,
        Token::Bytes(bytes) => bytes.len() > LONGEST_WHOLE,
        _ => false,
    }
}

/// Moves the reader back by `bytes` bytes.
pub(super) fn step_back<'a>(reader: &mut Reader<'a>, fields: &'a [u8], bytes: usize) {
    let place = fields.len().saturating_sub(reader.rest().len() + bytes);
    *reader = Reader::new(fields.get(place..).unwrap_or_default());
}

/// Begins the text of a value.
pub(super) fn open(out: &mut BytesMut, view: View, value: LongValue) {
    match (value, view) {
        (LongValue::Key, _) | (LongValue::Text | LongValue::Base64, View::Plain) => out.put_u8(b'"'),
        (LongValue::Text, View::Typed(_)) => scalar::open_typed_text(out, "String"),
        (LongValue::Base64, View::Typed(_)) => scalar::open_typed_text(out, "Base64"),
        (LongValue::Vector(kind), view) => vector::open(out, view, kind),
    }
}

/// Writes the next `length` bytes at the reader.
pub(super) fn write(
    out: &mut BytesMut,
    view: View,
    value: LongValue,
    first: bool,
    reader: &mut Reader<'_>,
    length: usize,
) -> Result<(), DecodeError> {
    let (bytes, rest) =
        reader.rest().split_at_checked(length).ok_or(DecodeError::Framing("the record ends inside a value"))?;
    *reader = Reader::new(rest);
    match value {
        // The characters were checked when the token was read. Those that need an escape are single bytes.
        LongValue::Text | LongValue::Key => text::escaped_bytes(out, bytes),
        LongValue::Base64 => text::base64(out, bytes),
        LongValue::Vector(kind) => vector::items(out, view, kind, bytes, first),
    }
    Ok(())
}

/// Ends the text of a value.
pub(super) fn close(out: &mut BytesMut, view: View, value: LongValue) {
    out.extend_from_slice(match (value, view) {
        (LongValue::Key, _) => b"\":",
        (LongValue::Text | LongValue::Base64, View::Plain) => b"\"",
        (LongValue::Text | LongValue::Base64, View::Typed(_)) => b"\"}",
        (LongValue::Vector(_), view) => vector::closing(view),
    });
}
