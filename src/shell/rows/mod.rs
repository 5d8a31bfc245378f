//! The rows of an answer: passed on byte for byte, or made into a table.
//!
//! Whatever the format, this counts what arrives and finds out whether the answer ends with an error.

mod document;
mod layout;
mod lines;
mod records;
mod table;

use hyper::body::Bytes;
use serde::Deserialize;

use self::{document::Document, lines::Lines, records::Records, table::Table};
use super::{
    failure::{Failure, Told},
    json,
    summary::Tally,
};
use crate::cli::Format;

/// The longest line, in bytes, that is read as a whole.
const MAX_LINE: usize = 256 * 1024 * 1024;
/// As much of a line as it takes to tell an event, or an error, in bytes.
const MAX_EVENT: usize = 64 * 1024;

/// The rows of one answer.
#[derive(Debug)]
pub(super) struct Rows {
    form: Form,
    rows: u64,
    bytes: u64,
    /// Whether the last byte that was passed on ends a line, or there was none.
    ends_line: bool,
    told: Option<Told>,
    changes: Vec<(String, u64)>,
}

#[derive(Debug)]
enum Form {
    Table(Lines, Box<Table>),
    Events(Lines),
    Objects(Lines),
    Records(Records),
    Document(Document),
    /// Nothing can be seen in it.
    Opaque,
}

/// An event of JSON Lines other than a row.
#[derive(Debug, Deserialize)]
#[serde(tag = "$event", content = "_body")]
enum Event {
    Header { fields: Vec<String> },
    Summary(serde_json::Value),
    Error(Vec<Told>),
}

impl Rows {
    /// The rows of an answer in `format`; `columns` are those of the terminal that shows a table.
    pub(super) fn new(format: Format, columns: Option<usize>) -> Self {
        let form = match format {
            Format::Table => Form::Table(Lines::new(MAX_LINE), Box::new(Table::new(columns))),
            Format::Jsonl => Form::Events(Lines::new(MAX_EVENT)),
            Format::Ndjson => Form::Objects(Lines::new(MAX_EVENT)),
            Format::Auto | Format::Csv => Form::Records(Records::default()),
            Format::Json | Format::Typed | Format::Graph => Form::Document(Document::default()),
            Format::Arrow => Form::Opaque,
        };
        Self { form, rows: 0, bytes: 0, ends_line: true, told: None, changes: Vec::new() }
    }

    /// Takes a part of the answer, and returns what to write.
    ///
    /// # Errors
    /// [`Failure::BrokeOff`] if a table cannot be made of it.
    pub(super) fn take(&mut self, bytes: Bytes) -> Result<Bytes, Failure> {
        self.bytes += bytes.len() as u64;
        match &mut self.form {
            Form::Table(lines, table) => {
                let (rows, told, changes) = (&mut self.rows, &mut self.told, &mut self.changes);
                lines.take(&bytes, |line, is_whole| {
                    let line = std::str::from_utf8(line).ok().filter(|_| is_whole).ok_or_else(unreadable)?;
                    match row(line) {
                        Some(row) => {
                            *rows += 1;
                            table.add(row);
                        }
                        None => match serde_json::from_str(line).map_err(|_| unreadable())? {
                            Event::Header { fields } => table.name(&fields),
                            event => note(event, told, changes),
                        },
                    }
                    Ok(())
                })?;
                return Ok(table.pages());
            }
            Form::Events(lines) => {
                let (rows, told, changes) = (&mut self.rows, &mut self.told, &mut self.changes);
                lines.take(&bytes, |line, _| {
                    // A line that is cut off is a row.
                    match serde_json::from_slice(line) {
                        Ok(event) => note(event, told, changes),
                        Err(_) => *rows += 1,
                    }
                    Ok(())
                })?;
            }
            Form::Objects(lines) => {
                let (rows, told) = (&mut self.rows, &mut self.told);
                lines.take(&bytes, |line, _| {
                    *rows += 1;
                    *told = last_words(line);
                    Ok(())
                })?;
            }
            Form::Records(records) => records.take(&bytes),
            Form::Document(document) => document.take(&bytes),
            Form::Opaque => {}
        }
        self.ends_line = bytes.last().map_or(self.ends_line, |last| *last == b'\n');
        Ok(bytes)
    }

    /// What can be written although the rest has not come.
    pub(super) fn flush(&mut self) -> Bytes {
        match &mut self.form {
            Form::Table(_, table) => table.flush(),
            _ => Bytes::new(),
        }
    }

