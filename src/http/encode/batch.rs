//! The text of a batch's answer: one result after another, and what they amount to.

use std::time::Instant;

use bytes::Bytes;

use super::{Answer, At, Layout, Members, flaws};
use crate::{
    bolt::{Columns, Summary},
    http::media::Format,
    json::output,
    query::{BatchEnd, BatchError, BatchSink, Flow, RowRefused, RowSink},
};

const TOO_LARGE_TO_KEEP: &str = "The answer is too large to be kept under an Idempotency-Key (idempotency.max_answer); \
                                 nothing of the batch was applied. Ask for fewer rows, or send it without a key.";

/// The text of one batch's answer.
pub(in crate::http) struct BatchAnswer {
    answer: Answer,
    limit: usize,
    /// How many results were opened, and the columns of the last one.
    results: usize,
    columns: Columns,
    /// A result is open.
    open: bool,
}

impl BatchAnswer {
    pub(in crate::http) fn new(format: &Format, counters: bool, received: Instant) -> Self {
        let columns = Columns { count: 0, list: Vec::new() };
        Self { answer: Answer::new(format, counters, received), limit: usize::MAX, results: 0, columns, open: false }
    }

    /// The same, for a batch that is rolled back when its answer grows beyond `limit` bytes.
    pub(in crate::http) fn limited(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    fn within_limit(&self) -> Result<(), RowRefused> {
        if self.answer.length() <= self.limit { Ok(()) } else { Err(RowRefused::Format(TOO_LARGE_TO_KEEP.to_owned())) }
    }

    /// Takes what has been written so far.
    pub(in crate::http) fn take(&mut self) -> Bytes {
        self.answer.take()
    }

    /// As [`Answer::is_worth_taking`].
    pub(in crate::http) fn is_worth_taking(&self) -> bool {
        self.answer.is_worth_taking()
    }

    /// As [`Answer::is_full`].
    pub(in crate::http) fn is_full(&self) -> bool {
        self.answer.is_full()
    }

    /// As [`Answer::is_torn`].
    pub(in crate::http) fn is_torn(&self) -> bool {
        self.answer.is_torn()
    }

    /// As [`Answer::make_room`].
    pub(in crate::http) fn make_room(&mut self) {
        self.answer.make_room();
    }

    /// Ends the answer to a batch that was committed.
    pub(in crate::http) fn end(&mut self, end: &BatchEnd, attempts: u32) {
        let out = &mut self.answer.out;
        let mut members = match self.answer.layout {
            Layout::Document => {
                out.extend_from_slice(b"]");
                Members::further(out)
            }
            Layout::Lines => {
                out.extend_from_slice(b"{\"$event\":\"Batch\",\"_body\":{");
                Members::first(out)
            }
        };
        if let Some(counters) = &end.counters {
            members.counters(Some(counters));
        }
        output::integer(members.key("attempts"), attempts.into());
        members.committed(Some(&end.committed));
        out.extend_from_slice(match self.answer.layout {
            Layout::Document => b"}".as_slice(),
            Layout::Lines => b"}}\n",
        });
    }

    /// Ends the answer to a batch that failed after some of the answer had left.
    pub(in crate::http) fn fail(&mut self, failure: &BatchError) {
        if self.answer.layout == Layout::Document {
            self.answer.out.extend_from_slice(if self.open { b"]}}]".as_slice() } else { b"]" });
        }
        self.answer.errors(&failure.error, failure.statement.map(At::Statement));
    }
}

impl RowSink for BatchAnswer {
    fn open(&mut self, columns: &Columns) {
        if self.answer.layout == Layout::Document {
            let before = if self.results == 0 { b"{\"results\":[".as_slice() } else { b"," };
            self.answer.out.extend_from_slice(before);
        }
        self.results += 1;
        self.open = true;
        self.columns.clone_from(columns);
        self.answer.open(columns);
    }

    fn row(&mut self, fields: &[u8], columns: usize) -> Result<Flow, RowRefused> {
        let flow = self.answer.row(fields, columns)?;
        if let Some(flaw) = self.answer.writer.replaced().first.first() {
            return Err(RowRefused::Malformed(flaws::text(flaw, &self.columns)));
        }
        self.within_limit().map(|()| flow)
    }

    fn is_flawed(&self) -> bool {
        self.answer.is_flawed()
    }

    fn restart(&mut self) {
        self.results = 0;
        self.open = false;
        self.answer.restart();
    }
}

impl BatchSink for BatchAnswer {
    fn close(&mut self, summary: &Summary) -> Result<(), RowRefused> {
        self.open = false;
        self.answer.close_one(summary);
        self.within_limit()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{Committed, Error};

    fn columns() -> Columns {
        Columns { count: 1, list: vec![0x91, 0x81, b'a'] }
    }

    fn two_results(layout: Layout) -> BatchAnswer {
        let mut batch = BatchAnswer::new(&Format { layout, ..Format::plain() }, false, Instant::now());
        for kind in ["r", "w"] {
            batch.open(&columns());
            batch.row(&[0x91, 1], 1).unwrap();
            batch.row(&[0x91, 2], 1).unwrap();
            batch.close(&Summary { kind: Some(kind.into()), ..Summary::default() }).unwrap();
        }
        batch
    }

    fn text(mut batch: BatchAnswer) -> String {
        String::from_utf8(batch.take().to_vec()).unwrap()
    }

    #[test]
    fn results_stand_in_order() {
        let end = BatchEnd { counters: None, committed: Committed { bookmark: "FB:x".into(), notice: None } };
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
    fn another_attempt_leaves_nothing_of_the_first() {
        let mut batch = two_results(Layout::Document);
        batch.restart();
        batch.open(&columns());
        assert_eq!(text(batch), r#"{"results":[{"data":{"fields":["a"],"values":["#);
    }

    #[test]
    fn a_failure_closes_what_is_open() {
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
