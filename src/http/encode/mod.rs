//! The text of an answer: a document or lines, as it grows.
//!
//! Written into one buffer, which the response takes away whenever it is full enough.

mod batch;
mod errors;
mod flaws;
mod load;
mod members;

use std::time::Instant;

use bytes::{Bytes, BytesMut};

use super::{
    media::{Format, Layout},
    status::Statuses,
};
use crate::{
    bolt::{Columns, Summary, packstream::Reader},
    json::{
        View,
        output::{self, RowWriter, Written},
    },
    query::{Committed, Error, Flow, ResultEnd, RowRefused, RowSink, Transaction},
};
use members::Members;

pub(super) use batch::BatchAnswer;
pub(super) use errors::{At, error};
pub(super) use load::Loaded;
pub(super) use members::instant;

/// Room for a small answer, in bytes.
const SMALL: usize = 1024;

/// So much text, in bytes, is worth a write of its own when the database keeps the next row waiting: the first time, and
/// once the client has something to read.
const ENOUGH: usize = 32 * 1024;
const ENOUGH_MORE: usize = 128 * 1024;

/// So much text, in bytes, is held before the reader has to take some.
const FULL: usize = 4 * 1024 * 1024;

/// The text of one answer.
pub(super) struct Answer {
    out: BytesMut,
    layout: Layout,
    view: View,
    statuses: Statuses,
    counters: bool,
    rows: u64,
    writer: RowWriter,
    /// How much text was taken away, and how much there may be in all.
    taken: usize,
    limit: usize,
    /// The longest part that was taken away.
    part: usize,
    /// When the request came; the API's timings count from there.
    received: Instant,
    /// Milliseconds until the statement was accepted.
    available: u128,
}

impl Answer {
    pub(super) fn new(format: &Format, counters: bool, received: Instant) -> Self {
        Self {
            out: BytesMut::with_capacity(SMALL),
            layout: format.layout,
            view: format.view,
            statuses: format.statuses,
            counters,
            rows: 0,
            writer: RowWriter::new(format.view),
            taken: 0,
            limit: usize::MAX,
            part: 0,
            received,
            available: 0,
        }
    }

