//! The text of an answer as it grows: the buffer, its limits, and when it is worth sending.
//!
//! Written into one buffer, which the response takes away whenever it is full enough.

use std::time::Instant;

use bytes::{Bytes, BytesMut};

use super::{At, Closing, Encode as _, Ending, Results, encoder::Encoder, flaws};
use crate::{
    bolt::{Columns, Summary},
    http::media::Format,
    json::output::{Flaws, RowError, Written},
    query::{BatchEnd, Error, Flow, ResultEnd, RowRefused, RowSink},
};

/// Room for a small answer, in bytes.
const SMALL: usize = 1024;

/// This much text, in bytes, is worth a write of its own when the database keeps the next row waiting: the first time, and
/// once the client has something to read.
const ENOUGH: usize = 32 * 1024;
const ENOUGH_MORE: usize = 128 * 1024;

/// This much text, in bytes, is held before the reader has to take some.
const FULL: usize = 4 * 1024 * 1024;

/// The only limit that answers have.
const TOO_LARGE_TO_KEEP: &str = "The statement was carried out, but its answer is too large to be kept under an \
                                 Idempotency-Key (idempotency.max_answer); the rows from here on are left out.";

/// The text of one answer.
pub(in crate::http) struct Answer {
    out: BytesMut,
    encoder: Encoder,
    /// How much text was taken away, and how much there may be in all.
    taken: usize,
    limit: usize,
    /// The longest part that was taken away.
    part: usize,
    /// When the request arrived; the API's timings count from there.
    received: Instant,
    /// Milliseconds until the statement was accepted.
    available: u128,
}

impl Answer {
    /// The answer to one statement. Its rows end where they go beyond `limit` bytes; the statement is carried out all the
    /// same.
    pub(in crate::http) fn new(format: &Format, counters: bool, received: Instant, limit: Option<usize>) -> Self {
        Self::of(Encoder::new(format, counters, Results::One), received, limit)
    }

    /// An answer of several results, with no limit of its own.
    pub(super) fn of_several(format: &Format, counters: bool, received: Instant) -> Self {
        Self::of(Encoder::new(format, counters, Results::Several), received, None)
    }

    fn of(encoder: Encoder, received: Instant, limit: Option<usize>) -> Self {
        Self {
            out: BytesMut::with_capacity(SMALL),
            encoder,
            taken: 0,
            limit: limit.unwrap_or(usize::MAX),
            part: 0,
            received,
            available: 0,
        }
    }

    /// The length of all text written so far, in bytes.
    pub(super) fn length(&self) -> usize {
        self.taken + self.out.len()
    }

    /// Takes what has been written so far.
    pub(in crate::http) fn take(&mut self) -> Bytes {
        self.taken += self.out.len();
        self.part = self.part.max(self.out.len());
        self.out.split().freeze()
    }

    /// Makes room for another part. Once the reader is done with the one before, that is where it was: no buffer grows step
    /// by step again, and memory does not grow with the number of parts.
    pub(in crate::http) fn make_room(&mut self) {
        // What is written already would have to move.
        if self.out.is_empty() {
            self.out.reserve(self.part);
        }
    }

    /// Whether enough has been written that it is worth handing over.
    pub(in crate::http) fn is_worth_taking(&self) -> bool {
        self.out.len() >= self.enough()
    }

    fn enough(&self) -> usize {
        if self.taken == 0 { ENOUGH } else { ENOUGH_MORE }
    }

    /// Whether something has to be taken before more is written: there is no room, or a row is half written.
    pub(in crate::http) fn is_full(&self) -> bool {
        self.out.len() >= FULL || self.encoder.is_torn()
    }

    /// The values of the open result that were replaced by null.
    pub(super) fn flaws(&self) -> &Flaws {
        self.encoder.flaws()
    }

    /// Ends the answer, which has one result; says why values or rows are missing.
    pub(in crate::http) fn end(&mut self, end: &ResultEnd, columns: &Columns) -> Ending {
        let mut errors = match self.encoder.flaws() {
            flaws if flaws.count > 0 => flaws::errors(flaws, columns),
            _ => Vec::new(),
        };
        errors.extend(end.withheld.clone());
        let timings = (self.available, self.received.elapsed().as_millis());
        self.encoder.end(&mut self.out, &Closing { end, errors: &errors, timings })
    }

    /// Closes one of several results.
    pub(super) fn close(&mut self, summary: &Summary) {
        self.encoder.close(&mut self.out, summary);
    }

    /// Ends the answer, which has several results.
    pub(super) fn end_batch(&mut self, end: &BatchEnd, attempts: u32) {
        self.encoder.end_batch(&mut self.out, end, attempts);
    }

    /// Ends the answer with what went wrong after it was begun.
    pub(in crate::http) fn fail(&mut self, error: &Error, at: Option<At>) -> Ending {
        self.encoder.fail(&mut self.out, error, at)
    }
}

impl RowSink for Answer {
    fn open(&mut self, columns: &Columns) {
        self.available = self.received.elapsed().as_millis();
        self.encoder.open(&mut self.out, columns);
    }

    fn row(&mut self, fields: &[u8], columns: usize) -> Result<Flow, RowRefused> {
        let before = self.out.len();
        // What is to be kept as a whole is not handed over in the middle of a row.
        let room = if self.limit == usize::MAX { FULL } else { (self.limit - self.taken).saturating_add(1) };
        let written = self.encoder.row(&mut self.out, fields, columns, room).map_err(refused);
        if self.length() > self.limit {
            self.out.truncate(before);
            self.encoder.abandon_row();
            return Err(RowRefused::Format(TOO_LARGE_TO_KEEP.to_owned()));
        }
        if written? == Written::Part {
            return Ok(Flow::Unfinished);
        }
        Ok(match self.out.len() {
            FULL.. => Flow::Full,
            length if length >= self.enough() => Flow::Enough,
            _ => Flow::Continue,
        })
    }

    fn is_flawed(&self) -> bool {
        self.encoder.flaws().count > 0
    }

    fn restart(&mut self) {
        self.out.clear();
        self.encoder.restart();
    }
}

fn refused(error: RowError) -> RowRefused {
    match error {
        RowError::Unsupported { .. } => RowRefused::Format(error.to_string()),
        other => RowRefused::Malformed(other.to_string()),
    }
}