    /// The answer is complete: returns what is left to write.
    ///
    /// # Errors
    /// [`Failure::BrokeOff`] if something is missing.
    pub(super) fn end(&mut self) -> Result<Bytes, Failure> {
        match &mut self.form {
            Form::Table(lines, table) if lines.is_at_start() => Ok(table.end()),
            Form::Table(..) => Err(unreadable()),
            _ => Ok(Bytes::new()),
        }
    }

    /// How much has arrived.
    pub(super) fn tally(&self) -> Tally {
        let rows = match &self.form {
            Form::Table(..) | Form::Events(_) | Form::Objects(_) => Some(self.rows),
            Form::Records(records) => Some(records.rows()),
            Form::Document(_) | Form::Opaque => None,
        };
        Tally { rows, bytes: self.bytes }
    }

    /// Whether what was written ends a line, or is nothing.
    pub(super) fn ends_line(&self) -> bool {
        self.ends_line
    }

    /// What was changed, if the answer says so.
    pub(super) fn changes(&self) -> Vec<(String, u64)> {
        self.changes.clone()
    }

    /// The error with which a complete answer ends.
    pub(super) fn failure(&self) -> Option<Failure> {
        match &self.form {
            // An object of this form that does not break the answer off is a row.
            Form::Objects(_) => None,
            Form::Document(document) => {
                let told = document.told()?;
                Some(Failure::BrokeOff(format!("the result is incomplete: {told}")))
            }
            _ => {
                let told = self.told.clone()?;
                match self.rows {
                    0 => Some(Failure::Refused(told)),
                    _ => Some(Failure::BrokeOff(format!("the result broke off after {}: {told}", self.tally()))),
                }
            }
        }
    }

    /// The failure of an answer whose transfer broke.
    pub(super) fn broken(&self) -> Failure {
        let tally = self.tally();
        match &self.told {
            Some(told) => {
                // The line that tells is no row.
                let rows = self.rows.saturating_sub(u64::from(matches!(self.form, Form::Objects(_))));
                let tally = Tally { rows: Some(rows), ..tally };
                Failure::BrokeOff(format!("the result broke off after {tally}: {told}"))
            }
            None => Failure::BrokeOff(format!(
                "the result broke off after {tally}; the statement failed, or the connection did: --format jsonl shows which"
            )),
        }
    }
}

