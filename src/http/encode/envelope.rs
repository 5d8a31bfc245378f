//! Results in the envelope of Neo4j's transactional HTTP API: `{"results":[…],"errors":[…],…}`.
//!
//! A failure after rows is reported in `errors`, which every answer has.

use bytes::{BufMut as _, Bytes, BytesMut};

use super::{At, Closing, Encode, Ending, columns, errors, members::Members, waiting::Waiting};
use crate::{
    bolt::{Columns, Summary},
    http::status::Statuses,
    json::output::{
        self, RowError, Written,
        older::{self, Graph},
    },
    query::{BatchEnd, Committed, Error, MissingNode, Transaction, is_placeholder},
};

/// What an answer is to look like.
#[derive(Debug, Clone, Default)]
pub(in crate::http) struct Shape {
    /// What each result is to have, in the order of the statements.
    pub(in crate::http) results: Vec<ResultShape>,
    /// The address of the database, `http://HOST/db/NAME`.
    pub(in crate::http) database: String,
    /// The address that commits the transaction, where answers name it.
    pub(in crate::http) commit: Option<String>,
    /// Whether it is for a client of Neo4j 3.5: in the form `graph`, some refuse members that are newer.
    pub(in crate::http) is_older: bool,
}

/// What a result is to have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::http) struct ResultShape {
    /// The forms of each row, in order.
    pub(in crate::http) forms: Vec<Form>,
    /// Whether counters are shown.
    pub(in crate::http) stats: bool,
}

/// A form of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Form {
    /// Values, and what they are.
    Row,
    /// Nodes and relationships.
    Graph,
    /// Objects with links.
    Rest,
}

/// Writes one envelope.
pub(super) struct Envelope {
    shape: Shape,
    /// How many results were opened.
    opened: usize,
    /// Whether a result is open.
    is_open: bool,
    /// Whether the result that was opened last has rows.
    has_rows: bool,
    /// The notifications of all results so far, with commas between them.
    notifications: BytesMut,
    /// Rows that wait for nodes.
    waiting: Waiting,
}

impl Envelope {
    /// `waiting` is the most that may wait for nodes, in bytes; `None` if none can be looked up.
    pub(super) fn new(shape: Shape, waiting: Option<usize>) -> Self {
        let waiting = Waiting::new(waiting);
        Self { shape, opened: 0, is_open: false, has_rows: false, notifications: BytesMut::new(), waiting }
    }

    /// The forms of the rows of the open result.
    fn forms(&self) -> &[Form] {
        self.shape.results.get(self.opened - 1).map_or(&[][..], |result| &result.forms)
    }

    /// Writes a row. `graph` has its entities, if a form needs them.
    fn write_row(
        &self,
        out: &mut BytesMut,
        fields: &[u8],
        columns: usize,
        graph: Option<&Graph<'_>>,
    ) -> Result<(), RowError> {
        out.extend_from_slice(if self.has_rows { b",{".as_slice() } else { b"{" });
        let forms = self.forms();
        for (position, form) in forms.iter().enumerate() {
            if position > 0 {
                out.put_u8(b',');
            }
            match form {
                Form::Row => {
                    out.extend_from_slice(b"\"row\":");
                    older::row(out, fields, columns)?;
                    out.extend_from_slice(b",\"meta\":");
                    older::meta(out, fields, columns)?;
                }
                Form::Graph => {
                    out.extend_from_slice(b"\"graph\":");
                    if let Some(graph) = graph {
                        graph.write(out, !self.shape.is_older, |id| self.waiting.node(id))?;
                    }
                }
                Form::Rest => {
                    out.extend_from_slice(b"\"rest\":");
                    older::rest(out, fields, columns, &self.shape.database)?;
                }
            }
        }
        out.put_u8(b'}');
        Ok(())
    }

    /// The entities of a row, if a form needs them.
    fn graph<'a>(&self, fields: &'a [u8], columns: usize) -> Result<Option<Graph<'a>>, RowError> {
        let wanted = self.forms().contains(&Form::Graph);
        wanted.then(|| Graph::of(fields, columns)).transpose()
    }

    fn note(&mut self, summary: &Summary) {
        let length = self.notifications.len();
        if length > 0 {
            self.notifications.put_u8(b',');
        }
        let (statuses, notifications) = (summary.statuses.as_deref(), summary.notifications.as_deref());
        // Those that cannot be shown are no reason to withhold the rows.
        if !older::notifications(&mut self.notifications, statuses, notifications).unwrap_or(false) {
            self.notifications.truncate(length);
        }
    }

    /// Ends the answer. All results are closed.
    fn finish(
        &self,
        out: &mut BytesMut,
        failures: &[Error],
        transaction: Option<&Transaction>,
        bookmark: Option<&str>,
    ) {
        out.extend_from_slice(if self.opened == 0 { b"{\"results\":[]".as_slice() } else { b"]" });
        let mut members = Members::further(out);
        if !self.notifications.is_empty() {
            let out = members.key("notifications");
            out.put_u8(b'[');
            out.extend_from_slice(&self.notifications);
            out.put_u8(b']');
        }
        errors::write_all(members.key("errors"), failures, Statuses::QueryApi);
        if let Some(commit) = &self.shape.commit {
            output::string(members.key("commit"), commit);
        }
        if let Some(Transaction { expires, .. }) = transaction {
            let out = members.key("transaction");
            out.extend_from_slice(b"{\"expires\":\"");
            out.extend_from_slice(httpdate(*expires).as_bytes());
            out.extend_from_slice(b"\"}");
        }
        if let Some(bookmark) = bookmark.filter(|bookmark| !is_placeholder(bookmark)) {
            let out = members.key("lastBookmarks");
            out.put_u8(b'[');
            output::string(out, bookmark);
            out.put_u8(b']');
        }
        out.put_u8(b'}');
    }
}

