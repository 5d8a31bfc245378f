//! The text of an answer as it grows: the buffer, its limits, and when it is worth sending.
//!
//! The text is written into one buffer, which the response takes whenever it holds enough.

use std::time::Instant;

use bytes::{Bytes, BytesMut};

use super::{At, Closing, Encode as _, Ending, Results, Shape, encoder::Encoder, envelope::Envelope, replaced};
use crate::{
    bolt::{Columns, Summary},
    http::media::Format,
    json::output::{GraphLimits, ReplacedValues, RowError, Written},
    query::{BatchEnd, Error, Flow, MissingNode, ResultEnd, RowRefused, RowSink},
};

/// The capacity of a new buffer, in bytes, which a small answer fits into.
const SMALL: usize = 1024;

/// The amount of text, in bytes, that is worth sending while the next row has not arrived: for the first part of an
/// answer, and for later ones, when the client already has something to read.
const ENOUGH: usize = 32 * 1024;
const ENOUGH_MORE: usize = 128 * 1024;

/// The amount of text, in bytes, at which no more is written until some is taken.
const FULL: usize = 4 * 1024 * 1024;

const TOO_LARGE_TO_KEEP: &str = "The statement was carried out, but its answer is too large to be kept under an \
                                 Idempotency-Key (idempotency.max_answer); the rows from here on are left out.";

/// How long an answer may be, in bytes.
#[derive(Debug, Clone, Copy)]
pub(in crate::http) struct Limits {
    /// The whole answer, if it is to be kept.
    pub(in crate::http) answer: Option<usize>,
    /// The rows of each result.
    pub(in crate::http) result: Option<usize>,
    /// The rows that wait for nodes. `None`: none can be looked up.
    pub(in crate::http) waiting: Option<usize>,
    /// The graph, in an answer that is one.
    pub(in crate::http) graph: GraphLimits,
}

impl Default for Limits {
    fn default() -> Self {
        let graph = GraphLimits { elements: usize::MAX, waiting: usize::MAX };
        Self { answer: None, result: None, waiting: None, graph }
    }
}

/// The text of one answer.
pub(in crate::http) struct Answer {
    out: BytesMut,
    encoder: Encoder,
    /// The length of the text that was taken, in bytes.
    taken: usize,
    /// The longest length of the whole text, in bytes.
    limit: usize,
    /// The most text of the rows of a result, in bytes.
    result_limit: usize,
    /// The text of the rows of the result that was opened last, in bytes.
    rows: usize,
    /// The length of the longest part that was taken, in bytes.
    part: usize,
    /// When the request arrived, which the answer's timings count from.
    received: Instant,
    /// Milliseconds until the statement was accepted.
    available: u128,
}

impl Answer {
    /// The answer to one statement. Its rows end before they exceed `limits.answer`; the statement is carried out anyway.
    pub(in crate::http) fn new(format: &Format, counters: bool, received: Instant, limits: Limits) -> Self {
        Self::of(Encoder::new(format, counters, Results::One, limits), received, limits)
    }

    /// An answer of several results, which as a whole has no limit of its own.
    pub(super) fn of_several(format: &Format, counters: bool, received: Instant, limits: Limits) -> Self {
        Self::of(Encoder::new(format, counters, Results::Several, limits), received, Limits { answer: None, ..limits })
    }

    /// The answer to one statement, or several, of the transactional API.
    pub(in crate::http) fn in_envelope(shape: Shape, received: Instant, limits: Limits) -> Self {
        Self::of(Encoder::Envelope(Box::new(Envelope::new(shape, limits.waiting))), received, limits)
    }

    fn of(encoder: Encoder, received: Instant, limits: Limits) -> Self {
        Self {
            out: BytesMut::with_capacity(SMALL),
            encoder,
            taken: 0,
            limit: limits.answer.unwrap_or(usize::MAX),
            result_limit: limits.result.unwrap_or(usize::MAX),
            rows: 0,
            part: 0,
            received,
            available: 0,
        }
    }

    /// The length of all text written so far, in bytes.
    pub(in crate::http) fn length(&self) -> usize {
        self.taken + self.out.len()
    }

    /// Takes what has been written so far.
    pub(in crate::http) fn take(&mut self) -> Bytes {
        self.taken += self.out.len();
        self.part = self.part.max(self.out.len());
        self.out.split().freeze()
    }

    /// Makes room for another part at once, so that the buffer does not grow step by step again. Once the previous part
    /// has been sent, the new one takes its place in memory.
    pub(in crate::http) fn make_room(&mut self) {
        // Otherwise the text in it would have to be moved.
        if self.out.is_empty() {
            self.out.reserve(self.part);
        }
    }

    /// Whether there is enough text to be worth sending.
    pub(in crate::http) fn is_worth_taking(&self) -> bool {
        self.out.len() >= self.enough()
    }

    /// The length of the buffer at which a row is divided. A row is not divided if it may have to be taken back.
    fn room(&self) -> usize {
        if self.limit == usize::MAX && self.result_limit == usize::MAX {
            return FULL;
        }
        let of_answer = self.limit - self.taken;
        let of_result = self.result_limit.saturating_sub(self.rows).saturating_add(self.out.len());
        of_answer.min(of_result).saturating_add(1)
    }

    fn enough(&self) -> usize {
        if self.taken == 0 { ENOUGH } else { ENOUGH_MORE }
    }

