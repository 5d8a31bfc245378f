//! A statement in a transaction of its own, with retries.

use std::pin::pin;

use tokio::time::Instant;

use super::{
    Engine,
    read_only::{needs_read_transaction, needs_undoing, start_enclosed},
};
use crate::query::{
    call::Call,
    deadline::Deadline,
    error::Error,
    reply::{AtRisk, columns, expect, mark_stale_after},
    report::retry_reason,
    result::{RowLimit, RowSink, Rows, StartedStatement, TransactionScope, pull_first},
    retry::{Attempted, Attempts, Retry},
    running::{RegisteredStatement, StatementKind, StatementState},
    statement::{Options, Plan, ServerOptions, Statement, inspect, validated_parameters},
};

impl Engine {
    /// Runs a statement in a transaction of its own, and moves the first rows into `sink`. Retries, as `retry` says,
    /// what the database has undone, as long as no rows have been taken out of `sink`.
    pub async fn run(
        &self,
        caller: &Call,
        database: &str,
        statement: &Statement,
        options: &Options,
        retry: Retry,
        sink: &mut impl RowSink,
    ) -> Attempted<StartedStatement> {
        let limit = self.limit(caller, options, self.settings.max_execution_time);
        let registered = (StatementKind::Statement, Some(limit));
        let running = self.running_statements.register(caller, database, &statement.text, registered);
        let mut attempts = Attempts::new(retry, Instant::now() + limit);
        loop {
            let started = self.run_once(caller, database, statement, options, (&running, &mut attempts)).await;
            let outcome = match started {
                Ok(mut rows) => {
                    let first = rows.start(sink).await;
                    Ok(StartedStatement { rows, first })
                }
                Err(error) => Err(error),
            };
            let failure = match &outcome {
                Ok(begun) => begun.first.as_ref().err(),
                Err(error) => Some(error),
            };
            let pause = failure.and_then(|error| self.retry_pause(error, &mut attempts, [&*statement.text]));
            if let Some(error) = failure {
                running.report_failure(error, pause);
            }
            let Some(pause) = pause else {
                return Attempted { outcome, attempts: attempts.count() };
            };
            let reason = failure.and_then(retry_reason);
            drop(outcome); // returns the connection to the pool
            sink.restart();
            if let Err(error) = self.wait(&running, pause, reason).await {
                return Attempted { outcome: Err(error), attempts: attempts.count() };
            }
        }
    }

    async fn run_once(
        &self,
        caller: &Call,
        database: &str,
        statement: &Statement,
        options: &Options,
        (running, attempts): (&RegisteredStatement, &mut Attempts),
    ) -> Result<Rows, Error> {
        let limit = attempts.time_left();
        let mut lease = running.unless_cancelled(pin!(self.lease(caller, database))).await??;
        let plan = Plan::of(&statement.text, self.settings.aliases.resolve(database), &lease)?;
        let parameters = validated_parameters(&statement.parameters, &lease).await?;
        let sent = ServerOptions::new(&lease, plan.database, options, limit, &caller.record)?;
        let read_only = needs_read_transaction(options, &plan, &lease);
        let limits = self.settings.result.with_rows(options.max_rows);
        let enclosed = read_only || needs_undoing(limits, options, &plan);
        let rows = limits.rows;
        // The text is examined only if it matters.
        let commits = rows.is_some() && !enclosed && inspect::may_write(plan.text);
        let row_limit = RowLimit { rows, commits };
        if enclosed {
            lease.begin(&sent.extra());
            lease.run_in_transaction(plan.text, &parameters);
        } else {
            lease.run(plan.text, &parameters, &sent.extra());
        }
        pull_first(&mut lease, row_limit);
        attempts.count_attempt();
        caller.record.note_attempts(attempts.count());
        running.report_sent(&statement.text, &parameters);
        if plan.leaves_stale {
            lease.mark_stale();
        }
        running.set_state(StatementState::Running);
        let mut deadline = Deadline::after(limit, self.settings.grace(options), caller);
        if enclosed {
            // Boxed, because few statements need it.
            return Box::pin(start_enclosed(lease, options, deadline, running, row_limit, read_only)).await;
        }
        let mut stopping = None;
        let columns = loop {
            let answered = {
                let expected = pin!(expect(&mut lease, deadline, AtRisk::Statement, columns));
                running.unless_cancelled_or(stopping.is_some(), expected).await
            };
            match answered {
                Ok(columns) => break columns,
                Err(cancelled) if !inspect::may_write(&statement.text) => {
                    lease.hurry();
                    return Err(cancelled);
                }
                Err(cancelled) => {
                    // Only the database knows whether the cancellation came in time.
                    lease.interrupt();
                    (stopping, deadline) = (Some(Box::new(cancelled)), running.grace_period(deadline));
                }
            }
        };
        let columns = columns.map_err(|error| {
            let error = match &stopping {
                Some(why) => error.after_cancellation(why),
                None => error,
            };
            mark_stale_after(error, &mut lease, options).outside_of_transactions(lease.dialect())
        })?;
        let scope = TransactionScope::AutoCommit(lease);
        Ok(Rows::new(scope, columns, deadline, plan.kind, (running.clone(), stopping)).limited(row_limit))
    }
}
