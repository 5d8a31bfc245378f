//! JSON rows, each with a frame around it.

use bytes::BytesMut;

use crate::json::output::{RowError, RowWriter, Written};

/// Writes a row, or the next part of one, between what `before` and `after` write. If nothing of the row can be shown,
/// neither of them stays.
// Closures, because a frame whose length is known when this is compiled costs a store instead of a call per row.
#[inline]
pub(super) fn framed(
    writer: &mut RowWriter,
    out: &mut BytesMut,
    before: impl FnOnce(&mut BytesMut),
    after: impl FnOnce(&mut BytesMut),
    fields: &[u8],
    columns: usize,
    room: usize,
) -> Result<Written, RowError> {
    let continues = writer.is_torn();
    let start = out.len();
    if !continues {
        before(out);
    }
    let row = out.len();
    let written = writer.write(out, fields, columns, room);
    if matches!(written, Ok(Written::Part)) {
        return written;
    }
    if out.len() == row && !continues {
        out.truncate(start);
    } else {
        after(out);
    }
    written
}
