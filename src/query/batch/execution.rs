//! The execution of a batch: which reply is expected next, and what it means.
//!
//! This file sends and waits; `replies.rs` says what replies mean, `errors.rs` what failures do. Statements are sent
//! ahead of the replies to those before them, so that many small ones share one round trip. COMMIT follows after the
//! last reply: a failure before that leaves nothing behind for certain.

mod errors;
mod replies;

use std::{ops::ControlFlow, pin::pin, sync::Arc};

use super::{
    counters::Counters,
    pipeline::Pipeline,
    request::{Batch, BatchEnd, BatchError, BatchSink},
    scope::BatchScope,
};
use crate::{
    bolt::{Reply, Summary},
    query::{
        deadline::Deadline,
        error::Error,
        reply::mark_stale_after,
        result::{FetchSize, RowLimit, slow_reader_timeout},
        running::{RegisteredStatement, StatementState},
        settings::Settings,
        statement::Options,
    },
    telemetry::observer::StatementOutcome,
};

/// A batch whose first rows are in a sink.
#[derive(Debug)]
pub struct StartedBatch {
    /// The rest of the batch.
    pub execution: BatchExecution,
    /// The end of the batch, if it has been reached.
    pub end: Option<BatchEnd>,
}

/// A running batch. Dropping it before its end rolls it back.
pub struct BatchExecution {
    /// `None` after the end of the batch.
    scope: Option<BatchScope>,
    batch: Batch,
    database: Arc<str>,
    settings: Arc<Settings>,
    pipeline: Pipeline,
    answered: Position,
    expected: ExpectedReply,
    /// Whether the statement whose reply is expected was reported as sent.
    is_reported: bool,
    columns: usize,
    /// The summary of the statement whose missing nodes are looked up.
    closing: Option<Box<Summary>>,
    /// Whether the sink has not yet taken all of the last row received.
    unfinished: bool,
    /// Whether the sink has enough rows for a part of the answer, which may leave before the next row has arrived.
    has_enough: bool,
    /// Whether part of the answer has been sent, so that holding back the rest serves no purpose.
    is_streaming: bool,
    fetch_size: FetchSize,
    /// The sums of the current statement, and of all.
    counters: Box<(Counters, Counters)>,
    deadline: Deadline,
    running: RegisteredStatement,
}

/// The run whose reply is expected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Position {
    statement: usize,
    run: usize,
}

/// The request that the next reply belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ExpectedReply {
    Begin,
    Columns,
    Rows,
    /// The columns of the look-up of missing nodes.
    LookUp,
    /// The missing nodes.
    Nodes,
    /// None: rows that waited for the missing nodes go to the sink.
    WaitingRows,
    Commit,
}

impl BatchExecution {
    /// Creates the execution of `batch` in `scope`. If the transaction is the batch's own, BEGIN is queued.
    pub(in crate::query) fn new(
        scope: BatchScope,
        database: Arc<str>,
        batch: Batch,
        settings: Arc<Settings>,
        deadline: Deadline,
        running: RegisteredStatement,
    ) -> Self {
        let fetch_size = FetchSize::new(RowLimit::in_transaction(settings.result));
        let is_open = !matches!(scope, BatchScope::Own(_));
        Self {
            scope: Some(scope),
            batch,
            database,
            settings,
            pipeline: Pipeline::default(),
            answered: Position::default(),
            expected: if is_open { ExpectedReply::Columns } else { ExpectedReply::Begin },
            is_reported: false,
            columns: 0,
            closing: None,
            unfinished: false,
            has_enough: false,
            is_streaming: false,
            fetch_size,
            counters: Box::default(),
            deadline,
            running,
        }
    }

    /// Starts the batch, as [`BatchExecution::advance`] does, and marks the connection as stale if BEGIN was refused in
    /// a way that requires it.
    pub(in crate::query) async fn start(
        &mut self,
        sink: &mut impl BatchSink,
        options: &Options,
    ) -> Result<Option<BatchEnd>, BatchError> {
        let first = self.move_on(sink).await;
        first.map_err(|mut failure| {
            if let (ExpectedReply::Begin, Some(scope)) = (self.expected, &mut self.scope) {
                failure.error = mark_stale_after(failure.error, scope.lease(), options);
            }
            self.scope = None;
            failure
        })
    }

    /// Moves rows into `sink` until it is full (`None`), or everything is committed. Cancel-safe: nothing is lost when
    /// the future is dropped.
    ///
    /// # Errors
    /// Whatever made the batch fail, with the statement that caused it.
    pub async fn advance(&mut self, sink: &mut impl BatchSink) -> Result<Option<BatchEnd>, BatchError> {
        self.move_on(sink).await.inspect_err(|failure| self.running.report_failure(&failure.error, None))
    }

