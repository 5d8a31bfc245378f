//! The text of an answer to a batch: one result after another, and a summary of all of them.

use std::time::Instant;

use super::{Answer, At, Ending, Limits, Shape, replaced};
use crate::{
    bolt::{Columns, Summary},
    http::media::Format,
    query::{BatchEnd, BatchError, BatchSink, Flow, MissingNode, RowRefused, RowSink},
};

const TOO_LARGE_TO_KEEP: &str = "The answer is too large to be kept under an Idempotency-Key (idempotency.max_answer); \
                                 nothing of the batch was applied. Ask for fewer rows, or send it without a key.";

/// The text of the answer to one batch.
pub(in crate::http) struct BatchAnswer {
    answer: Answer,
    limit: usize,
    /// The columns of the result that was opened last.
    columns: Columns,
}

impl BatchAnswer {
    /// An empty answer. The batch is rolled back when its answer grows beyond
    /// `limits.answer`.
    pub(in crate::http) fn new(format: &Format, counters: bool, received: Instant, limits: Limits) -> Self {
        Self::of(Answer::of_several(format, counters, received, limits), limits)
    }

    /// Like [`Self::new`], for the transactional API.
    pub(in crate::http) fn in_envelope(shape: Shape, received: Instant, limits: Limits) -> Self {
        Self::of(Answer::in_envelope(shape, received, Limits { answer: None, ..limits }), limits)
    }

    fn of(answer: Answer, limits: Limits) -> Self {
        Self { answer, limit: limits.answer.unwrap_or(usize::MAX), columns: Columns { count: 0, list: Vec::new() } }
    }

    /// The text so far.
    pub(in crate::http) fn answer(&self) -> &Answer {
        &self.answer
    }

    /// The text so far, to be taken.
    pub(in crate::http) fn answer_mut(&mut self) -> &mut Answer {
        &mut self.answer
    }

    fn within_limit(&self) -> Result<(), RowRefused> {
        if self.answer.length() <= self.limit { Ok(()) } else { Err(RowRefused::Format(TOO_LARGE_TO_KEEP.to_owned())) }
    }

    /// Ends the answer to a batch that was committed.
    pub(in crate::http) fn end(&mut self, end: &BatchEnd, attempts: u32) {
        self.answer.end_batch(end, attempts);
    }

    /// Ends the answer to a batch that failed after a part of the answer was sent.
    pub(in crate::http) fn fail(&mut self, failure: &BatchError) -> Ending {
        self.answer.fail(&failure.error, failure.statement.map(At::Statement))
    }
}

impl RowSink for BatchAnswer {
    fn open(&mut self, columns: &Columns) {
        self.columns.clone_from(columns);
        self.answer.open(columns);
    }

    fn row(&mut self, fields: &[u8], columns: usize) -> Result<Flow, RowRefused> {
        let flow = self.answer.row(fields, columns)?;
        if let Some(value) = self.answer.replaced().first.first() {
            return Err(RowRefused::Malformed(replaced::text(value, &self.columns)));
        }
        self.within_limit().map(|()| flow)
    }

    fn has_replaced_values(&self) -> bool {
        self.answer.has_replaced_values()
    }

    fn restart(&mut self) {
        self.answer.restart();
    }
}

impl BatchSink for BatchAnswer {
    fn close(&mut self, summary: &Summary) -> Result<(), RowRefused> {
        self.answer.close(summary);
        self.within_limit()
    }

    fn missing(&self) -> Vec<MissingNode> {
        self.answer.missing()
    }

    fn found(&mut self, fields: &[u8]) -> Result<(), RowRefused> {
        self.answer.found(fields)
    }

    fn next_waiting(&mut self) -> Result<Option<Flow>, RowRefused> {
        let flow = self.answer.next_waiting()?;
        self.within_limit().map(|()| flow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        http::media::Layout,
        query::{Committed, Error},
    };

    fn columns() -> Columns {
        Columns { count: 1, list: vec![0x91, 0x81, b'a'] }
    }

    fn two_results(layout: Layout) -> BatchAnswer {
        let mut batch =
            BatchAnswer::new(&Format { layout, ..Format::plain() }, false, Instant::now(), Limits::default());
        for kind in ["r", "w"] {
            batch.open(&columns());
            batch.row(&[0x91, 1], 1).unwrap();
            batch.row(&[0x91, 2], 1).unwrap();
            batch.close(&Summary { kind: Some(kind.into()), ..Summary::default() }).unwrap();
        }
        batch
    }

    fn text(mut batch: BatchAnswer) -> String {
        String::from_utf8(batch.answer_mut().take().to_vec()).unwrap()
    }

    #[test]
    fn results_are_in_order() {
        let end = BatchEnd {
            counters: None,
            committed: Some(Committed { bookmark: "FB:x".into(), notice: None }),
            transaction: None,
        };
        let mut document = two_results(Layout::Document);
        document.end(&end, 3);
        assert_eq!(
            text(document),
            concat!(
                r#"{"results":[{"data":{"fields":["a"],"values":[[1],[2]]},"queryType":"r"},"#,
                r#"{"data":{"fields":["a"],"values":[[1],[2]]},"queryType":"w"}],"attempts":3,"bookmarks":["FB:x"]}"#
            )
        );
        let mut lines = two_results(Layout::Lines);
        lines.end(&end, 1);
        let text = text(lines);
        assert_eq!(text.lines().count(), 9);
        assert!(
            text.ends_with("{\"$event\":\"Batch\",\"_body\":{\"attempts\":1,\"bookmarks\":[\"FB:x\"]}}\n"),
            "{text}"
        );
    }

    #[test]
    fn a_new_attempt_starts_from_nothing() {
        let mut batch = two_results(Layout::Document);
        batch.restart();
        batch.open(&columns());
        assert_eq!(text(batch), r#"{"results":[{"data":{"fields":["a"],"values":["#);
    }

    #[test]
    fn a_failure_closes_the_open_result() {
        let failure = BatchError::from(Error::invalid("x"));
        for open in [true, false] {
            let mut batch = two_results(Layout::Document);
            if open {
                batch.open(&columns());
                batch.row(&[0x91, 3], 1).unwrap();
            }
            batch.fail(&failure);
            let text = text(batch);
            let value: serde_json::Value = serde_json::from_str(&text).expect(&text);
            assert_eq!(value["results"].as_array().unwrap().len(), if open { 3 } else { 2 });
            assert_eq!(value["errors"][0]["message"], "x");
        }
    }
}
