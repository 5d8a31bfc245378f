//! A result on its way: batches of rows, one at a time, and what comes at the end.

mod complete;
mod interrupt;

use super::{
    fetch_size::FetchSize,
    progress::Progress,
    scope::TransactionScope,
    sink::{Flow, RowRefused, RowSink},
};
use crate::{
    bolt::{self, Columns, Failure, Reply, Summary},
    query::{
        deadline::Deadline,
        error::Error,
        reply::AtRisk,
        running::{RegisteredStatement, StatementState},
        statement::inspect,
    },
};

/// So many rows of a statement that may write are held back at least: until they leave, it can be tried again.
const HELD_BACK: u32 = 1000;

/// A result whose beginning is in a sink.
#[derive(Debug)]
pub struct StartedStatement {
    /// The rest of it.
    pub rows: Rows,
    /// How far it has come.
    pub first: Result<Progress, Error>,
}

/// An open result. Dropping it before its end cancels the statement, and ends the transaction around it.
pub struct Rows {
    /// `None` once the end was reached.
    scope: Option<TransactionScope>,
    columns: Columns,
    fetch_size: FetchSize,
    deadline: Deadline,
    /// Set in place of what the database says, for statements that stand in for others.
    kind: Option<&'static str>,
    /// Why no further row is shown.
    refused: Option<RowRefused>,
    /// The sink has not taken all of the row that was received last.
    unfinished: bool,
    /// The result is read, and the transaction around it is being ended.
    completion: Option<Box<PendingCompletion>>,
    /// Why the database was told to end the statement, if it was.
    stopping: Option<Box<Error>>,
    running: RegisteredStatement,
}

/// The end of a transaction, which the database was asked for.
struct PendingCompletion {
    summary: Summary,
    /// Why it is rolled back, if it is.
    withheld: Option<Error>,
}

impl Rows {
    /// A result whose RUN has succeeded and whose first PULL is on its way. `stopping`: why the database was told to end it.
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
            fetch_size: FetchSize::new(),
            deadline,
            kind,
            refused: None,
            unfinished: false,
            completion: None,
            stopping,
            running,
        }
    }

    /// The columns of the result.
    #[must_use]
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Begins the result in `sink`, and moves the first rows into it.
    ///
    /// # Errors
    /// As [`Rows::advance`].
    pub async fn begin(&mut self, sink: &mut impl RowSink) -> Result<Progress, Error> {
        sink.open(&self.columns);
        self.move_rows(sink, true).await
    }

    /// Moves rows into `sink` until it is full, or holds enough and the next row is not there yet, a batch is over, or the
    /// result has ended. May be dropped before it is ready; nothing is lost by that.
    ///
    /// # Errors
    /// Whatever ended the statement before its time; the rows so far stand. A transaction around it is over.
    pub async fn advance(&mut self, sink: &mut impl RowSink) -> Result<Progress, Error> {
        self.move_rows(sink, false).await
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
                running.set_state(StatementState::Streaming);
                progress
            }
            Err(why) => {
                let error = self.unsettled(why);
                self.abandon();
                Err(error)
            }
        }
    }

    async fn batch(&mut self, sink: &mut impl RowSink, first: bool) -> Result<Progress, Error> {
        if self.completion.is_some() {
            return self.finish().await;
        }
        // Whether rows may leave before the batch is over, once there are enough of them.
        let mut early = None;
        let mut received = 0;
        let Some(scope) = &mut self.scope else {
            return Err(Error::result_ended());
        };
        let connection = scope.connection();
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
                    Err(error) => return Err(self.broken(&error)),
                },
                Err(error) => return Err(self.broken(&error)),
            };
            match reply {
                Reply::Record if self.refused.is_some() => {}
                Reply::Record => {
                    let fields = connection.payload();
                    if !resumed {
                        self.fetch_size.count(fields.len());
                        received += 1;
                    }
                    match sink.row(fields, self.columns.count) {
                        Ok(Flow::Continue) => {}
                        Ok(Flow::Enough) => {
                            early.get_or_insert_with(|| !first || !inspect::may_write(self.running.text()));
                        }
                        // Nobody is waited for any more: what there is no room for is left out.
                        Ok(Flow::Full | Flow::Unfinished) if self.stopping.is_some() => {
                            self.refused = Some(carried_out())
                        }
                        Ok(Flow::Full) => return Ok(Progress::Paused),
                        Ok(Flow::Unfinished) => {
                            self.unfinished = true;
                            return Ok(Progress::Paused);
                        }
                        Err(refused) => self.refused = Some(refused),
                    }
                }
                Reply::Success => {
                    let summary = Summary::parse(connection.payload());
                    let summary = match summary {
                        Ok(summary) => summary,
                        Err(error) => return Err(self.broken(&error.into())),
                    };
                    if !summary.has_more {
                        return self.end(summary, sink.is_flawed()).await;
                    }
                    if let Some(why) = self.stopping.take() {
                        // Whatever the statement has done is undone with the connection's reset.
                        self.abandon();
                        return Err(*why);
                    }
                    if self.refused.is_some() {
                        connection.discard();
                        continue;
                    }
                    self.fetch_size.end_batch();
                    if first && received < HELD_BACK && inspect::may_write(self.running.text()) {
                        // What may meet a conflict is held back, however small the first batch was.
                        if let Some(rows) = self.fetch_size.take_due() {
                            connection.pull(rows);
                        }
                        continue;
                    }
                    return Ok(Progress::Paused);
                }
                Reply::Failure(failure) => return Err(self.failed(failure)),
                Reply::Ignored => {
                    let Some(why) = self.stopping.take() else {
                        return Err(self.broken(&bolt::Error::Protocol("the server ignored PULL")));
                    };
                    self.abandon();
                    return Err(*why);
                }
            }
        }
    }

    /// What the database said instead of more rows.
    fn failed(&mut self, failure: Failure) -> Error {
        let mut error = Error::from_failure(failure);
        if let Some(TransactionScope::AutoCommit(lease)) = &self.scope {
            error = error.outside_of_transactions(lease.dialect());
        }
        self.give_up();
        error
    }

    /// What is said when the connection breaks.
    fn broken(&mut self, error: &bolt::Error) -> Error {
        let at_risk = self.scope.as_ref().map_or(AtRisk::Statement, |scope| scope.at_risk(self.running.text()));
        let error = at_risk.lost(error);
        self.give_up();
        error
    }

    /// The statement has failed, and the transaction around it with it.
    fn give_up(&mut self) {
        if let Some(scope) = self.scope.take() {
            scope.fail();
        }
    }
}

/// Why the last rows of a statement are missing whose cancelling came too late.
fn carried_out() -> RowRefused {
    RowRefused::Format("The statement was cancelled; rows that had not been read by then are omitted.".to_owned())
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("running", &self.running).finish_non_exhaustive()
    }
}
