//! Reading the beginning of a result, in a transaction that is rolled back whatever happens: for callers that must not change
//! anything, and who are shown no more than fits.
//!
//! BEGIN, RUN and PULL share one write. Promises that nothing that the statement does stays, and that a statement that is not
//! read only is refused: by the server, or where the server cannot be relied on, by its text before it is sent and by its
//! type before a row of it is shown.

use std::pin::pin;

use tokio::time::Instant;

use super::Engine;
use crate::{
    bolt::{Columns, Reply, Summary},
    pool::Lease,
    query::{
        call::Call,
        deadline::Deadline,
        error::Error,
        reply::{AtRisk, columns, expect, mark_stale_after},
        report::retry_reason,
        result::{FetchSize, Flow, RowLimit, RowSink, pull_first},
        retry::{Attempts, Retry},
        running::{RegisteredStatement, StatementKind, StatementState},
        statement::{AccessMode, Options, Plan, ServerOptions, Statement, database_of, reading, validated_parameters},
    },
    telemetry::observer::StatementOutcome,
};

/// The beginning of a result.
#[derive(Debug)]
pub struct Excerpt {
    /// The columns.
    pub columns: Columns,
    /// The database's summary of the statement, if its end was reached.
    pub summary: Option<Summary>,
}

/// A result that is being read.
struct Excerpting<'a> {
    lease: &'a mut Lease,
    columns: Columns,
    fetch_size: FetchSize,
    /// Whether the end is wanted although the sink takes no more rows, because the type of the statement comes with it.
    to_the_end: bool,
    running: &'a RegisteredStatement,
}

impl Engine {
    /// Moves the first rows of a statement into `sink`, until that is full: [`Flow::Full`]. The statement runs in read mode,
    /// in a transaction of its own that is rolled back. `rows` is the number of rows that the sink has room for.
    ///
    /// # Errors
    /// When the statement may write, or whatever ended it early. Retries, as `retry` says, what may succeed later.
    pub async fn excerpt(
        &self,
        caller: &Call,
        database: &str,
        statement: &Statement,
        options: &Options,
        (retry, rows): (Retry, u32),
        sink: &mut impl RowSink,
    ) -> Result<Excerpt, Error> {
        let options = Options { access_mode: AccessMode::Read, ..options.clone() };
        let limit = self.limit(caller, &options, self.settings.max_execution_time);
        let registered = (StatementKind::Statement, Some(limit));
        let running = self.running_statements.register(caller, database, &statement.text, registered);
        let mut attempts = Attempts::new(retry, Instant::now() + limit);
        loop {
            let attempt =
                self.excerpt_once(caller, database, statement, &options, (&running, &mut attempts, rows), sink);
            let outcome = Box::pin(attempt).await;
            let error = match outcome {
                Ok(excerpt) => {
                    running.set_outcome(StatementOutcome::Completed);
                    return Ok(excerpt);
                }
                Err(error) => error,
            };
            let pause = self.retry_pause(&error, &mut attempts, [&*statement.text]);
            running.report_failure(&error, pause);
            let Some(pause) = pause else { return Err(error) };
            sink.restart();
            self.wait(&running, pause, retry_reason(&error)).await?;
        }
    }

