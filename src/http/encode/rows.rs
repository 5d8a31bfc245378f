//! JSON rows, each with a frame around it.

use bytes::BytesMut;

use crate::json::output::{RowError, RowWriter, Written};

/// Writes a row, or the next part of one, between `before` and `after`. If nothing of the row can be shown, neither of
/// them stays.
#[inline]
pub(super) fn framed(
    writer: &mut RowWriter,
    out: &mut BytesMut,
    (before, after): (&[u8], &[u8]),
    fields: &[u8],
    columns: usize,
    room: usize,
) -> Result<Written, RowError> {
    let continues = writer.is_torn();
    let start = out.len();
    if !continues {
        out.extend_from_slice(before);
    }
    let row = out.len();
    let written = writer.write(out, fields, columns, room);
    if matches!(written, Ok(Written::Part)) {
        return written;
    }
    if out.len() == row && !continues {
        out.truncate(start);
    } else {
        out.extend_from_slice(after);
    }
    written
}
