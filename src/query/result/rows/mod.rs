//! An open result: fetches rows batch by batch, and moves them into a sink.

mod complete;
mod interrupt;

use super::{
    fetch_size::FetchSize,
    limits::RowLimit,
    progress::Progress,
    scope::TransactionScope,
    sink::{Flow, RowRefused, RowSink},
};
use crate::{
    bolt::{self, Columns, Failure, Reply, Summary},
    query::{
        deadline::Deadline,
        error::{Error, Kind},
        reply::AtRisk,
        running::{RegisteredStatement, StatementState},
        statement::inspect,
    },
    telemetry::observer::StatementOutcome,
};

/// The number of rows of what may write that are held back at least, because it can be retried until its first rows are
/// sent.
pub(in crate::query) const MIN_HELD_BACK: u32 = 1000;

/// A result whose first rows are in a sink.
#[derive(Debug)]
pub struct StartedStatement {
    /// The rest of the result.
    pub rows: Rows,
    /// How far the result has come.
    pub first: Result<Progress, Error>,
}

/// An open result. Dropping it before its end cancels the statement, and rolls back the transaction around it.
pub struct Rows {
    /// `None` after the end of the result.
    scope: Option<TransactionScope>,
    columns: Columns,
    fetch_size: FetchSize,
    deadline: Deadline,
    /// Replaces the statement's type in the summary, if another statement was sent in its place.
    kind: Option<&'static str>,
    /// Why further rows are discarded.
    refused: Option<Error>,
    /// Whether the sink has not yet taken all of the last row received.
    unfinished: bool,
    /// Set while COMMIT or ROLLBACK is outstanding, after the last row.
    completion: Option<Box<PendingCompletion>>,
    /// Why the database was told to end the statement, if it was.
    stopping: Option<Box<Error>>,
    running: RegisteredStatement,
}

/// What is known of a result while the completion of its transaction is outstanding.
struct PendingCompletion {
    summary: Summary,
    /// Why rows are missing and, in an explicit transaction, why it is rolled back.
    withheld: Option<Error>,
}

impl Rows {
    /// Creates a result after the SUCCESS of RUN, with the first PULL sent. `stopping` is the reason if the database
    /// was already told to end the statement.
    pub(in crate::query) fn new(
        scope: TransactionScope,
        columns: Columns,
        deadline: Deadline,
        kind: Option<&'static str>,
        (running, stopping): (RegisteredStatement, Option<Box<Error>>),
    ) -> Self {
        Self {
            scope: Some(scope),
            columns,
            fetch_size: FetchSize::new(RowLimit::NONE),
            deadline,
            kind,
            refused: None,
            unfinished: false,
            completion: None,
            stopping,
            running,
        }
    }

    /// Sets how many rows the result may have.
    pub(in crate::query) fn limited(mut self, limit: RowLimit) -> Self {
        self.fetch_size = FetchSize::new(limit);
        self
    }

    /// The columns of the result.
    #[must_use]
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Opens the result in `sink`, and moves the first rows into it.
    ///
    /// # Errors
    /// As [`Rows::advance`].
    pub async fn begin(&mut self, sink: &mut impl RowSink) -> Result<Progress, Error> {
        self.start(sink).await.inspect_err(|error| self.running.report_failure(error, None))
    }

    /// As [`Rows::begin`], for a statement that may be retried: the caller reports failures.
    pub(in crate::query) async fn start(&mut self, sink: &mut impl RowSink) -> Result<Progress, Error> {
        sink.open(&self.columns);
        self.move_rows(sink, true).await
    }

    /// Moves rows into `sink` until it is full, holds enough while no further row is at hand, a batch ends, or the
    /// result ends. Cancel-safe: nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// Whatever ended the statement early. The rows so far remain valid; a transaction around the statement has ended.
    pub async fn advance(&mut self, sink: &mut impl RowSink) -> Result<Progress, Error> {
        self.move_rows(sink, false).await.inspect_err(|error| self.running.report_failure(error, None))
    }

    async fn move_rows(&mut self, sink: &mut impl RowSink, first: bool) -> Result<Progress, Error> {
        let running = self.running.clone();
        let mut moved = self.until_interrupted(&running, sink, first).await;
        if let Err(why) = &moved
            && self.stop(why)
        {
            moved = self.until_interrupted(&running, sink, first).await;
        }
        match moved {
            Ok(progress) => {
                match progress {
                    Ok(Progress::Paused) => running.set_state(StatementState::Streaming),
                    Ok(Progress::Done(_)) => running.set_outcome(StatementOutcome::Completed),
                    Err(_) => {}
                }
                progress
            }
            Err(why) => {
                let error = self.outcome_unknown_or(why);
                self.abandon();
                Err(error)
            }
        }
    }

