//! The first rows of a result, which are held until the types of its columns are decided.

use super::{declared::Declared, seen::Seen, types::Column};
use crate::json::output::{
    RowError,
    parts::{begin, end},
};

/// The most records of a sample, in bytes.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// The first rows, and what is known of their columns.
pub(super) struct Sample {
    names: Vec<String>,
    /// The declared type of each column, if it has one.
    declared: Vec<Option<Column>>,
    seen: Vec<Seen>,
    /// The rows, one after another.
    records: Vec<u8>,
    /// Where each row ends in `records`.
    ends: Vec<usize>,
    most_rows: usize,
}

impl Sample {
    /// An empty sample of a result with columns of these names, all different.
    pub(super) fn new(names: Vec<String>, wanted: &Declared) -> Self {
        Self {
            declared: names.iter().map(|name| wanted.columns.get(name).cloned()).collect(),
            seen: vec![Seen::Nothing; names.len()],
            names,
            records: Vec::new(),
            ends: Vec::new(),
            most_rows: wanted.sample,
        }
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When it cannot be shown, whatever the types of the columns.
    pub(super) fn add(&mut self, fields: &[u8]) -> Result<(), RowError> {
        let mut reader = begin(fields, self.names.len())?;
        for (declared, seen) in self.declared.iter().zip(&mut self.seen) {
            match declared {
                Some(column) if column.is_settled(seen) => reader.skip()?,
                _ => *seen = std::mem::replace(seen, Seen::Nothing).with(Seen::of(&mut reader)?),
            }
        }
        end(&reader)?;
        self.records.extend_from_slice(fields);
        self.ends.push(self.records.len());
        Ok(())
    }

    /// Whether no further row changes what is decided.
    pub(super) fn is_complete(&self) -> bool {
        self.ends.len() >= self.most_rows
            || self.records.len() >= MOST_BYTES
            || self
                .declared
                .iter()
                .zip(&self.seen)
                .all(|(declared, seen)| declared.as_ref().is_some_and(|column| column.is_settled(seen)))
    }

    /// The names and types of the columns. `ended`: there are no further rows.
    pub(super) fn columns(&self, ended: bool) -> Vec<(String, Column)> {
        let column = |(declared, seen): (&Option<Column>, &Seen)| match declared {
            Some(column) => {
                let mut column = column.clone();
                column.settle(seen);
                column
            }
            None => seen.column(ended),
        };
        self.names.iter().cloned().zip(self.declared.iter().zip(&self.seen).map(column)).collect()
    }

    /// The rows.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| self.records.get(start..end).unwrap_or_default())
    }

    /// The number of rows.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether a type is declared for this column.
    pub(super) fn is_declared(&self, column: usize) -> bool {
        matches!(self.declared.get(column), Some(Some(_)))
    }
}
