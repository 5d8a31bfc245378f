//! Several statements in one transaction, in one request: all of them or none. How they travel is in
//! [`super::execution`].

use std::sync::Arc;

use super::parameter_sets::ParameterSets;
use crate::{
    bolt::Summary,
    query::{
        error::Error,
        result::{RowRefused, RowSink},
        transaction::Committed,
    },
};

/// One statement, run with each of its maps of parameters in turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchStatement {
    /// The text.
    pub text: Arc<str>,
    /// The parameters of each run.
    pub parameter_sets: ParameterSets,
}

/// What one transaction is to do.
#[derive(Debug, Clone)]
pub struct Batch {
    /// In this order. At least one.
    pub statements: Arc<[BatchStatement]>,
    /// Whether anybody looks at the rows.
    pub rows: bool,
    /// Whether anybody looks at the counters.
    pub counters: bool,
}

/// Where the results of a batch go, one after another.
pub trait BatchSink: RowSink {
    /// Ends the result that was opened last. The counters in `summary` are those of all its runs.
    ///
    /// # Errors
    /// [`RowRefused`] when there is no room for it. As with a row that cannot be shown, the batch is rolled back.
    fn close(&mut self, summary: &Summary) -> Result<(), RowRefused>;
}

/// What is known at the end of a batch.
#[derive(Debug)]
pub struct BatchEnd {
    /// The sum of all counters, a PackStream map, if it was wanted.
    pub counters: Option<Vec<u8>>,
    /// What the database says of the commit.
    pub committed: Committed,
}

/// Why a batch failed. Unless the outcome is not known, nothing of it was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchError {
    /// What went wrong.
    pub error: Error,
    /// The statement at fault, counted from 0.
    pub statement: Option<usize>,
    /// The connection was lost before anybody asked for COMMIT, so another attempt cannot do the same twice.
    pub(in crate::query) lost_before_commit: bool,
}

impl From<Error> for BatchError {
    fn from(error: Error) -> Self {
        Self { error, statement: None, lost_before_commit: false }
    }
}
