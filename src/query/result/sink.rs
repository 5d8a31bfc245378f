//! Where rows go: the seam between results and whoever makes text of them.

use crate::{bolt::Columns, query::error::Error};

/// Where rows go. Implemented by whoever makes text of them.
pub trait RowSink {
    /// Begins a result with these columns.
    fn open(&mut self, columns: &Columns);

    /// Takes one row: its list of fields in PackStream, which has to hold `columns` values.
    ///
    /// After [`Flow::Unfinished`] the same row is given again, once the sink was emptied.
    ///
    /// # Errors
    /// [`RowRefused`] when the row cannot be shown. No further row follows. A statement outside of a transaction is
    /// carried out to its end all the same; a transaction is rolled back.
    fn row(&mut self, fields: &[u8], columns: usize) -> Result<Flow, RowRefused>;

    /// Whether values were left out because they make no sense. A transaction around the statement is then rolled back.
    fn is_flawed(&self) -> bool;

    /// Forgets all that it was given, for another attempt. Never called once anything was taken out of it.
    fn restart(&mut self);
}

/// Whether the sink wants more before it is emptied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Go on while rows are at hand, but do not wait for more: what it holds is worth handing over.
    Enough,
    /// It holds as much as it should.
    Full,
    /// It holds as much as it should, and not all of the row yet.
    Unfinished,
}

/// Why a row cannot be shown; the error for the end of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowRefused {
    /// The client's choice of format has no room for a value.
    Format(String),
    /// The database sent what makes no sense.
    Malformed(String),
}

impl From<RowRefused> for Error {
    fn from(refused: RowRefused) -> Self {
        match refused {
            RowRefused::Format(message) => Self::invalid(&message),
            RowRefused::Malformed(message) => Self::malformed(message),
        }
    }
}
