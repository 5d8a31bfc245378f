//! One row of a result.

use std::borrow::Cow;

use bytes::{BufMut, BytesMut};

use super::error::RowError;
use super::path::position;
use super::value;
use super::walk::{Progress, Walk};
use crate::bolt::packstream::{DecodeError, Reader};
use crate::json::View;

/// The size in bytes up to which a record is written as a whole, unless its text exceeds [`LONGEST_WHOLE_TEXT`].
const SMALL_RECORD: usize = 64 * 1024;

/// The longest text of a small record that is not handed over in parts, in bytes. Only paths can exceed it.
const LONGEST_WHOLE_TEXT: usize = 2 * 1024 * 1024;

/// The longest text of a row that is written as a whole in any case, in bytes. Records have a limit of their own, but a path
/// writes its nodes as often as it passes them.
pub(crate) const LONGEST_TEXT: usize = 256 * 1024 * 1024;

/// The number of replaced values that are described. Further ones are only counted.
const DESCRIBED: usize = 10;

/// Writes the rows of a result one after another, large ones in parts.
///
/// An invalid value (text that is not UTF-8, a date beyond the calendar, a path with an index out of range) becomes
/// `null`, and [`RowWriter::replaced`] says why.
pub struct RowWriter {
    view: View,
    /// The row that is being written in parts.
    partial: Option<Box<PartialRow>>,
    rows: u64,
    replaced: ReplacedValues,
}

/// The values that were replaced by `null`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ReplacedValues {
    /// The first of them.
    pub first: Vec<ReplacedValue>,
    /// The number of all of them.
    pub count: u64,
}

/// A value that was replaced by `null`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplacedValue {
    /// The row, counted from 1.
    pub row: u64,
    /// The column, counted from 0.
    pub column: usize,
    /// What is wrong with the value.
    pub reason: Cow<'static, str>,
}

/// Whether a row has been written completely.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// The row is complete.
    Whole,
    /// The row continues. Call the writer with the same record again after taking the text away.
    Part,
}

/// The state of a row that is written in parts.
struct PartialRow {
    walk: Walk,
    /// The reader's offset in the record.
    at: usize,
    /// The number of columns that were begun.
    column: usize,
    /// The offset at which the row's text begins, as long as all of it is in the buffer.
    start: usize,
}

/// Appends one row as `[v1,v2]`. `fields` is the list of a record in PackStream; it must have `columns` values.
///
/// # Errors
/// Returns [`RowError::Unsupported`] if the view cannot represent a value. If that value is a column of its own, `out`
/// keeps the row up to the column before it; if it is nested, `out` is unchanged. After any other error `out` is
/// unchanged too.
pub fn row(out: &mut BytesMut, fields: &[u8], columns: usize, view: View) -> Result<(), RowError> {
    write_whole(out, fields, columns, view, usize::MAX)
}

#[inline]
fn write_whole(out: &mut BytesMut, fields: &[u8], columns: usize, view: View, limit: usize) -> Result<(), RowError> {
    let start = out.len();
    let result = write(out, fields, columns, view, limit);
    match &result {
        Ok(()) | Err(RowError::Unsupported { nested: false, .. }) => {}
        Err(_) => out.truncate(start),
    }
    result
}

#[inline]
fn write(out: &mut BytesMut, fields: &[u8], columns: usize, view: View, limit: usize) -> Result<(), RowError> {
    let mut reader = begin(fields, columns)?;
    out.put_u8(b'[');
    for column in 0..columns {
        let before = out.len();
        if column > 0 {
            out.put_u8(b',');
        }
        if let Err(error) = value::value_within(out, &mut reader, view, limit) {
            out.truncate(before);
            out.put_u8(b']');
            return Err(error);
        }
    }
    out.put_u8(b']');
    end(&reader)
}

#[inline]
pub(crate) fn begin(fields: &[u8], columns: usize) -> Result<Reader<'_>, RowError> {
    let mut reader = Reader::new(fields);
    let found = reader.expect_list().map_err(|_| DecodeError::Framing("a row that is not a list"))?;
    if found == columns { Ok(reader) } else { Err(RowError::WrongWidth { expected: columns, found }) }
}

#[inline]
pub(crate) fn end(reader: &Reader<'_>) -> Result<(), RowError> {
    if reader.rest().is_empty() {
        Ok(())
    } else {
        Err(DecodeError::Framing("extra bytes after the last value of a row").into())
    }
}

impl RowWriter {
    /// Returns a writer of rows in a view.
    #[must_use]
    pub fn new(view: View) -> Self {
        Self { view, partial: None, rows: 0, replaced: ReplacedValues::default() }
    }

