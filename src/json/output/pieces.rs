//! Long values, written in pieces so that no buffer has to hold all of one.

use bytes::{BufMut, BytesMut};

use super::{scalar, text, vector};
use crate::bolt::packstream::{DecodeError, Reader, Token};
use crate::json::View;

/// The size in bytes above which a value is written in pieces.
pub(super) const SHORT: usize = 16 * 1024;

/// The bytes in one piece: a multiple of a Base64 group and of any coordinate's width.
pub(super) const PART: usize = 12 * 1024;

/// A long value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
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
        Token::String(text) => text.len() > SHORT,
        Token::Bytes(bytes) => bytes.len() > SHORT,
        _ => false,
    }
}

/// Moves the reader back by `bytes` bytes.
pub(super) fn step_back<'a>(reader: &mut Reader<'a>, fields: &'a [u8], bytes: usize) {
    let place = fields.len().saturating_sub(reader.rest().len() + bytes);
    *reader = Reader::new(fields.get(place..).unwrap_or_default());
}

/// Begins the text of a value.
pub(super) fn open(out: &mut BytesMut, view: View, piece: Piece) {
    match (piece, view) {
        (Piece::Key, _) | (Piece::Text | Piece::Base64, View::Plain) => out.put_u8(b'"'),
        (Piece::Text, View::Typed(_)) => scalar::open_typed_text(out, "String"),
        (Piece::Base64, View::Typed(_)) => scalar::open_typed_text(out, "Base64"),
        (Piece::Vector(kind), view) => vector::open(out, view, kind),
    }
}

/// Writes the next `length` bytes at the reader.
pub(super) fn write(
    out: &mut BytesMut,
    view: View,
    piece: Piece,
    first: bool,
    reader: &mut Reader<'_>,
    length: usize,
) -> Result<(), DecodeError> {
    let (bytes, rest) =
        reader.rest().split_at_checked(length).ok_or(DecodeError::Framing("the record ends inside a value"))?;
    *reader = Reader::new(rest);
    match piece {
        // The characters were checked when the token was read. Those that need an escape are single bytes.
        Piece::Text | Piece::Key => text::escaped_bytes(out, bytes),
        Piece::Base64 => text::base64(out, bytes),
        Piece::Vector(kind) => vector::items(out, view, kind, bytes, first),
    }
    Ok(())
}

/// Ends the text of a value.
pub(super) fn close(out: &mut BytesMut, view: View, piece: Piece) {
    out.extend_from_slice(match (piece, view) {
        (Piece::Key, _) => b"\":",
        (Piece::Text | Piece::Base64, View::Plain) => b"\"",
        (Piece::Text | Piece::Base64, View::Typed(_)) => b"\"}",
        (Piece::Vector(_), view) => vector::closing(view),
    });
}
