//! Results of named queries in plain JSON: an array of objects, the only object, or its first value.
//!
//! A failure after rows has no place: the transfer is broken off.

use bytes::BytesMut;

use super::{At, Closing, Encode, Ending, columns};
use crate::{
    bolt::{Columns, packstream::Reader},
    http::media::Records as Form,
    json::{
        View,
        output::{ObjectKeys, RowError, Written, object_row, value},
    },
    query::Error,
};

/// Writes records.
pub(super) struct Records {
    form: Form,
    keys: ObjectKeys,
    has_rows: bool,
}

impl Records {
    pub(super) fn new(form: Form) -> Self {
        Self { form, keys: ObjectKeys::default(), has_rows: false }
    }
}

impl Encode for Records {
    fn open(&mut self, out: &mut BytesMut, columns: &Columns) {
        self.keys = ObjectKeys::new(columns::each(columns));
        self.has_rows = false;
        if self.form == Form::All {
            out.extend_from_slice(b"[");
        }
    }

    #[inline]
    fn row(&mut self, out: &mut BytesMut, fields: &[u8], _: usize, _: usize) -> Result<Written, RowError> {
        let length = out.len();
        if self.has_rows {
            out.extend_from_slice(b",");
        }
        let written = match self.form {
            Form::All | Form::Only => object_row(out, fields, &self.keys),
            Form::Value => first_value(out, fields),
        };
        if let Err(error) = written {
            out.truncate(length);
            return Err(error);
        }
        self.has_rows = true;
        Ok(Written::Whole)
    }

    fn end(&mut self, out: &mut BytesMut, result: &Closing<'_>) -> Ending {
        if !result.errors.is_empty() {
            return Ending::BrokenOff;
        }
        if self.form == Form::All {
            out.extend_from_slice(b"]");
        }
        Ending::Complete
    }

    fn fail(&mut self, _: &mut BytesMut, _: &Error, _: Option<At>) -> Ending {
        Ending::BrokenOff
    }
}

/// Writes the first of a row's values.
fn first_value(out: &mut BytesMut, fields: &[u8]) -> Result<(), RowError> {
    let mut reader = Reader::new(fields);
    if reader.expect_list()? == 0 {
        out.extend_from_slice(b"null");
        return Ok(());
    }
    value(out, &mut reader, View::Plain)
}
