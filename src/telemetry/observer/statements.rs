//! Events of statements and transactions.

use std::time::Duration;

/// The state of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementState {
    /// It waits for a connection.
    Queued,
    /// The database is executing it.
    Running,
    /// Its rows are on their way to the client.
    Streaming,
    /// An attempt failed, and it waits for the next one.
    Retrying,
}

/// See [`Observer::rows_received`](super::Observer::rows_received).
#[derive(Debug, Clone, Copy)]
pub struct RowsReceived<'a> {
    /// The statement. The statements of one batch request share it.
    pub id: u64,
    /// The number of rows.
    pub rows: u32,
    /// Whether these were the last rows of a result.
    pub last: bool,
    /// The kind of statement in the database's letters, with the last rows: `r`, `w`, `rw` or `s`.
    pub kind: Option<&'a str>,
}

/// See [`Observer::attempt_failed`](super::Observer::attempt_failed).
#[derive(Debug, Clone, Copy)]
pub struct AttemptFailed<'a> {
    /// The statement.
    pub id: u64,
    /// The code that callers see.
    pub code: &'a str,
    /// What kind of failure it is.
    pub class: FailureClass,
    /// The pause before the next attempt; `None` if the statement is not retried.
    pub retry_after: Option<Duration>,
}

/// What kind of failure a statement met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureClass {
    /// The request or the statement was wrong, or its caller was not allowed to do it.
    ClientError,
    /// It may succeed later: a conflict, or a database that is busy or away.
    Transient,
    /// The database failed.
    DatabaseError,
    /// It was ended on purpose.
    Cancelled,
    /// Its time limit passed.
    Timeout,
    /// The connection was lost, and its outcome is not known.
    Lost,
}

/// Why the gateway stopped a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelReason {
    /// Its caller asked for that.
    Caller,
    /// Its client does not read the rows, which blocks the database.
    SlowReader,
    /// Its client has left.
    ClientGone,
    /// Its client took no byte of the answer for too long.
    WriteStall,
    /// Its time limit passed.
    Deadline,
    /// An operator ended it.
    Operator,
    /// Its result reached a limit.
    Limit,
    /// The gateway is stopping.
    Shutdown,
}

/// What a statement belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementKind {
    /// An explicit transaction.
    Explicit,
    /// A transaction of its own.
    Statement,
    /// A batch.
    Batch,
    /// A bulk load.
    Load,
}

/// See [`Observer::statement_finished`](super::Observer::statement_finished).
#[derive(Debug, Clone, Copy)]
pub struct StatementFinished<'a> {
    /// What it belonged to.
    pub kind: StatementKind,
    /// From RUN to its last SUCCESS or FAILURE.
    pub duration: Duration,
    /// The failure, if it failed.
    pub failure: Option<FailureClass>,
    /// The code of the failure.
    pub code: Option<&'a str>,
}

/// Why a statement or a batch is attempted again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryReason {
    /// A conflict with another transaction.
    Conflict,
    /// Another transient failure.
    Transient,
    /// The connection was lost before anything could have been committed.
    Connection,
}

/// How an explicit transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionOutcome {
    /// COMMIT succeeded.
    Committed,
    /// Its owner rolled it back.
    RolledBack,
    /// A statement or COMMIT failed.
    Failed,
    /// `transactions.idle_timeout`.
    IdleTimeout,
    /// `transactions.max_lifetime`.
    Lifetime,
    /// The credential of its owner expired.
    Expired,
    /// An operator ended it.
    Operator,
    /// The gateway is stopping.
    Shutdown,
    /// Its connection was lost.
    Lost,
}

/// How a statement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementOutcome {
    /// Its client left it before its end.
    Abandoned,
    /// Its last attempt failed.
    Failed,
    /// Its result was complete.
    Completed,
}
