//! A result on its way: batches of rows, one at a time, and what comes at the end.

use std::{future::pending, pin::pin, time::Duration};

use tokio::time::sleep;

use super::{
    fetch_size::FetchSize,
    sink::{Flow, RowRefused, RowSink},
};
use crate::{
    bolt::{self, Columns, Connection, Reply, Summary},
    pool::Lease,
    query::{
        bookmark::placeholder,
        deadline::Deadline,
        error::{Error, Kind},
        reply::AtRisk,
        running::{RegisteredStatement, StatementState},
        statement::inspect,
        transaction::completion::outcome,
        transaction::{Transaction, TransactionGuard},
    },
};

/// How far a result has come.
#[derive(Debug)]
pub enum Progress {
    /// There is more; ask again once the sink is emptied.
    Paused,
    /// That was all.
    Done(Box<ResultEnd>),
}

/// A result whose beginning is in a sink.
#[derive(Debug)]
pub struct StartedStatement {
    /// The rest of it.
    pub rows: Rows,
    /// How far it has come.
    pub first: Result<Progress, Error>,
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

/// What owns the connection, and what happens at the end.
pub(in crate::query) enum TransactionScope {
    /// A statement of its own, committed by its last batch.
    AutoCommit(Lease),
    /// A statement in a transaction of its own that was begun for reading.
    ReadOnly(Lease),
    /// Inside an explicit transaction, which stays open.
    Explicit(TransactionGuard),
    /// The last statement of an explicit transaction.
    ExplicitCommit(TransactionGuard),
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

    /// Whether the database has been asked for rows that have not been received. As long as they are not, it may be
    /// blocked on sending them.
    #[must_use]
    pub fn is_amid_batch(&self) -> bool {
        self.scope.is_some() && !self.fetch_size.is_due()
    }

    /// Waits until the statement's time is over or somebody cancels it, while its rows wait for a reader; and not for long
    /// where that blocks the database. `None`: it was told to stop, and [`Rows::advance`] says what came of it.
    pub async fn interrupted(&mut self) -> Option<Error> {
        let blocks = self.is_amid_batch() && self.scope.as_mut().is_some_and(TransactionScope::holds_worker);
        let (deadline, running) = (self.deadline, self.running.clone());
        let why = match running.bound(deadline, pin!(slow_reader_timeout(blocks))).await {
            Ok(()) => Error::reader_too_slow(),
            Err(why) => why,
        };
        // Between two batches nothing can have been committed.
        if self.is_amid_batch() && self.stop(&why) {
            return None;
        }
        let error = self.unsettled(why);
        self.abandon();
        Some(error)
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

    /// The outer error is why the rest was not waited for.
    async fn until_interrupted(
        &mut self,
        running: &RegisteredStatement,
        sink: &mut impl RowSink,
        first: bool,
    ) -> Result<Result<Progress, Error>, Error> {
        let (deadline, stopping) = (self.deadline, self.stopping.is_some());
        let rows = pin!(self.batch(sink, first));
        if stopping { deadline.bound(rows).await } else { running.bound(deadline, rows).await }
    }

    /// Tells the database to end a statement that its caller has cancelled, where only the database can say whether that
    /// came in time. False where nothing is to be waited for.
    fn stop(&mut self, why: &Error) -> bool {
        if why.kind != Kind::Terminated || self.stopping.is_some() {
            return false;
        }
        match &mut self.scope {
            Some(TransactionScope::AutoCommit(lease)) if inspect::may_write(self.running.text()) => lease.interrupt(),
            // COMMIT cannot be taken back.
            Some(TransactionScope::ExplicitCommit(_)) if self.completion.is_some() => {}
            _ => return false,
        }
        self.stopping = Some(Box::new(why.clone()));
        self.deadline = self.deadline.grace_period();
        true
    }

    /// What is to be said when no more is waited for.
    fn unsettled(&self, why: Error) -> Error {
        match (&self.completion, &self.scope) {
            (Some(completion), Some(TransactionScope::ExplicitCommit(_))) if completion.withheld.is_none() => {
                Error::commit_outcome_unknown()
            }
            (_, Some(TransactionScope::AutoCommit(_))) if self.stopping.is_some() => Error::cancel_outcome_unknown(),
            _ => why,
        }
    }

    /// Lets go of the connection, on which the statement is then cancelled without delay.
    fn abandon(&mut self) {
        match &mut self.scope {
            Some(TransactionScope::AutoCommit(lease) | TransactionScope::ReadOnly(lease)) => lease.hurry(),
            Some(TransactionScope::Explicit(guard) | TransactionScope::ExplicitCommit(guard)) => guard.lease().hurry(),
            None => {}
        }
        self.scope = None;
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
                Reply::Failure(failure) => {
                    let dialect = connection.dialect();
                    let alone = matches!(scope, TransactionScope::AutoCommit(_));
                    self.give_up();
                    let error = Error::from_failure(failure);
                    return Err(if alone { error.outside_of_transactions(dialect) } else { error });
                }
                Reply::Ignored => {
                    if let Some(why) = self.stopping.take() {
                        self.abandon();
                        return Err(*why);
                    }
                    return Err(self.broken(&bolt::Error::Protocol("a PULL was ignored")));
                }
            }
        }
    }