    /// Appends a row, or the next part of it, until `out` is about `limit` bytes long.
    ///
    /// # Errors
    /// The same as for [`row`], except that invalid values are not errors. If part of the row was already handed over
    /// ([`RowWriter::is_torn`]), the rest of its text stays in `out`.
    #[inline]
    pub fn write(
        &mut self,
        out: &mut BytesMut,
        fields: &[u8],
        columns: usize,
        limit: usize,
    ) -> Result<Written, RowError> {
        if self.partial.is_none() && fields.len() <= SMALL_RECORD {
            let most = out.len().saturating_add(LONGEST_WHOLE_TEXT);
            match write_whole(out, fields, columns, self.view, most) {
                Ok(()) => {
                    self.rows += 1;
                    return Ok(Written::Whole);
                }
                Err(RowError::TooLong | RowError::TooDeep | RowError::Decode(DecodeError::Value(_))) => {}
                Err(error) => return Err(error),
            }
        }
        self.write_part(out, fields, columns, limit)
    }

    /// Like [`RowWriter::write`], but in parts even if the record is small.
    #[cold]
    pub(super) fn write_part(
        &mut self,
        out: &mut BytesMut,
        fields: &[u8],
        columns: usize,
        limit: usize,
    ) -> Result<Written, RowError> {
        let mut partial = match self.partial.take() {
            Some(mut partial) => {
                partial.walk.handed_over = true;
                partial
            }
            None => {
                let reader = begin(fields, columns)?;
                let mut walk = Walk::new(self.view);
                walk.piecewise = true;
                let start = out.len();
                out.put_u8(b'[');
                Box::new(PartialRow { walk, at: position(fields, &reader), column: 0, start })
            }
        };
        match partial
            .resume(out, fields, columns, limit, |column, reason| self.replaced.add(self.rows + 1, column, reason))
        {
            Ok(Written::Part) => {
                self.partial = Some(partial);
                Ok(Written::Part)
            }
            Ok(Written::Whole) => {
                self.rows += 1;
                partial.walk.late_error.map_or(Ok(Written::Whole), Err)
            }
            Err(error) if partial.walk.handed_over => {
                self.partial = Some(partial);
                Err(error)
            }
            Err(error) => {
                partial.undo(out, &error);
                Err(match error {
                    RowError::Unsupported { type_name, nested } => {
                        RowError::Unsupported { type_name, nested: nested || partial.walk.is_nested() }
                    }
                    other => other,
                })
            }
        }
    }

    /// Whether a row is incomplete: between its parts, and permanently after an error once its first part was handed
    /// over.
    #[must_use]
    pub fn is_torn(&self) -> bool {
        self.partial.is_some()
    }

    /// Discards the incomplete row.
    pub fn abandon(&mut self) {
        self.partial = None;
    }

    /// The values that were replaced by `null`.
    #[must_use]
    pub fn replaced(&self) -> &ReplacedValues {
        &self.replaced
    }

    /// Resets the writer for another result, or for the same one again.
    pub fn restart(&mut self) {
        (self.partial, self.rows, self.replaced) = (None, 0, ReplacedValues::default());
    }
}

impl PartialRow {
    fn resume(
        &mut self,
        out: &mut BytesMut,
        fields: &[u8],
        columns: usize,
        limit: usize,
        mut replaced: impl FnMut(usize, Cow<'static, str>),
    ) -> Result<Written, RowError> {
        let mut reader = Reader::new(fields.get(self.at..).unwrap_or_default());
        loop {
            let progress = self.walk.resume(out, fields, &mut reader, limit);
            for reason in self.walk.reasons.drain(..) {
                replaced(self.column.saturating_sub(1), reason);
            }
            if progress? == Progress::Full || out.len() >= limit {
                self.at = position(fields, &reader);
                return Ok(Written::Part);
            }
            if self.column == columns {
                out.put_u8(b']');
                end(&reader)?;
                return Ok(Written::Whole);
            }
            if self.column > 0 {
                out.put_u8(b',');
            }
            self.column += 1;
            self.walk.item(out, fields, &mut reader)?;
        }
    }

    /// Removes the text of a row that cannot be shown.
    fn undo(&self, out: &mut BytesMut, error: &RowError) {
        let at_top = matches!(error, RowError::Unsupported { nested: false, .. }) && !self.walk.is_nested();
        if at_top {
            // The row ends before this column.
            if self.column > 1 {
                out.truncate(out.len() - 1);
            }
            out.put_u8(b']');
        } else {
            out.truncate(self.start);
        }
    }
}

impl ReplacedValues {
    fn add(&mut self, row: u64, column: usize, reason: Cow<'static, str>) {
        self.count += 1;
        if self.first.len() < DESCRIBED {
            self.first.push(ReplacedValue { row, column, reason });
        }
    }
}
