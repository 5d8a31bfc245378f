//! Why a row could not be written.

use std::borrow::Cow;

use thiserror::Error;

use crate::bolt::packstream::DecodeError;

/// Why a row, or a value of it, could not be written as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RowError {
    /// The view has no form for a value of this type.
    #[error("Type {type_name} is not supported.")]
    Unsupported {
        /// The type as Cypher names it, for instance `VECTOR`.
        type_name: Cow<'static, str>,
        /// Whether it sat inside another value. If so, nothing of the row is left; if not, the row
        /// ends before it.
        nested: bool,
    },
    /// The database sent bytes that are no value, or a value without meaning.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The row does not have as many values as the result has columns.
    #[error("the database sent a row of {found} values for {expected} columns")]
    WrongWidth {
        /// The number of columns.
        expected: usize,
        /// The number of values in the row.
        found: usize,
    },
    /// The value is nested deeper than 2000 levels.
    #[error("the database sent a value that is nested more than {} levels deep", super::walk::DEPTH_LIMIT)]
    TooDeep,
    /// The text is longer than was allowed for.
    #[error("the text of a row is longer than was allowed for")]
    TooLong,
}
