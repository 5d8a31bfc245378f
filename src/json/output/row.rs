//! One row of a result.

use bytes::{BufMut, BytesMut};

use super::error::RowError;
use super::walk;
use crate::bolt::packstream::{DecodeError, Reader};
use crate::json::View;

/// Appends one row as `[v1,v2]`. `fields` are the bytes of a record's list, `columns` is the width
/// it must have.
///
/// # Errors
/// [`RowError::Unsupported`] when a value has no form in the view: at the top of a column the row
/// is closed before that column and stays in `out`, inside another value nothing of the row stays.
/// After any other error `out` is as it was.
pub fn row(out: &mut BytesMut, fields: &[u8], columns: usize, view: View) -> Result<(), RowError> {
    let start = out.len();
    let result = write(out, fields, columns, view);
    match &result {
        Ok(()) | Err(RowError::Unsupported { nested: false, .. }) => {}
        Err(_) => out.truncate(start),
    }
    result
}

fn write(out: &mut BytesMut, fields: &[u8], columns: usize, view: View) -> Result<(), RowError> {
    let mut reader = Reader::new(fields);
    let found = reader.expect_list()?;
    if found != columns {
        return Err(RowError::WrongWidth { expected: columns, found });
    }
    out.put_u8(b'[');
    for column in 0..columns {
        let before = out.len();
        if column > 0 {
            out.put_u8(b',');
        }
        if let Err(error) = walk::value(out, &mut reader, view) {
            out.truncate(before);
            out.put_u8(b']');
            return Err(error);
        }
    }
    out.put_u8(b']');
    if reader.rest().is_empty() {
        Ok(())
    } else {
        Err(DecodeError::Framing("bytes behind the last value of a row").into())
    }
}
