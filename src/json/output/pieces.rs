//! Long values in pieces, so that no buffer has to hold all of one.

use bytes::{BufMut, BytesMut};

use super::{scalar, text, vector};
use crate::bolt::packstream::{DecodeError, Reader, Token};
use crate::json::View;

/// What is longer than this, in bytes, is written in pieces.
pub(super) const SHORT: usize = 16 * 1024;

/// Bytes in one piece: whole groups of Base64, and whole coordinates of any width.
pub(super) const PART: usize = 12 * 1024;

/// What pieces are pieces of.
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

/// Whether a value is to be written in pieces.
pub(super) fn is_long(token: &Token<'_>) -> bool {
    match token {
        Token::String(text) => text.len() > SHORT,
        Token::Bytes(bytes) => bytes.len() > SHORT,
        _ => false,
    }
}

/// Moves a reader that stands behind so many bytes in front of them.
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
    let (bytes, rest) = reader.rest().split_at_checked(length).ok_or(DecodeError::Framing("it ends too early"))?;
    *reader = Reader::new(rest);
    match piece {
        // Its characters were checked when its token was read. Those that need an escape are bytes of their own.
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