impl Encode for Envelope {
    fn open(&mut self, out: &mut BytesMut, columns: &Columns) {
        out.extend_from_slice(if self.opened == 0 { b"{\"results\":[".as_slice() } else { b"," });
        self.opened += 1;
        (self.is_open, self.has_rows) = (true, false);
        out.extend_from_slice(b"{\"columns\":");
        columns::names(out, columns);
        out.extend_from_slice(b",\"data\":[");
    }

    fn row(&mut self, out: &mut BytesMut, fields: &[u8], columns: usize, _: usize) -> Result<Written, RowError> {
        let start = out.len();
        let written = self.graph(fields, columns).and_then(|graph| {
            if let Some(graph) = &graph
                && self.waiting.keeps(fields, columns, graph)?
            {
                return Ok(false);
            }
            self.write_row(out, fields, columns, graph.as_ref()).map(|()| true)
        });
        match written {
            Ok(written) => self.has_rows |= written,
            Err(error) => {
                out.truncate(start);
                return Err(error);
            }
        }
        Ok(Written::Whole)
    }

    fn missing(&self) -> Vec<MissingNode> {
        self.waiting.missing()
    }

    fn found(&mut self, fields: &[u8]) -> Result<(), RowError> {
        self.waiting.found(fields)
    }

    fn next_waiting(&mut self, out: &mut BytesMut) -> Result<bool, RowError> {
        let start = out.len();
        let Some((fields, columns)) = self.waiting.next() else {
            self.waiting.clear();
            return Ok(false);
        };
        let written =
            self.graph(fields, columns).and_then(|graph| self.write_row(out, fields, columns, graph.as_ref()));
        if let Err(error) = written {
            out.truncate(start);
            return Err(error);
        }
        self.has_rows = true;
        self.waiting.advance()?;
        Ok(true)
    }

    fn restart(&mut self) {
        (self.opened, self.is_open, self.has_rows) = (0, false, false);
        self.notifications.clear();
        self.waiting.clear();
    }

    fn close(&mut self, out: &mut BytesMut, summary: &Summary) {
        self.is_open = false;
        out.put_u8(b']');
        let mut members = Members::further(out);
        if self.shape.results.get(self.opened - 1).is_some_and(|result| result.stats) {
            members.counted("stats", &summary.stats, older::stats);
        }
        if let Some(plan) = summary.profile.as_ref().or(summary.plan.as_ref()) {
            members.optional("plan", |out| {
                out.extend_from_slice(b"{\"root\":");
                let written = older::plan(out, plan).unwrap_or(false);
                out.put_u8(b'}');
                written
            });
        }
        out.put_u8(b'}');
        self.note(summary);
    }

    fn end(&mut self, out: &mut BytesMut, result: &Closing<'_>) -> Ending {
        self.close(out, &result.end.summary);
        self.finish(out, result.errors, result.end.transaction.as_ref(), result.end.bookmark.as_deref());
        Ending::Complete
    }

    fn end_batch(&mut self, out: &mut BytesMut, end: &BatchEnd, _: u32) {
        if let Some(notice) = end.committed.as_ref().and_then(|committed| committed.notice.as_deref()) {
            self.note(notice);
        }
        let bookmark = end.committed.as_ref().map(|committed| committed.bookmark.as_str());
        self.finish(out, &[], end.transaction.as_ref(), bookmark);
    }

    fn fail(&mut self, out: &mut BytesMut, error: &Error, at: Option<At>) -> Ending {
        if std::mem::take(&mut self.is_open) {
            out.extend_from_slice(b"]}");
        }
        self.refuse(out, error, at);
        Ending::Complete
    }

    fn without_result(&self, out: &mut BytesMut, committed: Option<&Committed>, transaction: Option<&Transaction>) {
        self.finish(out, &[], transaction, committed.map(|committed| committed.bookmark.as_str()));
    }

    fn refuse(&self, out: &mut BytesMut, error: &Error, _: Option<At>) {
        self.finish(out, std::slice::from_ref(error), None, None);
    }
}

/// A whole answer that has no results: a transaction, what a commit reports, or nothing.
pub(in crate::http) fn empty(shape: Shape, committed: Option<&Committed>, transaction: Option<&Transaction>) -> Bytes {
    let mut out = BytesMut::with_capacity(256);
    Envelope::new(shape, None).without_result(&mut out, committed, transaction);
    out.freeze()
}

/// A whole answer that is nothing but an error.
pub(in crate::http) fn refused(error: &Error) -> Bytes {
    let mut out = BytesMut::with_capacity(1024);
    Envelope::new(Shape::default(), None).refuse(&mut out, error, None);
    out.freeze()
}

/// A time as HTTP's headers write it: `Sun, 29 Nov 2026 15:48:50 GMT`.
fn httpdate(time: std::time::SystemTime) -> String {
    let seconds = time.duration_since(std::time::SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let time = i64::try_from(seconds).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
    time.and_then(|time| printer.timestamp_to_rfc9110_string(&time).ok()).unwrap_or_default()
}
