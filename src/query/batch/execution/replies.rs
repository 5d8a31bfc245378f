//! What the replies to a batch mean: rows for the sink, the next expected reply, the end.

use std::ops::ControlFlow;

use super::{BatchExecution, ExpectedReply, Position};
use crate::{
    bolt::{self, Reply, Stats, Summary, summary},
    query::{
        batch::{
            look_up,
            request::{BatchEnd, BatchError, BatchSink},
            scope::BatchScope,
        },
        error::Error,
        result::{Flow, MIN_HELD_BACK, RowRefused},
        statement::inspect,
        transaction::Committed,
    },
    telemetry::spans::{ExchangeOutcome, Operation},
};

/// Whether the batch goes on, pauses (`None`), or has ended.
pub(super) type Step = ControlFlow<Option<BatchEnd>>;

/// The end, or what comes before it.
fn step(end: Option<BatchEnd>) -> Step {
    end.map_or(Step::Continue(()), |end| Step::Break(Some(end)))
}

impl BatchExecution {
    /// Processes a reply.
    pub(super) fn on_reply(&mut self, reply: Reply, sink: &mut impl BatchSink) -> Result<Step, BatchError> {
        match reply {
            Reply::Record if self.expected == ExpectedReply::Nodes => {
                let found = sink.found(self.payload()?);
                found.map_err(|refused| self.refused(refused))?;
                Ok(Step::Continue(()))
            }
            Reply::Record => {
                let length = self.payload()?.len();
                self.fetch_size.count(length);
                self.row(sink)
            }
            Reply::Success => match self.on_success(sink)? {
                None if self.fetch_size.is_due() && (self.is_streaming || self.may_begin()) => Ok(Step::Break(None)),
                end => Ok(step(end)),
            },
            Reply::Failure(failure) => Err(self.at_fault(Error::from_failure(failure))),
            Reply::Ignored => {
                Err(self.connection_lost(bolt::Error::Protocol("the server neither executed nor refused a request")))
            }
        }
    }

    /// The content of the reply that was received last.
    fn payload(&mut self) -> Result<&[u8], Error> {
        Ok(self.scope.as_mut().ok_or_else(Error::result_ended)?.lease().payload())
    }

    /// Moves the row that was received last into the sink.
    pub(super) fn row(&mut self, sink: &mut impl BatchSink) -> Result<Step, BatchError> {
        let columns = self.columns;
        let taken = match self.fetch_size.exceeded() {
            None => sink.row(self.payload()?, columns),
            Some(limit) => Err(RowRefused::TooMany(limit)),
        };
        match taken.map_err(|refused| self.refused(refused))? {
            Flow::Continue => return Ok(Step::Continue(())),
            Flow::Enough => {
                self.has_enough = self.batch.streams && (self.is_streaming || !self.is_held_back());
                return Ok(Step::Continue(()));
            }
            Flow::Full => {}
            Flow::Unfinished => self.unfinished = true,
        }
        Ok(Step::Break(None))
    }

    /// Moves a row that waited for the missing nodes into the sink, and ends the run after the last one.
    pub(super) fn release_waiting(&mut self, sink: &mut impl BatchSink) -> Result<Step, BatchError> {
        match sink.next_waiting().map_err(|refused| self.refused(refused))? {
            Some(Flow::Continue | Flow::Enough) => Ok(Step::Continue(())),
            Some(Flow::Full | Flow::Unfinished) => Ok(Step::Break(None)),
            None => {
                let summary = self.closing.take().ok_or_else(Error::result_ended)?;
                self.end_rows(*summary, sink).map(step)
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
}
