//! Results as NDJSON: each row an object, one line.
//!
//! A failure after rows is the last line, `{"$error":…}`, and the transfer is broken off, since readers take every line
//! for a row.

use bytes::BytesMut;

use super::{At, Closing, Encode, Ending, columns, errors};
use crate::{
    bolt::Columns,
    http::status::Statuses,
    json::output::{ObjectKeys, RowError, Written, object_row},
    query::Error,
};

/// Writes an object per row.
pub(super) struct Objects {
    statuses: Statuses,
    keys: ObjectKeys,
}

impl Objects {
    pub(super) fn new(statuses: Statuses) -> Self {
        Self { statuses, keys: ObjectKeys::default() }
    }
}

impl Encode for Objects {
    fn open(&mut self, _: &mut BytesMut, columns: &Columns) {
        self.keys = ObjectKeys::new(columns::each(columns));
    }

    #[inline]
    fn row(&mut self, out: &mut BytesMut, fields: &[u8], _: usize, _: usize) -> Result<Written, RowError> {
        object_row(out, fields, &self.keys)?;
        out.extend_from_slice(b"\n");
        Ok(Written::Whole)
    }

    fn end(&mut self, out: &mut BytesMut, result: &Closing<'_>) -> Ending {
        match result.errors.first() {
            None => Ending::Complete,
            Some(error) => self.fail(out, error, None),
        }
    }

    fn fail(&mut self, out: &mut BytesMut, error: &Error, _: Option<At>) -> Ending {
        out.extend_from_slice(b"{\"$error\":");
        errors::write_one(out, error, self.statuses, None);
        out.extend_from_slice(b"}\n");
        Ending::BrokenOff
    }
}