/// The text of a row, if the line is one.
fn row(line: &str) -> Option<&str> {
    let mut members = json::members(line);
    let is_row = members.next() == Some((r#""$event""#, r#""Record""#));
    members.next().filter(|(name, _)| is_row && *name == r#""_body""#).map(|(_, body)| body)
}

/// Notes what an event says about the whole.
fn note(event: Event, told: &mut Option<Told>, changes: &mut Vec<(String, u64)>) {
    match event {
        Event::Header { .. } => {}
        Event::Error(errors) => *told = errors.into_iter().next(),
        Event::Summary(summary) => {
            let counters = summary.get("counters").and_then(serde_json::Value::as_object);
            let counted = counters.into_iter().flatten();
            let counted = counted.filter_map(|(name, count)| Some((name.clone(), count.as_u64()?)));
            *changes = counted.filter(|(_, count)| *count > 0).collect();
        }
    }
}

/// Why NDJSON breaks off, if this is its last line.
fn last_words(line: &[u8]) -> Option<Told> {
    #[derive(Deserialize)]
    struct Last {
        #[serde(rename = "$error")]
        error: Told,
    }
    let is_last = line.starts_with(br#"{"$error":"#);
    is_last.then(|| serde_json::from_slice(line).ok()).flatten().map(|last: Last| last.error)
}

fn unreadable() -> Failure {
    Failure::BrokeOff("the answer is not JSON Lines as a gateway sends them; is it a Boltgate?".to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEADER: &str = "{\"$event\":\"Header\",\"_body\":{\"fields\":[\"n\"]}}\n";
    const RECORD: &str = "{\"$event\":\"Record\",\"_body\":[1.50]}\n";
    const SUMMARY: &str = "{\"$event\":\"Summary\",\"_body\":{\"counters\":{\"containsUpdates\":true,\"nodesCreated\":2,\
                           \"nodesDeleted\":0}}}\n";
    const ERROR: &str = "{\"$event\":\"Error\",\"_body\":[{\"code\":\"A.B\",\"message\":\"m\"}]}\n";

    /// What is written of an answer that comes in two parts, and how it ends.
    fn read(format: Format, answer: &str, cut: usize) -> (String, Rows) {
        let mut rows = Rows::new(format, None);
        let (first, second) = answer.split_at(cut);
        let mut written = Vec::new();
        for part in [first, second] {
            written.extend(rows.take(Bytes::copy_from_slice(part.as_bytes())).expect("is readable"));
        }
        written.extend(rows.end().expect("is complete"));
        (String::from_utf8(written).expect("is text"), rows)
    }

    #[test]
    fn formats_pass_through_and_are_counted_wherever_they_are_cut() {
        for (format, answer, rows) in [
            (Format::Jsonl, [HEADER, RECORD, RECORD, SUMMARY].concat(), Some(2)),
            (Format::Ndjson, "{\"n\":1}\n{\"n\":2}\n".to_owned(), Some(2)),
            (Format::Csv, "n\r\n1\r\n\"a\r\n\"\"b\"\r\n".to_owned(), Some(2)),
            (Format::Csv, String::new(), Some(0)),
            (Format::Json, "{\"data\":{\"errors\":[1]}}".to_owned(), None),
            (Format::Arrow, "anything".to_owned(), None),
        ] {
            for cut in 0..=answer.len() {
                let (written, found) = read(format, &answer, cut);
                assert_eq!(written, answer);
                assert_eq!(found.tally(), Tally { rows, bytes: answer.len() as u64 });
                assert!(found.failure().is_none(), "{format:?} {cut}: {:?}", found.failure());
            }
        }
    }

    #[test]
    fn a_table_shows_rows_and_the_summary_counts_changes() {
        let answer = [HEADER, RECORD, RECORD, SUMMARY].concat();
        for cut in 0..=answer.len() {
            let (written, rows) = read(Format::Table, &answer, cut);
            assert_eq!(written, "n\n----\n1.50\n1.50\n");
            assert_eq!((rows.tally().rows, rows.changes()), (Some(2), vec![("nodesCreated".to_owned(), 2)]));
        }
    }

    #[test]
    fn an_error_before_the_first_row_is_a_refusal_and_later_a_result_that_broke_off() {
        for format in [Format::Table, Format::Jsonl] {
            let (_, rows) = read(format, &[HEADER, ERROR].concat(), 9);
            assert!(matches!(rows.failure(), Some(Failure::Refused(told)) if told.code == "A.B"));
            let (_, rows) = read(format, &[HEADER, RECORD, ERROR].concat(), 9);
            let failure = rows.failure().expect("it failed");
            assert_eq!(
                (failure.status(), failure.to_string().as_str()),
                (4, "the result broke off after 1 row: A.B: m")
            );
        }
        let document = r#"{"data":{"fields":[],"values":[["errors"]]},"errors":[{"code":"A.B","message":"m"}]}"#;
        for cut in 0..=document.len() {
            let (_, rows) = read(Format::Json, document, cut);
            let failure = rows.failure().expect("it failed");
            assert_eq!(failure.to_string(), "the result is incomplete: A.B: m");
        }
    }

    #[test]
    fn a_transfer_that_breaks_tells_why_if_it_says_so() {
        let (_, rows) = read(Format::Ndjson, "{\"n\":1}\n{\"$error\":{\"code\":\"A.B\",\"message\":\"m\"}}\n", 3);
        assert!(rows.failure().is_none(), "as a row it may be called anything");
        let failure = rows.broken();
        assert_eq!((failure.status(), failure.to_string().as_str()), (4, "the result broke off after 1 row: A.B: m"));
        let (_, rows) = read(Format::Csv, "n\r\n1\r\n", 3);
        assert!(rows.broken().to_string().starts_with("the result broke off after 1 row; "));
    }

    #[test]
    fn what_is_no_table_is_told() {
        for answer in ["<html>\n", "{\"$event\":\"Other\",\"_body\":1}\n", "\u{0}\n"] {
            let mut rows = Rows::new(Format::Table, None);
            let refused = rows.take(Bytes::copy_from_slice(answer.as_bytes())).expect_err(answer);
            assert_eq!(refused.status(), 4);
        }
        let mut rows = Rows::new(Format::Table, None);
        rows.take(Bytes::from_static(b"{\"$event\":\"Header\"")).expect("may go on");
        assert_eq!(rows.end().expect_err("is cut off").status(), 4);
    }

    proptest! {
        #[test]
        fn no_answer_does_harm(answer in "[\\[\\]{},:\"\\\\ a1é\n$errorsv_bdy]{0,80}", columns in 0_usize..9) {
            for format in [Format::Table, Format::Csv, Format::Json, Format::Jsonl, Format::Ndjson] {
                let mut rows = Rows::new(format, Some(columns));
                let _ = rows.take(Bytes::copy_from_slice(answer.as_bytes()));
                rows.flush();
                let _ = rows.end();
                let _ = (rows.failure(), rows.broken().to_string());
            }
        }
    }
}