    /// The same, without the rows that go beyond `limit` bytes. The statement is carried out all the same.
    pub(super) fn limited(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// How much was written in all.
    fn length(&self) -> usize {
        self.taken + self.out.len()
    }

    /// Takes what has been written so far.
    pub(super) fn take(&mut self) -> Bytes {
        self.taken += self.out.len();
        self.part = self.part.max(self.out.len());
        self.out.split().freeze()
    }

    /// Makes room for another part. Once the reader is done with the one before, that is where it was: no buffer grows step
    /// by step again, and memory does not grow with the number of parts.
    pub(super) fn make_room(&mut self) {
        // What is written already would have to move.
        if self.out.is_empty() {
            self.out.reserve(self.part);
        }
    }

    /// Whether so much has been written that it is worth handing over.
    pub(super) fn is_worth_taking(&self) -> bool {
        self.out.len() >= self.enough()
    }

    fn enough(&self) -> usize {
        if self.taken == 0 { ENOUGH } else { ENOUGH_MORE }
    }

    /// Whether there is no room for more rows until something is taken.
    pub(super) fn is_full(&self) -> bool {
        self.out.len() >= FULL
    }

    /// Whether a row is half written of which a part has left. Unless the rest of it follows, the answer can only be broken
    /// off.
    pub(super) fn is_torn(&self) -> bool {
        self.writer.is_torn()
    }

    /// Begins a result.
    fn header(&mut self, columns: &Columns) {
        self.rows = 0;
        self.writer.restart();
        self.available = self.received.elapsed().as_millis();
        self.out.extend_from_slice(match self.layout {
            Layout::Document => b"{\"data\":{\"fields\":".as_slice(),
            Layout::Lines => b"{\"$event\":\"Header\",\"_body\":{\"fields\":",
        });
        self.names(columns);
        self.out.extend_from_slice(match self.layout {
            Layout::Document => b",\"values\":[".as_slice(),
            Layout::Lines => b"}}\n",
        });
    }

    /// Ends a result; of what could not be shown it says why.
    pub(super) fn close(&mut self, end: &ResultEnd, columns: &Columns) {
        let mut errors = match self.writer.replaced() {
            flaws if flaws.count > 0 => flaws::errors(flaws, columns),
            _ => Vec::new(),
        };
        if let Some(error) = &end.withheld {
            errors.push(error.clone());
            if self.layout == Layout::Document {
                self.out.extend_from_slice(b"]}");
            }
        } else {
            self.summary(end);
        }
        self.end(&errors);
    }

    /// What the database says beside the rows.
    fn summary(&mut self, end: &ResultEnd) {
        let consumed = self.received.elapsed().as_millis();
        match self.layout {
            Layout::Document => {
                self.out.extend_from_slice(b"]}");
                let mut members = Members::further(&mut self.out);
                members.result(&end.summary, self.counters, self.view);
                members.kind(&end.summary);
                members.timings(self.available, consumed);
                members.bookmark(end.bookmark.as_deref());
                members.transaction(end.transaction.as_ref());
            }
            Layout::Lines => {
                self.out.extend_from_slice(b"{\"$event\":\"Summary\",\"_body\":{");
                let mut members = Members::first(&mut self.out);
                members.result(&end.summary, self.counters, self.view);
                members.bookmark(end.bookmark.as_deref());
                members.kind(&end.summary);
                members.timings(self.available, consumed);
                members.transaction(end.transaction.as_ref());
                self.out.extend_from_slice(b"}}\n");
            }
        }
    }

    /// Ends the answer, with errors if there are any.
    fn end(&mut self, errors: &[Error]) {
        match self.layout {
            Layout::Document if errors.is_empty() => self.out.extend_from_slice(b"}"),
            Layout::Lines if errors.is_empty() => {}
            Layout::Document => {
                self.out.extend_from_slice(b",\"errors\":");
                errors::write_all(&mut self.out, errors, self.statuses);
                self.out.extend_from_slice(b"}");
            }
            Layout::Lines => errors::write_all_in_line(&mut self.out, errors, self.statuses),
        }
    }

    /// Ends one result of several.
    fn close_one(&mut self, summary: &Summary) {
        self.out.extend_from_slice(match self.layout {
            Layout::Document => b"]}".as_slice(),
            Layout::Lines => b"{\"$event\":\"Summary\",\"_body\":{",
        });
        let mut members = match self.layout {
            Layout::Document => Members::further(&mut self.out),
            Layout::Lines => Members::first(&mut self.out),
        };
        members.result(summary, self.counters, self.view);
        members.kind(summary);
        self.out.extend_from_slice(match self.layout {
            Layout::Document => b"}".as_slice(),
            Layout::Lines => b"}}\n",
        });
    }

    /// Ends a result that was begun and went wrong.
    pub(super) fn fail(&mut self, error: &Error) {
        if self.layout == Layout::Document {
            self.out.extend_from_slice(b"]}");
        }
        self.errors(error, None);
    }

    /// Ends the answer with what went wrong; what was begun is closed.
    fn errors(&mut self, error: &Error, at: Option<At>) {
        match self.layout {
            Layout::Document => {
                self.out.extend_from_slice(b",\"errors\":");
                errors::write(&mut self.out, error, self.statuses, at);
                self.out.extend_from_slice(b"}");
            }
            Layout::Lines => errors::write_line(&mut self.out, error, self.statuses, at),
        }
    }

    /// A whole answer without a result: what is left is a transaction, what a commit says, or nothing.
    pub(super) fn without_result(&mut self, committed: Option<&Committed>, transaction: Option<&Transaction>) {
        let (before, after) = match self.layout {
            Layout::Document => ("{", "}"),
            Layout::Lines => ("{\"$event\":\"Header\",\"_body\":{}}\n{\"$event\":\"Summary\",\"_body\":{", "}}\n"),
        };
        self.out.extend_from_slice(before.as_bytes());
        let mut members = Members::first(&mut self.out);
        members.committed(committed);
        members.transaction(transaction);
        self.out.extend_from_slice(after.as_bytes());
    }

    fn names(&mut self, columns: &Columns) {
        let mut reader = Reader::new(&columns.list);
        self.out.extend_from_slice(b"[");
        // The list was checked when it was read: so many strings.
        if reader.expect_list().is_ok() {
            for column in 0..columns.count {
                if column > 0 {
                    self.out.extend_from_slice(b",");
                }
                output::string(&mut self.out, reader.expect_string().unwrap_or_default());
            }
        }
        self.out.extend_from_slice(b"]");
    }
}

impl RowSink for Answer {
    fn open(&mut self, columns: &Columns) {
        self.header(columns);
    }

    fn row(&mut self, fields: &[u8], columns: usize) -> Result<Flow, RowRefused> {
        let begun = self.writer.is_torn();
        if !begun {
            match self.layout {
                Layout::Document if self.rows > 0 => self.out.extend_from_slice(b","),
                Layout::Document => {}
                Layout::Lines => self.out.extend_from_slice(b"{\"$event\":\"Record\",\"_body\":"),
            }
        }
        let before = self.out.len();
        // What is to be kept as a whole is not handed over in the middle of a row.
        let room = if self.limit == usize::MAX { FULL } else { (self.limit - self.taken).saturating_add(1) };
        let mut written = self.writer.write(&mut self.out, fields, columns, room).map_err(refused);
        if self.length() > self.limit {
            self.out.truncate(before);
            self.writer.abandon();
            written = Err(RowRefused::Format(TOO_LARGE_TO_KEEP.to_owned()));
        }
        if written == Ok(Written::Part) {
            return Ok(Flow::Unfinished);
        }
        if self.out.len() == before && !begun {
            // Nothing of the row could be shown, so its frame goes too.
            let frame = match self.layout {
                Layout::Document => usize::from(self.rows > 0),
                Layout::Lines => b"{\"$event\":\"Record\",\"_body\":".len(),
            };
            self.out.truncate(before - frame);
        } else {
            self.rows += 1;
            if self.layout == Layout::Lines {
                self.out.extend_from_slice(b"}\n");
            }
        }
        written?;
        Ok(match self.out.len() {
            FULL.. => Flow::Full,
            length if length >= self.enough() => Flow::Enough,
            _ => Flow::Continue,
        })
    }

