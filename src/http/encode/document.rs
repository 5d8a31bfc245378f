//! Results as one JSON document: `{"data":{"fields":[…],"values":[…]},…}`, or several of these in `{"results":[…],…}`.
//!
//! A failure after rows is the document's last member, `errors`.

use bytes::{BufMut as _, BytesMut};

use super::{At, Closing, Encode, Ending, Results, Wanted, columns, errors, members::Members, rows::framed};
use crate::{
    bolt::{Columns, Summary},
    json::output::{ReplacedValues, RowError, RowWriter, Written},
    query::{BatchEnd, Committed, Error, Transaction},
};

/// Writes one JSON document.
pub(super) struct Document {
    wanted: Wanted,
    results: Results,
    writer: RowWriter,
    /// Whether a result was opened.
    has_results: bool,
    /// Whether a result is open.
    is_open: bool,
    /// Whether the result that was opened last has rows.
    has_rows: bool,
}

impl Document {
    pub(super) fn new(wanted: Wanted, results: Results) -> Self {
        let writer = RowWriter::new(wanted.view);
        Self { wanted, results, writer, has_results: false, is_open: false, has_rows: false }
    }
}

impl Encode for Document {
    fn open(&mut self, out: &mut BytesMut, columns: &Columns) {
        if self.results == Results::Several {
            out.extend_from_slice(if self.has_results { b",".as_slice() } else { b"{\"results\":[" });
        }
        (self.has_results, self.is_open, self.has_rows) = (true, true, false);
        self.writer.restart();
        out.extend_from_slice(b"{\"data\":{\"fields\":");
        columns::names(out, columns);
        out.extend_from_slice(b",\"values\":[");
    }

    #[inline]
    fn row(&mut self, out: &mut BytesMut, fields: &[u8], columns: usize, room: usize) -> Result<Written, RowError> {
        let length = out.len();
        let separate = |out: &mut BytesMut| {
            if self.has_rows {
                out.put_u8(b',');
            }
        };
        let written = framed(&mut self.writer, out, separate, |_| {}, fields, columns, room);
        self.has_rows |= out.len() > length;
        written
    }

    fn is_torn(&self) -> bool {
        self.writer.is_torn()
    }

    fn abandon_row(&mut self) {
        self.writer.abandon();
    }

    fn replaced(&self) -> &ReplacedValues {
        self.writer.replaced()
    }

    fn restart(&mut self) {
        (self.has_results, self.is_open, self.has_rows) = (false, false, false);
        self.writer.restart();
    }

    fn close(&mut self, out: &mut BytesMut, summary: &Summary) {
        self.is_open = false;
        out.extend_from_slice(b"]}");
        let mut members = Members::further(out);
        members.result(summary, self.wanted.counters, self.wanted.view);
        members.kind(summary);
        out.extend_from_slice(b"}");
    }

    fn end(&mut self, out: &mut BytesMut, result: &Closing<'_>) -> Ending {
        if self.is_torn() {
            return Ending::BrokenOff;
        }
        out.extend_from_slice(b"]}");
        Members::further(out).end(result, self.wanted);
        out.extend_from_slice(b"}");
        Ending::Complete
    }

    fn end_batch(&mut self, out: &mut BytesMut, end: &BatchEnd, attempts: u32) {
        out.extend_from_slice(b"]");
        let mut members = Members::further(out);
        members.batch(end, attempts);
        out.extend_from_slice(b"}");
    }

    fn fail(&mut self, out: &mut BytesMut, error: &Error, at: Option<At>) -> Ending {
        if self.is_torn() {
            return Ending::BrokenOff;
        }
        out.extend_from_slice(match (self.results, self.is_open) {
            (Results::One, _) => b"]}".as_slice(),
            (Results::Several, true) => b"]}}]",
            (Results::Several, false) => b"]",
        });
        errors::write(Members::further(out).key("errors"), error, self.wanted.statuses, at);
        out.extend_from_slice(b"}");
        Ending::Complete
    }

    fn without_result(&self, out: &mut BytesMut, committed: Option<&Committed>, transaction: Option<&Transaction>) {
        out.extend_from_slice(b"{");
        let mut members = Members::first(out);
        members.committed(committed);
        members.transaction(transaction);
        out.extend_from_slice(b"}");
    }

    fn refuse(&self, out: &mut BytesMut, error: &Error, at: Option<At>) {
        out.extend_from_slice(b"{");
        errors::write(Members::first(out).key("errors"), error, self.wanted.statuses, at);
        out.extend_from_slice(b"}");
    }
}
