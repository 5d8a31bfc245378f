//! The text of results, in each format that an answer can have.
//!
//! Owns how results look on their way to a client. Each format is a file with an implementation of [`Encode`]:
//! `document`, `lines`, `objects`, `csv`, `graph`, `arrow`, `records`, `envelope`. The choice between them is made once for an answer, in
//! [`Encoder::new`] or by the API itself. [`Answer`] and
//! [`BatchAnswer`] have what all formats share: the buffer, its limits, and the signals to the producer of rows.
//! Promises that writing a row allocates nothing but the growth of the buffer. May not know routes, headers or
//! databases.

mod answer;
#[cfg(feature = "arrow")]
mod arrow;
mod batch;
mod columns;
mod csv;
mod document;
mod encoder;
mod envelope;
mod errors;
mod graph;
mod lines;
mod load;
mod members;
mod objects;
mod records;
mod replaced;
mod rows;
#[cfg(test)]
mod tests;
mod waiting;

use bytes::{Bytes, BytesMut};

use super::{media::Format, status::Statuses};
use crate::{
    bolt::{Columns, Summary},
    json::{
        View,
        output::{ReplacedValues, RowError, Written},
    },
    query::{BatchEnd, Committed, Error, MissingNode, ResultEnd, Transaction},
};
use encoder::Encoder;

pub(super) use answer::{Answer, Limits};
pub(super) use batch::BatchAnswer;
#[cfg(feature = "mcp")]
pub(super) use columns::each as each_column;
pub(super) use envelope::{Form, ResultShape, Shape, empty, refused};
pub(super) use errors::At;
pub(super) use load::Loaded;
pub(super) use members::instant;
#[cfg(feature = "mcp")]
pub(super) use members::told;

/// Writes results as text. One implementation for each format.
///
/// An answer is one result ([`open`](Self::open), rows, [`end`](Self::end)), or several ([`open`](Self::open), rows,
/// [`close`](Self::close), and again, then [`end_batch`](Self::end_batch)), or none
/// ([`without_result`](Self::without_result), [`refuse`](Self::refuse)). Everything is appended to `out`, which may
/// have been emptied between any two calls.
trait Encode {
    /// Opens a result.
    fn open(&mut self, out: &mut BytesMut, columns: &Columns);

    /// Writes a row, or the next part of one, until `out` is about `room` bytes long. `fields` is the row's list of
    /// fields in PackStream. After [`Written::Part`] the same row is given again, once `out` was emptied.
    ///
    /// # Errors
    /// When the row cannot be shown as a whole. Whatever of it can be shown stays in `out`; no further row follows.
    fn row(&mut self, out: &mut BytesMut, fields: &[u8], columns: usize, room: usize) -> Result<Written, RowError>;

    /// Writes what of the only result's rows is held back: there are no others.
    ///
    /// # Errors
    /// As [`Self::row`].
    fn write_held(&mut self, _out: &mut BytesMut) -> Result<(), RowError> {
        Ok(())
    }

    /// Closes the only result, and ends the answer.
    fn end(&mut self, out: &mut BytesMut, result: &Closing<'_>) -> Ending;

    /// Ends an answer early, with an error that occurred after its first result was opened.
    fn fail(&mut self, out: &mut BytesMut, error: &Error, at: Option<At>) -> Ending;

    /// Whether a part of a row was written and the rest of it was not.
    fn is_torn(&self) -> bool {
        false
    }

    /// Forgets the part of a row that was written; the caller has removed its text.
    fn abandon_row(&mut self) {}

    /// The values of the open result that were replaced by null.
    fn replaced(&self) -> &ReplacedValues {
        const { &ReplacedValues { first: Vec::new(), count: 0 } }
    }

    /// The length of the text of rows that is still to be written, in bytes.
    fn held(&self) -> usize {
        0
    }

    /// Whether rows are missing because of a limit of the format itself. Then the answer has what fits, and says so.
    fn is_full(&self) -> bool {
        false
    }

    /// Forgets all results, for another attempt.
    fn restart(&mut self) {}

    /// The nodes that rows of the open result wait for.
    fn missing(&self) -> Vec<MissingNode> {
        Vec::new()
    }

    /// Takes a record with a missing node.
    ///
    /// # Errors
    /// When it is invalid, or one too many.
    fn found(&mut self, _fields: &[u8]) -> Result<(), RowError> {
        Ok(())
    }

    /// Writes the next row that waited for nodes. `false` when there are no more.
    ///
    /// # Errors
    /// As [`Self::row`].
    fn next_waiting(&mut self, _out: &mut BytesMut) -> Result<bool, RowError> {
        Ok(false)
    }

    // What follows is not asked of formats of rows alone (`Layout::is_rows_alone`), which have nothing to say it with.

    /// Closes one of several results.
    fn close(&mut self, _out: &mut BytesMut, _summary: &Summary) {}

    /// Ends an answer of several results, all of them closed.
    fn end_batch(&mut self, _out: &mut BytesMut, _end: &BatchEnd, _attempts: u32) {}

    /// Writes a whole answer that has no result: a transaction, what a commit reports, or nothing.
    fn without_result(&self, _out: &mut BytesMut, _committed: Option<&Committed>, _transaction: Option<&Transaction>) {}

    /// Writes a whole answer that is an error.
    fn refuse(&self, _out: &mut BytesMut, _error: &Error, _at: Option<At>) {}
}

/// How the text of an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The text is complete; if something went wrong, it says so itself.
    Complete,
    /// The format cannot say at this point what went wrong. The text is sent, and then the transfer is broken off, so
    /// that no client takes the answer for complete.
    BrokenOff,
}

/// The end of an answer's only result.
struct Closing<'a> {
    /// What the database reports. Its summary is not shown if the result was withheld.
    end: &'a ResultEnd,
    /// Why rows or values are missing.
    errors: &'a [Error],
    /// Milliseconds from the request's arrival until the statement was accepted, and until its result ended.
    timings: (u128, u128),
}

/// How many results an answer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Results {
    /// Exactly one.
    One,
    /// Any number, one after another.
    Several,
}

/// What a request wants its answer's text to be like.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    view: View,
    statuses: Statuses,
    /// Whether counters are shown.
    counters: bool,
}

/// A whole answer without a result: a transaction, what a commit reports, or nothing.
pub(super) fn without_result(
    format: &Format,
    committed: Option<&Committed>,
    transaction: Option<&Transaction>,
) -> Bytes {
    let mut out = BytesMut::with_capacity(256);
    Encoder::new(format, false, Results::One, Limits::default()).without_result(&mut out, committed, transaction);
    out.freeze()
}

/// A whole answer that is an error.
pub(super) fn error(format: &Format, error: &Error, at: Option<At>) -> Bytes {
    let mut out = BytesMut::new();
    Encoder::new(format, false, Results::One, Limits::default()).refuse(&mut out, error, at);
    out.freeze()
}