    fn is_flawed(&self) -> bool {
        self.writer.replaced().count > 0
    }

    fn restart(&mut self) {
        self.out.clear();
        self.writer.restart();
    }
}

/// The only limit that answers have.
const TOO_LARGE_TO_KEEP: &str = "The statement was carried out, but its answer is too large to be kept under an \
                                 Idempotency-Key (idempotency.max_answer); the rows from here on are left out.";

fn refused(error: output::RowError) -> RowRefused {
    match error {
        output::RowError::Unsupported { .. } => RowRefused::Format(error.to_string()),
        other => RowRefused::Malformed(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::bolt::Summary;

    fn answer(layout: Layout) -> Answer {
        let format = Format { layout, ..Format::plain() };
        Answer::new(&format, false, Instant::now())
    }

    fn columns() -> Columns {
        Columns { count: 1, list: vec![0x91, 0x81, b'a'] }
    }

    fn text(answer: &mut Answer) -> String {
        String::from_utf8(answer.take().to_vec()).unwrap()
    }

    #[test]
    fn a_document_without_rows() {
        let mut answer = answer(Layout::Document);
        answer.open(&columns());
        let summary = Summary { kind: Some("r".into()), ..Summary::default() };
        let end = ResultEnd { summary, bookmark: Some("FB:x".into()), transaction: None, withheld: None };
        answer.close(&end, &columns());
        let text = text(&mut answer);
        assert!(
            text.starts_with(r#"{"data":{"fields":["a"],"values":[]},"queryType":"r","resultAvailableAfter":"#),
            "{text}"
        );
        assert!(text.ends_with(r#","bookmarks":["FB:x"]}"#), "{text}");
    }

    #[test]
    fn a_failure_after_rows_is_the_last_thing() {
        let error = Error::bad_request("x");
        for (layout, expected) in [
            (
                Layout::Document,
                r#"{"data":{"fields":["a"],"values":[[1],[2]]},"errors":[{"code":"Neo.ClientError.Request.Invalid","message":"Bad Request: x"}]}"#,
            ),
            (
                Layout::Lines,
                concat!(
                    r#"{"$event":"Header","_body":{"fields":["a"]}}"#,
                    "\n",
                    r#"{"$event":"Record","_body":[1]}"#,
                    "\n",
                    r#"{"$event":"Record","_body":[2]}"#,
                    "\n",
                    r#"{"$event":"Error","_body":[{"code":"Neo.ClientError.Request.Invalid","message":"Bad Request: x"}]}"#,
                    "\n",
                ),
            ),
        ] {
            let mut answer = answer(layout);
            answer.open(&columns());
            answer.row(&[0x91, 1], 1).unwrap();
            answer.row(&[0x91, 2], 1).unwrap();
            answer.fail(&error);
            assert_eq!(text(&mut answer), expected);
        }
    }

    #[test]
    fn a_row_of_which_nothing_can_be_shown_leaves_no_trace() {
        for (layout, expected) in [
            (Layout::Document, r#"{"data":{"fields":["a"],"values":[[1]"#),
            (
                Layout::Lines,
                "{\"$event\":\"Header\",\"_body\":{\"fields\":[\"a\"]}}\n{\"$event\":\"Record\",\"_body\":[1]}\n",
            ),
        ] {
            let mut answer = answer(layout);
            answer.open(&columns());
            answer.row(&[0x91, 1], 1).unwrap();
            // Two values for one column.
            assert!(matches!(answer.row(&[0x92, 1, 2], 1), Err(RowRefused::Malformed(_))));
            assert_eq!(text(&mut answer), expected);
        }
    }

    #[test]
    fn answers_without_a_result() {
        let transaction = Transaction { id: "ab".into(), expires: SystemTime::UNIX_EPOCH };
        let mut document = answer(Layout::Document);
        document.without_result(None, Some(&transaction));
        assert_eq!(text(&mut document), r#"{"transaction":{"id":"ab","expires":"1970-01-01T00:00:00Z"}}"#);
        let mut lines = answer(Layout::Lines);
        lines.without_result(None, None);
        assert_eq!(text(&mut lines), "{\"$event\":\"Header\",\"_body\":{}}\n{\"$event\":\"Summary\",\"_body\":{}}\n");
    }
}
