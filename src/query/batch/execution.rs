//! The execution of a batch: which reply is expected next, and what it means.
//!
//! Statements are sent ahead of the replies to those before them, so that many small ones share one round trip. COMMIT
//! follows after the last reply: a failure before that leaves nothing behind for certain.

use std::{pin::pin, sync::Arc};

use super::{
    counters::Counters,
    look_up,
    pipeline::Pipeline,
    request::{Batch, BatchEnd, BatchError, BatchSink},
    scope::BatchScope,
};
use crate::{
    bolt::{self, Reply, Stats, Summary, summary},
    query::{
        deadline::Deadline,
        error::Error,
        reply::{AtRisk, mark_stale_after},
        result::{FetchSize, Flow, MIN_HELD_BACK, RowLimit, RowRefused, slow_reader_timeout},
        running::{RegisteredStatement, StatementState},
        settings::Settings,
        statement::{Options, inspect},
        transaction::Committed,
    },
    telemetry::{
        observer::StatementOutcome,
        spans::{ExchangeOutcome, Operation},
    },
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
        // Whether rows may leave before the next one has arrived, since there are enough of them.
        let mut early = false;
        loop {
            if self.expected == ExpectedReply::WaitingRows {
                match sink.next_waiting().map_err(|refused| self.refused(refused))? {
                    Some(Flow::Continue | Flow::Enough) => continue,
                    Some(Flow::Full | Flow::Unfinished) => return Ok(None),
                    None => {}
                }
                let summary = self.closing.take().ok_or_else(Error::result_ended)?;
                if let Some(end) = self.end_rows(*summary, sink)? {
                    return Ok(Some(end));
                }
                continue;
            }
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
            let resumed = std::mem::take(&mut self.unfinished);
            let reply = match if resumed { Ok(Some(Reply::Record)) } else { lease.buffered_reply() } {
                Ok(Some(reply)) => reply,
                // COMMIT is always waited for: if it were interrupted here, its outcome would be unknown.
                Ok(None) if early && matches!(self.expected, ExpectedReply::Columns | ExpectedReply::Rows) => {
                    return Ok(None);
                }
                Ok(None) => match lease.fill().await {
                    Ok(()) => continue,
                    Err(error) => return Err(self.connection_lost(error)),
                },
                Err(error) => return Err(self.connection_lost(error)),
            };
            match reply {
                Reply::Record if self.expected == ExpectedReply::Nodes => {
                    sink.found(lease.payload()).map_err(|refused| self.refused(refused))?;
                }
                Reply::Record => {
                    let fields = lease.payload();
                    if !resumed {
                        self.fetch_size.count(fields.len());
                    }
                    let taken = match self.fetch_size.exceeded() {
                        None => sink.row(fields, self.columns),
                        Some(limit) => Err(RowRefused::TooMany(limit)),
                    };
                    match taken {
                        Ok(Flow::Continue) => {}
                        Ok(Flow::Enough) => early = self.batch.streams && (self.is_streaming || !self.is_held_back()),
                        Ok(Flow::Full) => return Ok(None),
                        Ok(Flow::Unfinished) => {
                            self.unfinished = true;
                            return Ok(None);
                        }
                        Err(refused) => return Err(self.refused(refused)),
                    }
                }
                Reply::Success => {
                    if let Some(end) = self.on_success(sink)? {
                        return Ok(Some(end));
                    }
                    if self.fetch_size.is_due() && (self.is_streaming || self.may_begin()) {
                        return Ok(None);
                    }
                }
                Reply::Failure(failure) => return Err(self.at_fault(Error::from_failure(failure))),
                Reply::Ignored => {
                    return Err(self
                        .connection_lost(bolt::Error::Protocol("the server neither executed nor refused a request")));
                }
            }
        }
    }

    /// Whether the first part of the answer may leave after a fetch that did not end the result.
    fn may_begin(&self) -> bool {
        self.batch.streams && (!self.is_held_back() || self.fetch_size.received() >= MIN_HELD_BACK)
    }

    /// Whether the first rows are held back, so that the batch can be retried if it conflicts with others.
    fn is_held_back(&self) -> bool {
        let mut statements = self.batch.statements.iter();
        matches!(self.scope, Some(BatchScope::Own(_))) && statements.any(|one| inspect::may_write(&one.text))
    }

    /// Processes a SUCCESS. Returns the end of the batch after that of COMMIT.
    fn on_success(&mut self, sink: &mut impl BatchSink) -> Result<Option<BatchEnd>, BatchError> {
        let Some(lease) = self.scope.as_mut().map(BatchScope::lease) else {
            return Err(Error::result_ended().into());
        };
        match self.expected {
            ExpectedReply::Begin => {
                self.expected = ExpectedReply::Columns;
                if self.batch.statements.is_empty() {
                    return self.finish();
                }
            }
            ExpectedReply::Columns => {
                let columns = match summary::columns(lease.payload()) {
                    Ok(columns) => columns,
                    Err(error) => return Err(self.connection_lost(error.into())),
                };
                if self.answered.run == 0 {
                    self.fetch_size.begin_result();
                    sink.open(&columns);
                }
                self.columns = columns.count;
                self.expected = ExpectedReply::Rows;
            }
            ExpectedReply::Rows => {
                let summary = match Summary::parse(lease.payload()) {
                    Ok(summary) => summary,
                    Err(error) => return Err(self.connection_lost(error.into())),
                };
                let rows = self.fetch_size.take_unreported();
                self.running.report_rows(rows, !summary.has_more, summary.kind.as_deref());
                if summary.has_more {
                    // Only the last run's rows are requested in batches.
                    if let Err(limit) = self.fetch_size.end_batch() {
                        return Err(self.exceeded(Error::too_many_rows(limit)));
                    }
                } else {
                    let missing = sink.missing();
                    if missing.is_empty() {
                        return self.end_rows(summary, sink);
                    }
                    let (text, parameters) = look_up::statement(&missing);
                    lease.run_in_transaction(text, &parameters);
                    lease.pull_all();
                    self.closing = Some(Box::new(summary));
                    self.expected = ExpectedReply::LookUp;
                }
            }
            ExpectedReply::LookUp => self.expected = ExpectedReply::Nodes,
            ExpectedReply::Nodes | ExpectedReply::WaitingRows => self.expected = ExpectedReply::WaitingRows,
            ExpectedReply::Commit => {
                self.running.record().database_answered(ExchangeOutcome::Succeeded);
                let committed = Some(Committed::of(lease.payload()));
                if let Some(scope) = self.scope.take() {
                    scope.committed();
                }
                return Ok(Some(BatchEnd { counters: self.all_counters(), committed, transaction: None }));
            }
        }
        Ok(None)
    }

    /// Ends a run whose rows are in the sink, and the batch after its last one.
    fn end_rows(&mut self, summary: Summary, sink: &mut impl BatchSink) -> Result<Option<BatchEnd>, BatchError> {
        self.end_run(summary, sink).map_err(|refused| self.at_fault(refused.into()))?;
        if self.answered.statement >= self.batch.statements.len() { self.finish() } else { Ok(None) }
    }

    /// Ends the batch after its last statement: undoes it, leaves the transaction open, or sends COMMIT.
    fn finish(&mut self) -> Result<Option<BatchEnd>, BatchError> {
        if let Some(refused) = self.batch.refused.take() {
            return Err(refused.into());
        }
        if matches!(self.scope, Some(BatchScope::Explicit(_))) {
            let transaction = self.scope.take().and_then(BatchScope::keep);
            return Ok(Some(BatchEnd { counters: self.all_counters(), committed: None, transaction }));
        }
        let scope = self.scope.as_mut().ok_or_else(Error::result_ended)?;
        scope.lease().commit();
        self.expected = ExpectedReply::Commit;
        self.running.record().database_asked(Operation::Commit, None);
        Ok(None)
    }

    /// The sums of all counters, if they are needed.
    fn all_counters(&self) -> Option<Stats> {
        self.batch.counters.then(|| self.counters.1.to_stats())
    }

    /// Ends a run, and its statement after the last run.
    fn end_run(&mut self, mut summary: Summary, sink: &mut impl BatchSink) -> Result<(), RowRefused> {
        self.pipeline.answered();
        if self.batch.counters {
            self.counters.0.add(&summary.stats);
            self.counters.1.add(&summary.stats);
        }
        let Some(statement) = self.batch.statements.get(self.answered.statement) else { return Ok(()) };
        self.answered.run += 1;
        if self.answered.run >= statement.parameter_sets.len() {
            if self.batch.counters {
                summary.stats = std::mem::take(&mut self.counters.0).to_stats();
            }
            sink.close(&summary)?;
            self.answered = Position { statement: self.answered.statement + 1, run: 0 };
            self.running.report_success();
            self.is_reported = false;
            self.report_sent();
        }
        self.expected = ExpectedReply::Columns;
        Ok(())
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

    /// Returns the error of the current statement, or of the batch as a whole outside statements.
    fn at_fault(&self, error: Error) -> BatchError {
        let is_statements = !matches!(self.expected, ExpectedReply::Begin | ExpectedReply::Commit);
        BatchError { error, statement: is_statements.then_some(self.answered.statement), lost_before_commit: false }
    }

    /// Returns the error of a row that the sink refused.
    fn refused(&self, refused: RowRefused) -> BatchError {
        match refused {
            RowRefused::TooMany(_)
            | RowRefused::TooLarge(_)
            | RowRefused::TooManyWait(_)
            | RowRefused::TooManyElements(_) => self.exceeded(refused.into()),
            RowRefused::Format(_) | RowRefused::Malformed(_) => self.at_fault(refused.into()),
        }
    }

    /// Returns the error of a result that is larger than allowed, and reports it.
    fn exceeded(&self, error: Error) -> BatchError {
        self.running.report_limit(&error);
        let statement = self.batch.statements.get(self.answered.statement);
        self.at_fault(error.after_stopping(statement.map_or("", |statement| &statement.text)))
    }

    /// Returns the error for the loss of the connection.
    fn connection_lost(&mut self, error: bolt::Error) -> BatchError {
        let error = match error {
            bolt::Error::Login(failure) => {
                let caller = self.scope.as_mut().map(|scope| scope.lease().identity());
                return caller.map_or_else(Error::result_ended, |caller| Error::from_login(failure, caller)).into();
            }
            error => error,
        };
        let in_batches = self.batch.statements.iter().any(|one| inspect::may_commit_in_batches(&one.text));
        let at_risk = match self.expected {
            ExpectedReply::Commit => AtRisk::Commit,
            _ if in_batches => AtRisk::Statement,
            _ => AtRisk::Transaction(None),
        };
        let lost_before_commit = matches!(at_risk, AtRisk::Transaction(_));
        BatchError { error: at_risk.lost(&error), statement: None, lost_before_commit }
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
