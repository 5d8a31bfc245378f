//! The limits of a result.

/// How large a result may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ResultLimits {
    /// The most rows. `None`: any number.
    pub rows: Option<u32>,
    /// The most text of its rows in the answer, in bytes. `None`: any amount.
    pub bytes: Option<usize>,
}

impl ResultLimits {
    /// The limits with at most `rows` rows, if that is less.
    pub(in crate::query) fn with_rows(self, rows: Option<u32>) -> Self {
        Self { rows: self.rows.into_iter().chain(rows).min(), ..self }
    }

    /// Whether there is a limit.
    pub(in crate::query) fn any(self) -> bool {
        self.rows.is_some() || self.bytes.is_some()
    }
}

/// How many rows are requested of a result.
#[derive(Debug, Clone, Copy)]
pub(in crate::query) struct RowLimit {
    /// The most rows that the result may have.
    pub(in crate::query) rows: Option<u32>,
    /// Whether the database commits after the last row, so that a row too many must not be requested: it could be the
    /// last one.
    pub(in crate::query) commits: bool,
}

impl RowLimit {
    /// No limit.
    pub(in crate::query) const NONE: Self = Self { rows: None, commits: false };

    /// The limit of a result in a transaction that ends only when it is told to.
    pub(in crate::query) fn in_transaction(limits: ResultLimits) -> Self {
        Self { rows: limits.rows, commits: false }
    }

    /// How many rows may be requested in all: one more than allowed shows that there are too many.
    pub(in crate::query) fn requestable(self) -> u32 {
        self.rows.map_or(u32::MAX, |rows| if self.commits { rows } else { rows.saturating_add(1) })
    }
}
