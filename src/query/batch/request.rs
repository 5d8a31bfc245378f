//! The types of a batch: what it does, where its results go, and how it ends.

use std::sync::Arc;

use super::parameter_sets::ParameterSets;
use crate::{
    bolt::{Stats, Summary},
    query::{
        error::Error,
        result::{Flow, RowRefused, RowSink},
        running::StatementKind,
        transaction::{Committed, Transaction},
    },
};

/// A statement, run once with each of its parameter sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchStatement {
    /// The Cypher text.
    pub text: Arc<str>,
    /// The parameters of each run.
    pub parameter_sets: ParameterSets,
    /// Whether the sink may miss nodes at its end. No later statement is sent before these were looked up.
    pub looks_up: bool,
}

/// The statements of one transaction.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Whether it is a batch of its own, or part of a load.
    pub kind: StatementKind,
    /// The statements, in order.
    pub statements: Arc<[BatchStatement]>,
    /// Why everything is undone after the statements.
    pub refused: Option<Error>,
    /// Whether rows are needed.
    pub rows: bool,
    /// Whether counters are needed.
    pub counters: bool,
    /// Whether rows leave as soon as those of a statement alone would, although what has left cannot be retried. Otherwise
    /// they leave when there is no more room for them.
    pub streams: bool,
}

/// A destination of a batch's results, one after another.
pub trait BatchSink: RowSink {
    /// Closes the result that was opened last. The counters in `summary` are the sums of all its runs.
    ///
    /// # Errors
    /// [`RowRefused`] when the summary cannot be represented. The batch is then rolled back.
    fn close(&mut self, summary: &Summary) -> Result<(), RowRefused>;

    /// The nodes that rows wait for, once the database has sent all rows of the open result.
    fn missing(&self) -> Vec<MissingNode> {
        Vec::new()
    }

    /// Takes a record with one of the missing nodes, which need not all exist.
    ///
    /// # Errors
    /// [`RowRefused`] when it is invalid, or one too many.
    fn found(&mut self, _fields: &[u8]) -> Result<(), RowRefused> {
        Ok(())
    }

    /// Takes the next of the rows that waited, after everything that exists was found. `None` when there are no more.
    ///
    /// # Errors
    /// As [`RowSink::row`].
    fn next_waiting(&mut self) -> Result<Option<Flow>, RowRefused> {
        Ok(None)
    }
}

/// A node that a sink misses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingNode {
    /// Its number.
    pub number: i64,
    /// Its element id; the number, if the database has no others.
    pub element_id: Box<str>,
}

/// What is known at the end of a batch.
#[derive(Debug)]
pub struct BatchEnd {
    /// The sums of all counters, if counters were needed.
    pub counters: Option<Stats>,
    /// What the database reported about the commit; `None` if the transaction stays open.
    pub committed: Option<Committed>,
    /// The transaction, if it stays open.
    pub transaction: Option<Transaction>,
}

/// Why a batch failed. Unless the outcome is unknown, nothing was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchError {
    /// The error.
    pub error: Error,
    /// The index of the statement that failed, counted from 0.
    pub statement: Option<usize>,
    /// Whether the connection was lost before COMMIT was sent, so that a retry cannot apply anything twice.
    pub(in crate::query) lost_before_commit: bool,
}

impl From<Error> for BatchError {
    fn from(error: Error) -> Self {
        Self { error, statement: None, lost_before_commit: false }
    }
}
