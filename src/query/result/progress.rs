//! How far a result has come, and what is known at its end.

use crate::{
    bolt::Summary,
    query::{error::Error, transaction::Transaction},
};

/// How far a result has come.
#[derive(Debug)]
pub enum Progress {
    /// There is more; ask again once the sink is emptied.
    Paused,
    /// That was all.
    Done(Box<ResultEnd>),
}

/// What is known at the end of a result.
#[derive(Debug)]
pub struct ResultEnd {
    /// What the database says of the statement.
    pub summary: Summary,
    /// Where the database stands, if something was committed.
    pub bookmark: Option<String>,
    /// The transaction, if it is still open.
    pub transaction: Option<Transaction>,
    /// Why not all of the result could be shown.
    pub withheld: Option<Error>,
}