    async fn move_on(&mut self, sink: &mut impl BatchSink) -> Result<Option<BatchEnd>, BatchError> {
        let (deadline, running) = (self.deadline, self.running.clone());
        let mut moved = running.bound(deadline, pin!(self.process_replies(sink))).await;
        if moved.is_err() && self.expected == ExpectedReply::Commit {
            // COMMIT cannot be revoked; only the database knows its outcome.
            moved = running.grace_period(deadline).bound(pin!(self.process_replies(sink))).await;
            moved = moved.map_err(|_| Error::commit_outcome_unknown());
        }
        if matches!(moved, Ok(Ok(Some(_)))) {
            running.set_outcome(StatementOutcome::Completed);
        }
        if matches!(moved, Ok(Ok(None))) {
            self.is_streaming = true;
            running.set_state(StatementState::Streaming);
        } else if self.expected != ExpectedReply::Begin {
            self.abandon();
        }
        moved?
    }

    /// Whether rows have been requested that have not been received yet. The database may be blocked on sending them.
    #[must_use]
    pub fn is_amid_batch(&self) -> bool {
        self.scope.is_some() && !self.fetch_size.is_due() && self.expected != ExpectedReply::WaitingRows
    }

    /// Waits, while rows wait for a reader, until the deadline passes, the batch is cancelled, or the reader has
    /// blocked the database for too long. The batch is then rolled back.
    pub async fn interrupted(&mut self) -> Error {
        let (deadline, running) = (self.deadline, self.running.clone());
        let blocks =
            self.is_amid_batch() && self.scope.as_mut().is_some_and(|scope| scope.lease().dialect().holds_workers);
        let why = match running.bound(deadline, pin!(slow_reader_timeout(blocks))).await {
            Ok(()) => {
                running.report_slow_reader();
                Error::reader_too_slow()
            }
            Err(why) => why,
        };
        self.abandon();
        running.report_failure(&why, None);
        why
    }

    /// Gives up the connection, whose cleanup then cancels the current statement without delay.
    fn abandon(&mut self) {
        self.report_rest();
        if let Some(scope) = self.scope.take() {
            scope.abandon();
        }
    }

    /// Sends statements ahead, and processes replies as [`BatchExecution::advance`] describes.
    async fn process_replies(&mut self, sink: &mut impl BatchSink) -> Result<Option<BatchEnd>, BatchError> {
        self.has_enough = false;
        loop {
            let step = if self.expected == ExpectedReply::WaitingRows {
                self.release_waiting(sink)?
            } else if std::mem::take(&mut self.unfinished) {
                self.row(sink)?
            } else {
                match self.next_reply().await? {
                    Some(reply) => self.on_reply(reply, sink)?,
                    None => return Ok(None),
                }
            };
            if let ControlFlow::Break(end) = step {
                return Ok(end);
            }
        }
    }

    /// Sends what is due and waits for a reply. Returns `None` if rows leave before it arrives.
    async fn next_reply(&mut self) -> Result<Option<Reply>, BatchError> {
        loop {
            let lease = self.scope.as_mut().ok_or_else(Error::result_ended)?.lease();
            if self.pipeline.is_low() {
                let target = self.settings.aliases.resolve(&self.database);
                let limit = RowLimit::in_transaction(self.settings.result);
                self.pipeline.send_ahead(lease, &self.batch, target, limit).await?;
                self.report_sent();
            }
            let lease = self.scope.as_mut().ok_or_else(Error::result_ended)?.lease();
            if let Some(rows) = self.fetch_size.take_due() {
                lease.pull(rows);
            }
            let arrived = match lease.buffered_reply() {
                Ok(Some(reply)) => return Ok(Some(reply)),
                // COMMIT is always waited for: if it were interrupted here, its outcome would be unknown.
                Ok(None)
                    if self.has_enough && matches!(self.expected, ExpectedReply::Columns | ExpectedReply::Rows) =>
                {
                    return Ok(None);
                }
                Ok(None) => lease.fill().await,
                Err(error) => Err(error),
            };
            arrived.map_err(|error| self.connection_lost(error))?;
        }
    }

    /// Reports the statement whose reply is expected, once: the database gets to it when the one before has ended,
    /// however early it was sent.
    fn report_sent(&mut self) {
        if self.is_reported || !self.pipeline.is_ahead() {
            return;
        }
        if let Some(statement) = self.batch.statements.get(self.answered.statement) {
            let parameters = statement.parameter_sets.at(0).map_or(&[][..], |(map, _)| map);
            self.running.report_sent(&statement.text, parameters);
            self.is_reported = true;
        }
    }

    /// Reports the rows of a fetch that did not end.
    fn report_rest(&mut self) {
        let rows = self.fetch_size.take_unreported();
        if rows > 0 {
            self.running.report_rows(rows, false, None);
        }
    }
}

impl Drop for BatchExecution {
    fn drop(&mut self) {
        self.report_rest();
    }
}

impl std::fmt::Debug for BatchExecution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BatchExecution")
            .field("answered", &self.answered)
            .field("expected", &self.expected)
            .finish_non_exhaustive()
    }
}