    /// Whether nothing has been written yet.
    pub(in crate::http) fn is_empty(&self) -> bool {
        self.length() == 0
    }

    /// Whether there is text that was not taken.
    pub(in crate::http) fn has_text(&self) -> bool {
        !self.out.is_empty()
    }

    /// Whether text has to be taken before more is written, because the buffer is full or a row is half written.
    pub(in crate::http) fn is_full(&self) -> bool {
        self.out.len() >= FULL || self.encoder.is_torn()
    }

    /// Whether rows are missing because of a limit of the format itself. Then the answer has what fits, and says so.
    pub(in crate::http) fn is_cut(&self) -> bool {
        self.encoder.is_full()
    }

    /// The values of the open result that were replaced by null.
    pub(super) fn replaced(&self) -> &ReplacedValues {
        self.encoder.replaced()
    }

    /// Takes back what was written since the text had the length `before`, if it exceeds a limit.
    #[inline]
    fn within_limits(&mut self, before: usize) -> Result<(), RowRefused> {
        let held = self.encoder.held();
        if self.length().saturating_add(held) > self.limit {
            self.out.truncate(before);
            self.encoder.abandon_row();
            return Err(RowRefused::Format(TOO_LARGE_TO_KEEP.to_owned()));
        }
        self.rows += self.out.len() - before;
        if self.rows.saturating_add(held) > self.result_limit {
            self.out.truncate(before);
            self.encoder.abandon_row();
            return Err(RowRefused::TooLarge(self.result_limit));
        }
        Ok(())
    }

    /// How to continue after a whole row.
    #[inline]
    fn flow(&self) -> Flow {
        match self.out.len() {
            FULL.. => Flow::Full,
            length if length >= self.enough() => Flow::Enough,
            _ => Flow::Continue,
        }
    }

    /// The nodes that rows wait for.
    pub(super) fn missing(&self) -> Vec<MissingNode> {
        self.encoder.missing()
    }

    /// Takes a record with a missing node.
    pub(super) fn found(&mut self, fields: &[u8]) -> Result<(), RowRefused> {
        self.encoder.found(fields).map_err(refused)
    }

    /// Writes the next row that waited for nodes.
    pub(super) fn next_waiting(&mut self) -> Result<Option<Flow>, RowRefused> {
        let before = self.out.len();
        if !self.encoder.next_waiting(&mut self.out).map_err(refused)? {
            return Ok(None);
        }
        self.within_limits(before)?;
        Ok(Some(self.flow()))
    }

    /// Ends an answer of one result, and says why values or rows are missing from it.
    pub(in crate::http) fn end(&mut self, end: &ResultEnd, columns: &Columns) -> Ending {
        let mut errors = match self.encoder.replaced() {
            values if values.count > 0 => replaced::errors(values, columns),
            _ => Vec::new(),
        };
        errors.extend(end.withheld.clone());
        let timings = (self.available, self.received.elapsed().as_millis());
        let ending = self.encoder.end(&mut self.out, &Closing { end, errors: &errors, timings });
        logged(ending, errors.first())
    }

    /// Closes one of several results.
    pub(super) fn close(&mut self, summary: &Summary) {
        self.encoder.close(&mut self.out, summary);
    }

    /// Ends an answer of several results.
    pub(super) fn end_batch(&mut self, end: &BatchEnd, attempts: u32) {
        self.encoder.end_batch(&mut self.out, end, attempts);
    }

    /// Ends the answer with an error that occurred after it was begun.
    pub(in crate::http) fn fail(&mut self, error: &Error, at: Option<At>) -> Ending {
        logged(self.encoder.fail(&mut self.out, error, at), Some(error))
    }
}

impl RowSink for Answer {
    fn open(&mut self, columns: &Columns) {
        self.available = self.received.elapsed().as_millis();
        self.rows = 0;
        self.encoder.open(&mut self.out, columns);
    }

    fn row(&mut self, fields: &[u8], columns: usize) -> Result<Flow, RowRefused> {
        let before = self.out.len();
        let room = self.room();
        let written = self.encoder.row(&mut self.out, fields, columns, room).map_err(refused);
        self.within_limits(before)?;
        if written? == Written::Part { Ok(Flow::Unfinished) } else { Ok(self.flow()) }
    }

    fn finish(&mut self) -> Result<(), RowRefused> {
        let before = self.out.len();
        let finished = self.encoder.write_held(&mut self.out).map_err(refused);
        self.within_limits(before)?;
        finished
    }

    fn has_replaced_values(&self) -> bool {
        self.encoder.replaced().count > 0
    }

    fn restart(&mut self) {
        self.out.clear();
        self.encoder.restart();
    }
}

/// Says in the log why an answer is broken off, since the answer itself may have no place for it.
fn logged(ending: Ending, error: Option<&Error>) -> Ending {
    if ending == Ending::BrokenOff {
        let (code, message) = error.map(|error| (&error.code, &error.message)).unzip();
        tracing::info!(code, message, "broke an answer off");
    }
    ending
}

fn refused(error: RowError) -> RowRefused {
    match error {
        RowError::Unsupported { .. } | RowError::WithoutNodes | RowError::DoesNotFit(_) => {
            RowRefused::Format(error.to_string())
        }
        RowError::TooManyWait(limit) => RowRefused::TooManyWait(limit),
        RowError::TooManyElements(limit) => RowRefused::TooManyElements(limit),
        other => RowRefused::Malformed(other.to_string()),
    }
}
