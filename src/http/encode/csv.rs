//! Results as CSV: a record with the names of the columns, then one for each row.
//!
//! CSV has no place for an error: where one occurs after rows, the transfer is broken off.

use bytes::BytesMut;

use super::{At, Closing, Encode, Ending, columns};
use crate::{
    bolt::Columns,
    http::media::Csv as Options,
    json::output::{RowError, Written, csv_header, csv_row},
    query::Error,
};

/// U+FEFF, by which spreadsheets recognise UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Writes a record per row.
pub(super) struct Csv {
    options: Options,
}

impl Csv {
    pub(super) fn new(options: Options) -> Self {
        Self { options }
    }
}

impl Encode for Csv {
    fn open(&mut self, out: &mut BytesMut, columns: &Columns) {
        if columns.count == 0 {
            return;
        }
        if self.options.bom {
            out.extend_from_slice(BYTE_ORDER_MARK);
        }
        if self.options.header {
            csv_header(out, columns::each(columns), self.options.escapes_formulas());
        }
    }

    #[inline]
    fn row(&mut self, out: &mut BytesMut, fields: &[u8], columns: usize, _: usize) -> Result<Written, RowError> {
        csv_row(out, fields, columns, self.options.escapes_formulas()).map(|()| Written::Whole)
    }

    fn end(&mut self, _: &mut BytesMut, result: &Closing<'_>) -> Ending {
        if result.errors.is_empty() { Ending::Complete } else { Ending::BrokenOff }
    }

    fn fail(&mut self, _: &mut BytesMut, _: &Error, _: Option<At>) -> Ending {
        Ending::BrokenOff
    }
}
