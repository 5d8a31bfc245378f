//! Scalars: null, Booleans, numbers, strings, bytes and UUIDs.

use std::borrow::Cow;

use bytes::{BufMut, BytesMut};

use super::error::RowError;
use super::{float, text};
use crate::bolt::packstream::Token;
use crate::json::{TypedVersion, View};

/// Appends an integer as a JSON number with all its digits.
pub fn integer(out: &mut BytesMut, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends a float in plain JSON: a number in Java's notation, or `"NaN"`, `"Infinity"`, `"-Infinity"`.
pub fn plain_float(out: &mut BytesMut, value: f64) {
    if value.is_finite() {
        float::double(out, value);
    } else {
        quoted(out, |out| float::double(out, value));
    }
}

/// Appends the output of `write` in quotes. It must not need escapes.
pub(super) fn quoted<T>(out: &mut BytesMut, write: impl FnOnce(&mut BytesMut) -> T) -> T {
    out.put_u8(b'"');
    let result = write(out);
    out.put_u8(b'"');
    result
}

/// Appends the output of `write` as a string of the type `name`: in quotes, and wrapped if the view is typed.
pub(super) fn textual<T>(
    out: &mut BytesMut,
    view: View,
    name: &'static str,
    write: impl FnOnce(&mut BytesMut) -> T,
) -> T {
    match view {
        View::Plain => quoted(out, write),
        View::Typed(_) => {
            open_typed(out, name);
            let result = quoted(out, write);
            out.put_u8(b'}');
            result
        }
    }
}

/// Appends `{"$type":"name","_value":`. The caller appends the value and `}`.
#[inline]
pub(super) fn open_typed(out: &mut BytesMut, name: &'static str) {
    out.reserve(32 + name.len());
    out.extend_from_slice(b"{\"$type\":\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\",\"_value\":");
}

/// Like [`open_typed`] for a string. The caller appends its content and `"}`.
pub(super) fn open_typed_text(out: &mut BytesMut, name: &'static str) {
    open_typed(out, name);
    out.put_u8(b'"');
}

/// Appends the value of `token` if it is a scalar that every view can represent, and returns whether it was.
#[inline]
pub(super) fn append(out: &mut BytesMut, view: View, token: &Token<'_>) -> bool {
    match *token {
        Token::Null => null(out, view),
        Token::Boolean(value) => boolean(out, view, value),
        Token::Integer(value) => number(out, view, value),
        Token::Float(value) => floating(out, view, value),
        Token::String(value) => characters(out, view, value),
        Token::Bytes(value) => bytes(out, view, value),
        Token::Uuid(_) | Token::List(_) | Token::Map(_) | Token::Struct(..) => return false,
    }
    true
}

pub(super) fn null(out: &mut BytesMut, view: View) {
    out.extend_from_slice(match view {
        View::Plain => b"null",
        View::Typed(_) => br#"{"$type":"Null","_value":null}"#,
    });
}

pub(super) fn boolean(out: &mut BytesMut, view: View, value: bool) {
    out.extend_from_slice(match (view, value) {
        (View::Plain, false) => b"false",
        (View::Plain, true) => b"true",
        (View::Typed(_), false) => br#"{"$type":"Boolean","_value":false}"#,
        (View::Typed(_), true) => br#"{"$type":"Boolean","_value":true}"#,
    });
}

pub(super) fn number(out: &mut BytesMut, view: View, value: i64) {
    match view {
        View::Plain => integer(out, value),
        View::Typed(_) => textual(out, view, "Integer", |out| integer(out, value)),
    }
}

pub(super) fn floating(out: &mut BytesMut, view: View, value: f64) {
    match view {
        View::Plain => plain_float(out, value),
        View::Typed(_) => textual(out, view, "Float", |out| float::double(out, value)),
    }
}

pub(super) fn characters(out: &mut BytesMut, view: View, value: &str) {
    match view {
        View::Plain => text::string(out, value),
        View::Typed(_) => textual(out, view, "String", |out| text::escaped(out, value)),
    }
}

pub(super) fn bytes(out: &mut BytesMut, view: View, value: &[u8]) {
    textual(out, view, "Base64", |out| text::base64(out, value));
}

/// Appends a UUID, or its replacement in a view without UUIDs.
pub(super) fn uuid(out: &mut BytesMut, view: View, value: [u8; 16]) -> Result<(), RowError> {
    match view {
        View::Typed(version) if version < TypedVersion::V1_2 => unsupported(out, view, Cow::Borrowed("UUID")),
        View::Plain | View::Typed(_) => {
            textual(out, view, "UUID", |out| hyphenated(out, value));
            Ok(())
        }
    }
}

/// Appends the typed views' replacement for a value that they cannot represent.
///
/// # Errors
/// Returns [`RowError::Unsupported`] in the views that have no such replacement.
pub(super) fn unsupported(out: &mut BytesMut, view: View, type_name: Cow<'static, str>) -> Result<(), RowError> {
    match view {
        View::Plain | View::Typed(TypedVersion::V1_0) => Err(RowError::Unsupported { type_name, nested: false }),
        View::Typed(_) => {
            textual(out, view, "Unsupported", |out| {
                out.extend_from_slice(br#"Type \""#);
                text::escaped(out, &type_name);
                out.extend_from_slice(br#"\" is not supported in the current MimeType."#);
            });
            Ok(())
        }
    }
}

fn hyphenated(out: &mut BytesMut, value: [u8; 16]) {
    for (position, byte) in value.into_iter().enumerate() {
        if matches!(position, 4 | 6 | 8 | 10) {
            out.put_u8(b'-');
        }
        let digit = |nibble: u8| {
            if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
        };
        out.extend_from_slice(&[digit(byte >> 4), digit(byte & 0x0F)]);
    }
}