    /// Fetches rows as [`Rows::advance`] describes. `first` is whether no rows have been sent to the client yet, so
    /// that the statement can still be retried.
    async fn fetch(&mut self, sink: &mut impl RowSink, first: bool) -> Result<Progress, Error> {
        if self.completion.is_some() {
            return self.complete().await;
        }
        // Whether rows may be sent before the end of the batch, once there are enough of them.
        let mut early = None;
        let mut received = 0;
        let Some(scope) = &mut self.scope else {
            return Err(Error::result_ended());
        };
        let mut connection = scope.connection();
        if let Some(rows) = self.fetch_size.take_due() {
            connection.pull(rows);
        }
        loop {
            let resumed = std::mem::take(&mut self.unfinished);
            let reply = match if resumed { Ok(Some(Reply::Record)) } else { connection.buffered_reply() } {
                Ok(Some(reply)) => reply,
                Ok(None) if early == Some(true) => return Ok(Progress::Paused),
                Ok(None) => match connection.fill().await {
                    Ok(()) => continue,
                    Err(error) => return Err(self.connection_lost(&error)),
                },
                Err(error) => return Err(self.connection_lost(&error)),
            };
            match reply {
                Reply::Record if self.refused.is_some() => {}
                Reply::Record => {
                    let fields = connection.payload();
                    if !resumed {
                        self.fetch_size.count(fields.len());
                        received += 1;
                    }
                    let taken = match self.fetch_size.exceeded() {
                        None => sink.row(fields, self.columns.count),
                        Some(limit) => Err(RowRefused::TooMany(limit)),
                    };
                    match taken {
                        Ok(Flow::Continue) => {}
                        Ok(Flow::Enough) => {
                            early.get_or_insert_with(|| !first || !inspect::may_write(self.running.text()));
                        }
                        // After a cancellation nothing waits for the reader: rows without room are left out.
                        Ok(Flow::Full | Flow::Unfinished) if self.stopping.is_some() => {
                            self.refused = Some(rows_after_cancellation().into());
                        }
                        Ok(Flow::Full) => return Ok(Progress::Paused),
                        Ok(Flow::Unfinished) => {
                            self.unfinished = true;
                            return Ok(Progress::Paused);
                        }
                        Err(refused @ (RowRefused::TooMany(_) | RowRefused::TooLarge(_))) => {
                            self.exceed(refused.into())?;
                            let Some(scope) = &mut self.scope else { return Err(Error::result_ended()) };
                            connection = scope.connection();
                        }
                        Err(refused) => self.refused = Some(refused.into()),
                    }
                }
                Reply::Success => {
                    let summary = Summary::parse(connection.payload());
                    let summary = match summary {
                        Ok(summary) => summary,
                        Err(error) => return Err(self.connection_lost(&error.into())),
                    };
                    let kind = self.kind.or(summary.kind.as_deref());
                    self.running.report_rows(self.fetch_size.take_unreported(), !summary.has_more, kind);
                    if !summary.has_more {
                        if self.refused.is_none()
                            && let Err(refused) = sink.finish()
                        {
                            self.refuse_last(refused)?;
                        }
                        self.running.report_success();
                        return self.end(summary, sink.has_replaced_values()).await;
                    }
                    if let Some(why) = self.stopping.take() {
                        // Resetting the connection undoes whatever the statement has done.
                        self.abandon();
                        return Err(*why);
                    }
                    if self.refused.is_some() {
                        connection.discard();
                        continue;
                    }
                    if let Err(limit) = self.fetch_size.end_batch() {
                        // Nothing is outstanding, so the statement cannot have been committed.
                        return Err(self.stopped(&Error::too_many_rows(limit)));
                    }
                    if first && received < MIN_HELD_BACK && inspect::may_write(self.running.text()) {
                        // A statement that may conflict with others is held back, however small the first batch was.
                        if let Some(rows) = self.fetch_size.take_due() {
                            connection.pull(rows);
                        }
                        continue;
                    }
                    return Ok(Progress::Paused);
                }
                Reply::Failure(failure) => {
                    let failure = self.failed(failure);
                    let limit = self.stopping.take().filter(|why| why.kind == Kind::ResultLimit);
                    return Err(limit.map_or(failure, |why| *why));
                }
                Reply::Ignored => {
                    let Some(why) = self.stopping.take() else {
                        return Err(self.connection_lost(&bolt::Error::Protocol("the server ignored PULL")));
                    };
                    self.abandon();
                    return Err(*why);
                }
            }
        }
    }

    /// Ends the result after a failure that the database reported.
    fn failed(&mut self, failure: Failure) -> Error {
        let mut error = Error::from_failure(failure);
        if let Some(TransactionScope::AutoCommit(lease)) = &self.scope {
            error = error.outside_of_transactions(lease.dialect());
        }
        if let Some(why) = &self.stopping {
            error = error.after_cancellation(why);
        }
        self.fail_transaction();
        error
    }

    /// Ends the result after the loss of its connection.
    fn connection_lost(&mut self, error: &bolt::Error) -> Error {
        let at_risk = self.scope.as_ref().map_or(AtRisk::Statement, |scope| scope.at_risk(self.running.text()));
        let error = at_risk.lost(error);
        self.fail_transaction();
        error
    }

    /// Reports the rows of a batch that did not end.
    fn report_rest(&mut self) {
        let rows = self.fetch_size.take_unreported();
        if rows > 0 {
            self.running.report_rows(rows, false, None);
        }
    }

    /// Ends the transaction around the statement, which has failed with it.
    fn fail_transaction(&mut self) {
        self.report_rest();
        if let Some(scope) = self.scope.take() {
            scope.fail();
        }
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        self.report_rest();
    }
}

/// Why the last rows are missing of a statement whose cancellation came too late.
fn rows_after_cancellation() -> RowRefused {
    RowRefused::Format("The statement was cancelled; rows that had not been read by then are omitted.".to_owned())
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("running", &self.running).finish_non_exhaustive()
    }
}