    /// Ends the result, and the transaction around it if it is to end.
    async fn end(&mut self, mut summary: Summary, flawed: bool) -> Result<Progress, Error> {
        if let Some(kind) = self.kind {
            summary.kind = Some(kind.to_owned());
        }
        let withheld = self.refused.take().map(Error::from);
        match self.scope.take() {
            None => Err(Error::result_ended()),
            Some(TransactionScope::AutoCommit(_)) => {
                let bookmark = Some(summary.bookmark.take().unwrap_or_else(placeholder));
                let withheld = withheld.map(Error::despite_commit);
                Ok(Progress::Done(Box::new(ResultEnd { summary, bookmark, transaction: None, withheld })))
            }
            Some(TransactionScope::Explicit(guard)) if withheld.is_none() && !flawed => {
                let transaction = Some(guard.keep());
                Ok(Progress::Done(Box::new(ResultEnd { summary, bookmark: None, transaction, withheld })))
            }
            Some(scope @ TransactionScope::ReadOnly(_)) => {
                self.scope.insert(scope).connection().commit();
                self.completion =
                    Some(Box::new(PendingCompletion { summary, withheld: withheld.map(Error::despite_commit) }));
                self.finish().await
            }
            Some(scope @ (TransactionScope::Explicit(_) | TransactionScope::ExplicitCommit(_))) => {
                let connection = self.scope.insert(scope).connection();
                let flaw = || Error::malformed("values were left out because they make no sense".to_owned());
                let withheld = withheld.or_else(|| flawed.then(flaw)).map(Error::after_rollback);
                if withheld.is_some() {
                    connection.rollback();
                } else {
                    connection.commit();
                }
                self.deadline = self.deadline.grace_period();
                self.completion = Some(Box::new(PendingCompletion { summary, withheld }));
                self.finish().await
            }
        }
    }

    /// Waits for the end of the transaction.
    // On the heap, since most results end otherwise.
    async fn finish(&mut self) -> Result<Progress, Error> {
        Box::pin(async {
            let (Some(scope), Some(completion)) = (&mut self.scope, &self.completion) else {
                return Err(Error::result_ended());
            };
            let reading = matches!(scope, TransactionScope::ReadOnly(_));
            let committed = reading || completion.withheld.is_none();
            // Where nothing can have been written, nothing is at risk.
            let at_risk = if committed && !reading { AtRisk::Commit } else { AtRisk::Transaction(None) };
            let outcome = self.deadline.bound(pin!(outcome(scope.connection(), at_risk))).await;
            let outcome =
                outcome.unwrap_or_else(|late| Err(if reading { late } else { Error::commit_outcome_unknown() }));
            if let Some(TransactionScope::Explicit(guard) | TransactionScope::ExplicitCommit(guard)) = self.scope.take()
            {
                drop(guard.finish());
            }
            let Some(PendingCompletion { mut summary, withheld }) =
                self.completion.take().map(|completion| *completion)
            else {
                return Err(Error::result_ended());
            };
            let bookmark = match outcome {
                Ok(said) => committed.then(|| said.join(&mut summary)),
                Err(error) if committed => return Err(error),
                // What could not be rolled back was closed, which comes to the same.
                Err(_) => None,
            };
            Ok(Progress::Done(Box::new(ResultEnd { summary, bookmark, transaction: None, withheld })))
        })
        .await
    }

    fn broken(&mut self, error: &bolt::Error) -> Error {
        let inside = matches!(
            self.scope,
            Some(TransactionScope::ReadOnly(_) | TransactionScope::Explicit(_) | TransactionScope::ExplicitCommit(_))
        );
        self.give_up();
        let at_risk = if inside { AtRisk::Transaction(Some(self.running.text())) } else { AtRisk::Statement };
        at_risk.lost(error)
    }

    /// The statement has failed, and the transaction around it with it.
    fn give_up(&mut self) {
        if let Some(TransactionScope::Explicit(guard) | TransactionScope::ExplicitCommit(guard)) = self.scope.take() {
            guard.fail();
        }
    }
}

/// So many rows of a statement that may write are held back at least: until they leave, it can be tried again.
const HELD_BACK: u32 = 1000;

/// A client that reads slower than a few megabytes in this time keeps one of the database's workers from everybody else.
const AMID_BATCH: Duration = Duration::from_secs(5);

/// Waits as long as a reader is waited for in the middle of a batch: for ever, unless that `blocks` the database.
pub(in crate::query) async fn slow_reader_timeout(blocks: bool) {
    if blocks { sleep(AMID_BATCH).await } else { pending().await }
}

/// Why the last rows of a statement are missing whose cancelling came too late.
fn carried_out() -> RowRefused {
    RowRefused::Format("The statement was cancelled; rows that were not read by then are left out.".to_owned())
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("running", &self.running).finish_non_exhaustive()
    }
}

impl TransactionScope {
    /// Whether one of the database's workers is blocked while rows are not taken.
    fn holds_worker(&mut self) -> bool {
        self.connection().dialect().holds_workers
    }

    pub(in crate::query) fn connection(&mut self) -> &mut Connection {
        match self {
            Self::AutoCommit(lease) | Self::ReadOnly(lease) => lease,
            Self::Explicit(guard) | Self::ExplicitCommit(guard) => guard.lease(),
        }
    }
}
