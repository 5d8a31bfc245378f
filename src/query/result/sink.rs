//! The seam between results and their encoders.

use crate::{bolt::Columns, query::error::Error};

/// A destination of rows, implemented by encoders.
pub trait RowSink {
    /// Begins a result with these columns.
    fn open(&mut self, columns: &Columns);

    /// Takes a row: its list of fields in PackStream, which should hold `columns` values.
    ///
    /// After [`Flow::Unfinished`], the same row is passed again once the sink has been emptied.
    ///
    /// # Errors
    /// [`RowRefused`] when the row cannot be represented. No further row follows. A statement outside a transaction is
    /// executed to its end nevertheless; a transaction is rolled back.
    fn row(&mut self, fields: &[u8], columns: usize) -> Result<Flow, RowRefused>;

    /// Takes note that there are no further rows, so that what it holds back of them can be written.
    ///
    /// # Errors
    /// As [`Self::row`].
    fn finish(&mut self) -> Result<(), RowRefused> {
        Ok(())
    }

    /// Whether values were left out because they are invalid. An explicit transaction around the statement is then
    /// rolled back.
    fn has_replaced_values(&self) -> bool;

    /// Discards everything, for another attempt. Never called after anything was taken out of the sink.
    fn restart(&mut self);
}

/// Takes rows, and forgets them.
#[derive(Debug)]
pub struct Discarded;

impl RowSink for Discarded {
    fn open(&mut self, _: &Columns) {}

    fn row(&mut self, _: &[u8], _: usize) -> Result<Flow, RowRefused> {
        Ok(Flow::Continue)
    }

    fn has_replaced_values(&self) -> bool {
        false
    }

    fn restart(&mut self) {}
}

/// How a sink wants to continue after a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Continue with the next row.
    Continue,
    /// Continue while rows are at hand, but do not wait for more: the content is worth sending.
    Enough,
    /// Stop: the sink is full.
    Full,
    /// Stop: the sink is full, and has not taken all of the row yet.
    Unfinished,
}

/// Why a row cannot be represented. Becomes the error at the end of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowRefused {
    /// The format that the client chose cannot represent a value.
    Format(String),
    /// The database sent something invalid.
    Malformed(String),
    /// The result has more rows than this, which is the limit. The statement is stopped.
    TooMany(u32),
    /// The rows are more text than this, in bytes, which is the limit. The statement is stopped.
    TooLarge(usize),
    /// What waits for nodes is larger than this, in bytes, which is the limit. No further row is taken.
    TooManyWait(usize),
    /// The rows have more nodes and relationships than this, which is the limit. No further row is taken.
    TooManyElements(usize),
}

impl From<RowRefused> for Error {
    fn from(refused: RowRefused) -> Self {
        match refused {
            RowRefused::Format(message) => Self::invalid(&message),
            RowRefused::Malformed(message) => Self::malformed(message),
            RowRefused::TooMany(limit) => Self::too_many_rows(limit),
            RowRefused::TooLarge(limit) => Self::too_many_bytes(limit),
            RowRefused::TooManyWait(limit) => Self::too_many_wait(limit),
            RowRefused::TooManyElements(limit) => Self::too_many_elements(limit),
        }
    }
}
