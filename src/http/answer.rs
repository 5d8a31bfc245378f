//! The text of an answer: a document or lines, as it grows.
//!
//! Written into one buffer, which the response takes away whenever it is full enough.

use std::time::{Instant, SystemTime};

use bytes::{Bytes, BytesMut};

use super::media::{Format, Layout};
use crate::{
    bolt::{Columns, packstream::Reader},
    json::{View, output},
    query::{End, Error, Flow, RowRefused, RowSink, Transaction},
};

/// So much text, in bytes, is held before the reader has to take some.
const FULL: usize = 4 * 1024 * 1024;

/// The text of one answer.
pub(super) struct Answer {
    out: BytesMut,
    layout: Layout,
    view: View,
    counters: bool,
    rows: u64,
    /// When the request came; the API's timings count from there.
    received: Instant,
    /// Milliseconds until the statement was accepted.
    available: u128,
}

impl Answer {
    pub(super) fn new(format: &Format, counters: bool, received: Instant) -> Self {
        Self {
            out: BytesMut::new(),
            layout: format.layout,
            view: format.view,
            counters,
            rows: 0,
            received,
            available: 0,
        }
    }

    /// Takes what has been written so far.
    pub(super) fn take(&mut self) -> Bytes {
        self.out.split().freeze()
    }

