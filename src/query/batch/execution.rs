//! A batch under way: what is sent, what is expected, and what each reply means.
//!
//! Statements are sent ahead of the answers to those before them, so that many small ones cost one round trip together.
//! COMMIT follows when all have been answered: until then whatever goes wrong leaves nothing behind for certain.

use std::{pin::pin, sync::Arc};

use super::{
    counters::Counters,
    pipeline::Pipeline,
    request::{Batch, BatchEnd, BatchError, BatchSink},
};
use crate::{
    bolt::{self, Reply, Summary, summary},
    pool::Lease,
    query::{
        deadline::Deadline,
        error::Error,
        reply::{AtRisk, mark_stale_after},
        result::{FetchSize, Flow, RowRefused, slow_reader_timeout},
        running::{RegisteredStatement, StatementState},
        settings::Settings,
        statement::{Options, inspect},
        transaction::Committed,
    },
};

/// A batch under way. Dropping it before its end rolls it back.
pub struct BatchExecution {
    /// `None` once the end was reached.
    lease: Option<Lease>,
    batch: Batch,
    database: Arc<str>,
    settings: Arc<Settings>,
    pipeline: Pipeline,
    answered: Position,
    expected: ExpectedReply,
    columns: usize,
    /// The sink has not taken all of the row that was received last.
    unfinished: bool,
    /// Some of the answer has left, so holding the rest back is of no use.
    is_leaving: bool,
    fetch_size: FetchSize,
    /// Of the statement under way, and of all.
    counters: (Counters, Counters),
    deadline: Deadline,
    running: RegisteredStatement,
}

/// The run whose reply is expected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Position {
    statement: usize,
    run: usize,
}

/// What the next reply belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ExpectedReply {
    Begin,
    Columns,
    Rows,
    Commit,
}

impl BatchExecution {
    /// The execution of `batch` on `lease`, where BEGIN is queued.
    pub(in crate::query) fn new(
        lease: Lease,
        database: Arc<str>,
        batch: Batch,
        settings: Arc<Settings>,
        deadline: Deadline,
        running: RegisteredStatement,
    ) -> Self {
        Self {
            lease: Some(lease),
            batch,
            database,
            settings,
            pipeline: Pipeline::default(),
            answered: Position::default(),
            expected: ExpectedReply::Begin,
            columns: 0,
            unfinished: false,
            is_leaving: false,
            fetch_size: FetchSize::new(),
            counters: <(Counters, Counters)>::default(),
            deadline,
            running,
        }
    }

    pub(in crate::query) async fn first(
        &mut self,
        sink: &mut impl BatchSink,
        options: &Options,
    ) -> Result<Option<BatchEnd>, BatchError> {
        let first = self.advance(sink).await;
        first.map_err(|mut failure| {
            if let (ExpectedReply::Begin, Some(lease)) = (self.expected, &mut self.lease) {
                failure.error = mark_stale_after(failure.error, lease, options);
            }
            self.lease = None;
            failure
        })
    }

    /// Moves rows into `sink` until it is full (`None`), or all is committed. May be dropped before it is ready; nothing is
    /// lost by that.
    ///
    /// # Errors
    /// [`BatchError`].
    pub async fn advance(&mut self, sink: &mut impl BatchSink) -> Result<Option<BatchEnd>, BatchError> {
        let (deadline, running) = (self.deadline, self.running.clone());
        let mut moved = running.bound(deadline, pin!(self.work(sink))).await;
        if moved.is_err() && self.expected == ExpectedReply::Commit {
            // COMMIT cannot be taken back: what came of it is for the database to say.
            moved = deadline.grace_period().bound(pin!(self.work(sink))).await;
            moved = moved.map_err(|_| Error::commit_outcome_unknown());
        }
        if matches!(moved, Ok(Ok(None))) {
            self.is_leaving = true;
            running.set_state(StatementState::Streaming);
        } else if self.expected != ExpectedReply::Begin {
            self.abandon();
        }
        moved?
    }

    /// Whether the database has been asked for rows that have not been received. As long as they are not, it may be
    /// blocked on sending them.
    #[must_use]
    pub fn is_amid_batch(&self) -> bool {
        self.lease.is_some() && !self.fetch_size.is_due()
    }

    /// Waits until the time of the batch is over or somebody cancels it, while its rows wait for a reader. It is rolled
    /// back then.
    pub async fn interrupted(&mut self) -> Error {
        let (deadline, running) = (self.deadline, self.running.clone());
        let blocks = self.is_amid_batch() && self.lease.as_ref().is_some_and(|lease| lease.dialect().holds_workers);
        let why = match running.bound(deadline, pin!(slow_reader_timeout(blocks))).await {
            Ok(()) => Error::reader_too_slow(),
            Err(why) => why,
        };
        self.abandon();
        why
    }

    /// Lets go of the connection, on which whatever runs is then cancelled without delay.
    fn abandon(&mut self) {
        if let Some(lease) = &mut self.lease {
            lease.hurry();
        }
        self.lease = None;
    }

