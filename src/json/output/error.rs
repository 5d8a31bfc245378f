//! The error type of rows.

use std::borrow::Cow;

use thiserror::Error;

use crate::bolt::packstream::DecodeError;

/// Why a row, or a value in it, could not be written as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RowError {
    /// The view cannot represent a value of this type.
    #[error("Type {type_name} is not supported.")]
    Unsupported {
        /// The type as Cypher names it, for instance `VECTOR`.
        type_name: Cow<'static, str>,
        /// Whether the value was nested in another one. If so, the whole row was removed; if not, the row ends before
        /// the value.
        nested: bool,
    },
    /// The database sent bytes that are not a value, or an invalid value.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The number of values in the row differs from the number of columns.
    #[error("the database sent a row of {found} values for {expected} columns")]
    WrongWidth {
        /// The number of columns.
        expected: usize,
        /// The number of values in the row.
        found: usize,
    },
    /// The value is nested deeper than 2000 levels.
    #[error("the database sent a value nested deeper than {} levels", super::walk::DEPTH_LIMIT)]
    TooDeep,
    /// The text of the row exceeds the limit.
    #[error("the text of a row exceeds its limit")]
    TooLong,
    /// What waits for nodes exceeds the limit, in bytes.
    #[error("the rows that wait for nodes exceed the limit of {0} bytes")]
    TooManyWait(usize),
    /// The graph has more nodes and relationships than this, which is the limit.
    #[error("the graph has more than {0} nodes and relationships")]
    TooManyElements(usize),
    /// A value does not fit what was said of its column; the text names row and column.
    #[error("{0}")]
    DoesNotFit(String),
    /// The row has relationships without their nodes, which cannot be looked up.
    #[error(
        "The statement was carried out, but the form \"graph\" is not available for relationships without their nodes \
         outside of transactions; rows are left out. Return the nodes too, or ask for \"row\"."
    )]
    WithoutNodes,
}