    /// Begins a result.
    pub(super) fn open(&mut self, columns: &Columns) {
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

    /// Ends a result that went well.
    pub(super) fn close(&mut self, end: &End) {
        let consumed = self.received.elapsed().as_millis();
        match self.layout {
            Layout::Document => {
                self.out.extend_from_slice(b"]}");
                let mut members = Members { out: &mut self.out, first: false };
                members.result(end, self.counters, self.view);
                members.kind_and_timings(end, self.available, consumed);
                members.bookmark(end.bookmark.as_deref());
                members.transaction(end.transaction.as_ref());
                self.out.extend_from_slice(b"}");
            }
            Layout::Lines => {
                self.out.extend_from_slice(b"{\"$event\":\"Summary\",\"_body\":{");
                let mut members = Members { out: &mut self.out, first: true };
                members.result(end, self.counters, self.view);
                members.bookmark(end.bookmark.as_deref());
                members.kind_and_timings(end, self.available, consumed);
                members.transaction(end.transaction.as_ref());
                self.out.extend_from_slice(b"}}\n");
            }
        }
    }

    /// Ends a result that was begun and went wrong.
    pub(super) fn fail(&mut self, error: &Error) {
        match self.layout {
            Layout::Document => {
                self.out.extend_from_slice(b"]},\"errors\":");
                write_errors(&mut self.out, error);
                self.out.extend_from_slice(b"}");
            }
            Layout::Lines => write_error_line(&mut self.out, error),
        }
    }

    /// A whole answer without a result: what is left is a transaction, a bookmark, or nothing.
    pub(super) fn without_result(&mut self, bookmark: Option<&str>, transaction: Option<&Transaction>) {
        let (before, after) = match self.layout {
            Layout::Document => ("{", "}"),
            Layout::Lines => ("{\"$event\":\"Header\",\"_body\":{}}\n{\"$event\":\"Summary\",\"_body\":{", "}}\n"),
        };
        self.out.extend_from_slice(before.as_bytes());
        let mut members = Members { out: &mut self.out, first: true };
        members.bookmark(bookmark);
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
    fn row(&mut self, fields: &[u8], columns: usize) -> Result<Flow, RowRefused> {
        match self.layout {
            Layout::Document if self.rows > 0 => self.out.extend_from_slice(b","),
            Layout::Document => {}
            Layout::Lines => self.out.extend_from_slice(b"{\"$event\":\"Record\",\"_body\":"),
        }
        let before = self.out.len();
        let written = output::row(&mut self.out, fields, columns, self.view);
        if self.out.len() == before {
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
        written.map_err(refused)?;
        Ok(if self.out.len() >= FULL { Flow::Full } else { Flow::Continue })
    }
}

fn refused(error: output::RowError) -> RowRefused {
    match error {
        output::RowError::Unsupported { .. } => RowRefused::Format(error.to_string()),
        output::RowError::Decode(error) => RowRefused::Malformed(error),
        other => RowRefused::Format(other.to_string()),
    }
}

/// A whole answer that is an error.
pub(super) fn error(layout: Layout, error: &Error) -> Bytes {
    let mut out = BytesMut::new();
    match layout {
        Layout::Document => {
            out.extend_from_slice(b"{\"errors\":");
            write_errors(&mut out, error);
            out.extend_from_slice(b"}");
        }
        Layout::Lines => write_error_line(&mut out, error),
    }
    out.freeze()
}

fn write_error_line(out: &mut BytesMut, error: &Error) {
    out.extend_from_slice(b"{\"$event\":\"Error\",\"_body\":");
    write_errors(out, error);
    out.extend_from_slice(b"}\n");
}

fn write_errors(out: &mut BytesMut, error: &Error) {
    out.extend_from_slice(b"[{\"code\":");
    output::string(out, &error.code);
    out.extend_from_slice(b",\"message\":");
    output::string(out, &error.message);
    out.extend_from_slice(b"}]");
}

/// The members of an object, with commas between them.
struct Members<'a> {
    out: &'a mut BytesMut,
    first: bool,
}

impl Members<'_> {
    fn key(&mut self, name: &str) -> &mut BytesMut {
        if !std::mem::take(&mut self.first) {
            self.out.extend_from_slice(b",");
        }
        output::string(self.out, name);
        self.out.extend_from_slice(b":");
        self.out
    }

    /// Writes a member that may turn out to be absent or unreadable, and is left out then: a summary that cannot
    /// be shown is no reason to withhold the rows.
    fn optional(&mut self, name: &str, write: impl FnOnce(&mut BytesMut) -> bool) {
        let (length, first) = (self.out.len(), self.first);
        if !write(self.key(name)) {
            self.out.truncate(length);
            self.first = first;
        }
    }

    fn result(&mut self, end: &End, counters: bool, view: View) {
        let summary = &end.summary;
        let (statuses, notifications) = (summary.statuses.as_deref(), summary.notifications.as_deref());
        self.optional("notifications", |out| output::notifications(out, statuses, notifications).unwrap_or(false));
        if counters {
            self.optional("counters", |out| output::counters(out, summary.stats.as_deref()).is_ok());
        }
        if let Some(profile) = &summary.profile {
            self.optional("profiledQueryPlan", |out| output::profile(out, profile, view).is_ok());
        } else if let Some(plan) = &summary.plan {
            self.optional("queryPlan", |out| output::plan(out, plan, view).is_ok());
        }
    }

    fn kind_and_timings(&mut self, end: &End, available: u128, consumed: u128) {
        if let Some(kind) = &end.summary.kind {
            output::string(self.key("queryType"), kind);
        }
        output::integer(self.key("resultAvailableAfter"), i64::try_from(available).unwrap_or(i64::MAX));
        output::integer(self.key("resultConsumedAfter"), i64::try_from(consumed).unwrap_or(i64::MAX));
    }

    fn bookmark(&mut self, bookmark: Option<&str>) {
        if let Some(bookmark) = bookmark {
            let out = self.key("bookmarks");
            out.extend_from_slice(b"[");
            output::string(out, bookmark);
            out.extend_from_slice(b"]");
        }
    }

    fn transaction(&mut self, transaction: Option<&Transaction>) {
        if let Some(Transaction { id, expires }) = transaction {
            let out = self.key("transaction");
            out.extend_from_slice(b"{\"id\":");
            output::string(out, id);
            out.extend_from_slice(b",\"expires\":");
            output::string(out, &instant(*expires));
            out.extend_from_slice(b"}");
        }
    }
}

/// Whole seconds in UTC: `2026-09-27T14:36:50Z`.
fn instant(time: SystemTime) -> String {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX).to_string()
}

#[cfg(test)]
mod tests {
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
        answer.close(&End { summary, bookmark: Some("FB:x".into()), transaction: None });
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
            // A date-time in a zone that does not exist.
            let hostile = [&[0x91, 0xB3, 0x69, 0, 0, 0x86][..], b"Mars/X"].concat();
            assert!(matches!(answer.row(&hostile, 1), Err(RowRefused::Malformed(_))));
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