    async fn work(&mut self, sink: &mut impl BatchSink) -> Result<Option<BatchEnd>, BatchError> {
        loop {
            let lease = self.lease.as_mut().ok_or_else(Error::result_ended)?;
            if self.pipeline.is_low() {
                let target = self.settings.aliases.resolve(&self.database);
                self.pipeline.send_ahead(lease, &self.batch, target).await?;
            }
            if let Some(rows) = self.fetch_size.take_due() {
                lease.pull(rows);
            }
            let resumed = std::mem::take(&mut self.unfinished);
            let reply = match if resumed { Ok(Some(Reply::Record)) } else { lease.buffered_reply() } {
                Ok(Some(reply)) => reply,
                Ok(None) => match lease.fill().await {
                    Ok(()) => continue,
                    Err(error) => return Err(self.lost(error)),
                },
                Err(error) => return Err(self.lost(error)),
            };
            match reply {
                Reply::Record => {
                    let fields = lease.payload();
                    if !resumed {
                        self.fetch_size.count(fields.len());
                    }
                    match sink.row(fields, self.columns) {
                        Ok(Flow::Continue | Flow::Enough) => {}
                        Ok(Flow::Full) => return Ok(None),
                        Ok(Flow::Unfinished) => {
                            self.unfinished = true;
                            return Ok(None);
                        }
                        Err(refused) => return Err(self.at_fault(refused.into())),
                    }
                }
                Reply::Success => {
                    if let Some(end) = self.succeeded(sink)? {
                        return Ok(Some(end));
                    }
                    if self.fetch_size.is_due() && self.is_leaving {
                        return Ok(None);
                    }
                }
                Reply::Failure(failure) => return Err(self.at_fault(Error::from_failure(failure))),
                Reply::Ignored => {
                    return Err(self.lost(bolt::Error::Protocol("the server neither executed nor refused a request")));
                }
            }
        }
    }

    fn succeeded(&mut self, sink: &mut impl BatchSink) -> Result<Option<BatchEnd>, BatchError> {
        let Some(lease) = &mut self.lease else {
            return Err(Error::result_ended().into());
        };
        match self.expected {
            ExpectedReply::Begin => self.expected = ExpectedReply::Columns,
            ExpectedReply::Columns => {
                let columns = match summary::columns(lease.payload()) {
                    Ok(columns) => columns,
                    Err(error) => return Err(self.lost(error.into())),
                };
                if self.answered.run == 0 {
                    sink.open(&columns);
                }
                self.columns = columns.count;
                self.expected = ExpectedReply::Rows;
            }
            ExpectedReply::Rows => {
                let summary = match Summary::parse(lease.payload()) {
                    Ok(summary) => summary,
                    Err(error) => return Err(self.lost(error.into())),
                };
                if summary.has_more {
                    // Only the last run is asked for its rows in batches.
                    self.fetch_size.end_batch();
                } else if let Err(refused) = self.run_ended(summary, sink) {
                    return Err(self.at_fault(refused.into()));
                }
            }
            ExpectedReply::Commit => {
                let committed = Committed::of(lease.payload());
                let counters = self.batch.counters.then(|| self.counters.1.to_packstream());
                return Ok(Some(BatchEnd { counters, committed }));
            }
        }
        Ok(None)
    }

    fn run_ended(&mut self, mut summary: Summary, sink: &mut impl BatchSink) -> Result<(), RowRefused> {
        self.pipeline.answered();
        if let (true, Some(stats)) = (self.batch.counters, &summary.stats) {
            // What cannot be read was shown to nobody else either.
            let _ = self.counters.0.add(stats);
            let _ = self.counters.1.add(stats);
        }
        let Some(statement) = self.batch.statements.get(self.answered.statement) else { return Ok(()) };
        self.answered.run += 1;
        if self.answered.run >= statement.parameter_sets.len() {
            let sums = std::mem::take(&mut self.counters.0);
            if summary.stats.is_some() || statement.parameter_sets.len() > 1 {
                summary.stats = Some(sums.to_packstream());
            }
            sink.close(&summary)?;
            self.answered = Position { statement: self.answered.statement + 1, run: 0 };
        }
        let all = self.answered.statement >= self.batch.statements.len();
        self.expected = if all { ExpectedReply::Commit } else { ExpectedReply::Columns };
        if let (true, Some(lease)) = (all, &mut self.lease) {
            lease.commit();
        }
        Ok(())
    }

    fn at_fault(&self, error: Error) -> BatchError {
        let is_statements = matches!(self.expected, ExpectedReply::Columns | ExpectedReply::Rows);
        BatchError { error, statement: is_statements.then_some(self.answered.statement), lost_before_commit: false }
    }

    fn lost(&self, error: bolt::Error) -> BatchError {
        let error = match error {
            bolt::Error::Login(failure) => {
                let caller = self.lease.as_ref().map(|lease| lease.identity());
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

impl std::fmt::Debug for BatchExecution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BatchExecution")
            .field("answered", &self.answered)
            .field("expected", &self.expected)
            .finish_non_exhaustive()
    }
}