    async fn excerpt_once(
        &self,
        caller: &Call,
        database: &str,
        statement: &Statement,
        options: &Options,
        (running, attempts, rows): (&RegisteredStatement, &mut Attempts, u32),
        sink: &mut impl RowSink,
    ) -> Result<Excerpt, Error> {
        let limit = attempts.time_left();
        let mut lease = running.unless_cancelled(pin!(self.lease(caller, database))).await??;
        let target = self.settings.aliases.resolve(database);
        let plan = Plan::of(&statement.text, target, &lease)?;
        let is_enforced = lease.dialect().enforces_reading;
        let checked = if is_enforced { reading::check(plan.text) } else { reading::check_strictly(plan.text) };
        checked.map_err(|why| Error::not_reading(&why))?;
        let parameters = validated_parameters(&statement.parameters, &lease).await?;
        let sent = ServerOptions::new(&lease, database_of(target, &lease), options, limit, &caller.record)?;
        let row_limit = RowLimit { rows: Some(rows), commits: false };
        lease.begin(&sent.extra());
        lease.run_in_transaction(plan.text, &parameters);
        pull_first(&mut lease, row_limit);
        attempts.count_attempt();
        caller.record.note_attempts(attempts.count());
        running.report_sent(&statement.text, &parameters);
        if plan.leaves_stale {
            lease.mark_stale();
        }
        running.set_state(StatementState::Running);
        let deadline = Deadline::after(limit, self.settings.grace(options), caller);
        let read = {
            let reading = pin!(async {
                let at_risk = AtRisk::Transaction(None);
                let begun = expect(&mut lease, deadline, at_risk, |_| Ok(())).await;
                begun.map_err(|error| mark_stale_after(error, &mut lease, options))?;
                let columns = expect(&mut lease, deadline, at_risk, columns).await.map_err(Error::while_reading)?;
                sink.open(&columns);
                let fetch_size = FetchSize::new(row_limit);
                let mut excerpting =
                    Excerpting { lease: &mut lease, columns, fetch_size, to_the_end: !is_enforced, running };
                let summary = deadline.bound(pin!(excerpting.fetch(sink))).await.flatten()?;
                Ok(Excerpt { columns: excerpting.columns, summary })
            });
            running.unless_cancelled(reading).await.flatten()
        };
        let excerpt = read.inspect_err(|_| lease.hurry())?;
        let kind = excerpt.summary.as_ref().and_then(|summary| summary.kind.as_deref());
        // The stand-in for a ping needs no check.
        if !is_enforced && plan.kind.is_none() && kind != Some("r") {
            return Err(Error::not_of_reading_type(kind));
        }
        match &excerpt.summary {
            // RESET rolls back as well, and ends the statement.
            None => lease.hurry(),
            Some(_) => {
                lease.rollback();
                // If it fails, the connection is closed, which rolls back as well.
                drop(expect(&mut lease, deadline.grace_period(), AtRisk::Transaction(None), |_| Ok(())).await);
            }
        }
        Ok(excerpt)
    }
}

impl Excerpting<'_> {
    /// Moves rows into `sink` until that is full or the result ends. Returns the summary if the result has ended.
    async fn fetch(&mut self, sink: &mut impl RowSink) -> Result<Option<Summary>, Error> {
        let mut is_full = false;
        loop {
            let at_risk = AtRisk::Transaction(Some(self.running.text()));
            let reply = self.lease.reply().await.map_err(|error| at_risk.lost(&error))?;
            match reply {
                Reply::Record if is_full => {}
                Reply::Record => {
                    let fields = self.lease.payload();
                    self.fetch_size.count(fields.len());
                    is_full = match sink.row(fields, self.columns.count)? {
                        Flow::Continue | Flow::Enough => self.fetch_size.exceeded().is_some(),
                        Flow::Full | Flow::Unfinished => true,
                    };
                    if is_full && !self.to_the_end {
                        self.running.report_rows(self.fetch_size.take_unreported(), true, None);
                        self.running.report_success();
                        return Ok(None);
                    }
                }
                Reply::Success => {
                    let summary = Summary::parse(self.lease.payload()).map_err(|error| at_risk.lost(&error.into()))?;
                    let rows = self.fetch_size.take_unreported();
                    self.running.report_rows(rows, !summary.has_more, summary.kind.as_deref());
                    if !summary.has_more {
                        self.running.report_success();
                        return Ok(Some(summary));
                    }
                    is_full |= self.fetch_size.end_batch().is_err();
                    match self.fetch_size.take_due() {
                        Some(rows) if !is_full => self.lease.pull(rows),
                        _ => self.lease.discard(),
                    }
                }
                Reply::Failure(failure) => return Err(Error::from_failure(failure).while_reading()),
                Reply::Ignored => return Err(Error::result_ended()),
            }
        }
    }
}
