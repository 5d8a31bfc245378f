//! The progress of a result, and what is known at its end.

use crate::{
    bolt::Summary,
    query::{error::Error, transaction::Transaction},
};

/// The progress of a result.
#[derive(Debug)]
pub enum Progress {
    /// There may be more rows. Continue once the sink has been emptied.
    Paused,
    /// The result has ended.
    Done(Box<ResultEnd>),
}

/// What is known at the end of a result.
#[derive(Debug)]
pub struct ResultEnd {
    /// The database's summary of the statement.
    pub summary: Summary,
    /// The bookmark, if a transaction was committed.
    pub bookmark: Option<String>,
    /// The transaction, if it is still open.
    pub transaction: Option<Transaction>,
    /// Why some rows of the result are missing, if any are.
    pub withheld: Option<Error>,
}
