//! Results as JSON Lines: one event per line, `Header`, `Record`, `Summary`, and after several results `Batch`.
//!
//! A failure after rows is an event of its own, `Error`, and the last one.

use bytes::BytesMut;

use super::{At, Closing, Encode, Ending, Wanted, columns, errors, members::Members, rows::framed};
use crate::{
    bolt::{Columns, Summary},
    json::output::{ReplacedValues, RowError, RowWriter, Written},
    query::{BatchEnd, Committed, Error, Transaction},
};

const HEADER: &[u8] = b"{\"$event\":\"Header\",\"_body\":{";
const RECORD: &[u8] = b"{\"$event\":\"Record\",\"_body\":";
const SUMMARY: &[u8] = b"{\"$event\":\"Summary\",\"_body\":{";
const BATCH: &[u8] = b"{\"$event\":\"Batch\",\"_body\":{";
const ERROR: &[u8] = b"{\"$event\":\"Error\",\"_body\":";

/// Ends an event whose body is an object.
const END: &[u8] = b"}}\n";
/// Ends an event whose body is a list.
const END_OF_LIST: &[u8] = b"}\n";

/// Writes one JSON object a line.
pub(super) struct Lines {
    wanted: Wanted,
    writer: RowWriter,
}

impl Lines {
    pub(super) fn new(wanted: Wanted) -> Self {
        Self { wanted, writer: RowWriter::new(wanted.view) }
    }
}

impl Encode for Lines {
    fn open(&mut self, out: &mut BytesMut, columns: &Columns) {
        self.writer.restart();
        out.extend_from_slice(HEADER);
        columns::names(Members::first(out).key("fields"), columns);
        out.extend_from_slice(END);
    }

    #[inline]
    fn row(&mut self, out: &mut BytesMut, fields: &[u8], columns: usize, room: usize) -> Result<Written, RowError> {
        let before = |out: &mut BytesMut| out.extend_from_slice(RECORD);
        let after = |out: &mut BytesMut| out.extend_from_slice(END_OF_LIST);
        framed(&mut self.writer, out, before, after, fields, columns, room)
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
        self.writer.restart();
    }

    fn close(&mut self, out: &mut BytesMut, summary: &Summary) {
        out.extend_from_slice(SUMMARY);
        let mut members = Members::first(out);
        members.result(summary, self.wanted.counters, self.wanted.view);
        members.kind(summary);
        out.extend_from_slice(END);
    }

    fn end(&mut self, out: &mut BytesMut, result: &Closing<'_>) -> Ending {
        if self.is_torn() {
            return Ending::BrokenOff;
        }
        if result.end.withheld.is_none() {
            out.extend_from_slice(SUMMARY);
            let mut members = Members::first(out);
            members.result(&result.end.summary, self.wanted.counters, self.wanted.view);
            members.bookmark(result.end.bookmark.as_deref());
            members.kind(&result.end.summary);
            members.timings(result.timings);
            members.transaction(result.end.transaction.as_ref());
            out.extend_from_slice(END);
        }
        if !result.errors.is_empty() {
            out.extend_from_slice(ERROR);
            errors::write_all(out, result.errors, self.wanted.statuses);
            out.extend_from_slice(END_OF_LIST);
        }
        Ending::Complete
    }

    fn end_batch(&mut self, out: &mut BytesMut, end: &BatchEnd, attempts: u32) {
        out.extend_from_slice(BATCH);
        Members::first(out).batch(end, attempts);
        out.extend_from_slice(END);
    }

    fn fail(&mut self, out: &mut BytesMut, error: &Error, at: Option<At>) -> Ending {
        if self.is_torn() {
            return Ending::BrokenOff;
        }
        self.refuse(out, error, at);
        Ending::Complete
    }

    fn without_result(&self, out: &mut BytesMut, committed: Option<&Committed>, transaction: Option<&Transaction>) {
        out.extend_from_slice(HEADER);
        out.extend_from_slice(END);
        out.extend_from_slice(SUMMARY);
        let mut members = Members::first(out);
        members.committed(committed);
        members.transaction(transaction);
        out.extend_from_slice(END);
    }

    fn refuse(&self, out: &mut BytesMut, error: &Error, at: Option<At>) {
        out.extend_from_slice(ERROR);
        errors::write(out, error, self.wanted.statuses, at);
        out.extend_from_slice(END_OF_LIST);
    }
}
