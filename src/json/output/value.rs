//! One value, written as a whole.

use bytes::BytesMut;

use super::error::RowError;
use super::scalar;
use super::walk::{Progress, Walk};
use crate::bolt::packstream::{Reader, Token};
use crate::json::View;

/// Appends the value at the reader in a view, and moves the reader past it.
///
/// # Errors
/// See [`RowError`]. After an error `out` is unchanged, and the reader's position is unspecified.
#[inline]
pub fn value(out: &mut BytesMut, reader: &mut Reader<'_>, view: View) -> Result<(), RowError> {
    value_within(out, reader, view, usize::MAX)
}

/// Like [`value`], but stops once `out` is longer than about `limit` bytes.
///
/// # Errors
/// Also returns [`RowError::TooLong`].
#[inline]
pub fn value_within(out: &mut BytesMut, reader: &mut Reader<'_>, view: View, limit: usize) -> Result<(), RowError> {
    // Matched by reference: moving a token that has just been written costs as much as writing most values.
    match &reader.token() {
        // Most values are scalars, which need no bookkeeping for nesting.
        Ok(token) if scalar::append(out, view, token) => Ok(()),
        Ok(token) => compound(out, reader, view, token, limit),
        Err(error) => Err(error.clone().into()),
    }
}

fn compound<'a>(
    out: &mut BytesMut,
    reader: &mut Reader<'a>,
    view: View,
    token: &Token<'a>,
    limit: usize,
) -> Result<(), RowError> {
    let start = out.len();
    let mut walk = Walk::new(view);
    let fields = reader.rest();
    let error = match walk.begin(out, fields, reader, token).and_then(|()| walk.resume(out, fields, reader, limit)) {
        Ok(Progress::Done) => return Ok(()),
        Ok(Progress::Full) => RowError::TooLong,
        Err(error) => error,
    };
    let is_nested = walk.is_nested();
    out.truncate(start);
    Err(match error {
        RowError::Unsupported { type_name, nested } => RowError::Unsupported { type_name, nested: nested || is_nested },
        other => other,
    })
}
