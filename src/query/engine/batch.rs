//! Batches: in a transaction of their own, retried as a whole, or in an open one.

use std::{pin::pin, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::Engine;
use crate::{
    query::{
        batch::{Batch, BatchError, BatchExecution, BatchScope, BatchSink, StartedBatch},
        call::Call,
        deadline::Deadline,
        error::Error,
        report::retry_reason,
        retry::{Attempted, Attempts, Retry},
        running::{RegisteredStatement, StatementState},
        statement::{Options, ServerOptions, database_of},
        transaction::{TransactionGuard, TransactionHandle},
    },
    telemetry::observer::RetryReason,
};

impl Engine {
    /// Runs a batch in a transaction of its own, and moves the first rows into `sink`. Retries the batch as a whole, as
    /// `retry` says, when the database has undone it or the connection was lost before COMMIT, as long as no rows have
    /// been taken out of `sink`.
    pub async fn batch(
        &self,
        caller: &Call,
        database: &str,
        batch: &Batch,
        options: &Options,
        retry: Retry,
        sink: &mut impl BatchSink,
    ) -> Attempted<StartedBatch, BatchError> {
        let limit = self.limit(caller, options, self.settings.max_execution_time);
        let running = self.register_batch(caller, database, batch, Some(limit));
        let mut attempts = Attempts::new(retry, Instant::now() + limit);
        let database: Arc<str> = database.into();
        loop {
            let limit = attempts.time_left();
            let outcome = match self.begin_batch(caller, &database, batch, options, (&running, limit)).await {
                Ok(mut execution) => {
                    attempts.count_attempt();
                    caller.record.note_attempts(attempts.count());
                    let first = execution.start(sink, options).await;
                    first.map(|end| StartedBatch { execution, end })
                }
                Err(error) => Err(error.into()),
            };
            let pause = outcome.as_ref().err().and_then(|failure: &BatchError| {
                let texts = batch.statements.iter().map(|statement| &*statement.text);
                if failure.lost_before_commit {
                    attempts.next_pause()
                } else {
                    self.retry_pause(&failure.error, &mut attempts, texts)
                }
            });
            if let Err(failure) = &outcome {
                running.report_failure(&failure.error, pause);
            }
            let Some(pause) = pause else {
                return Attempted { outcome, attempts: attempts.count() };
            };
            sink.restart();
            let reason = outcome.err().and_then(|failure| {
                if failure.lost_before_commit { Some(RetryReason::Connection) } else { retry_reason(&failure.error) }
            });
            if let Err(error) = self.wait(&running, pause, reason).await {
                return Attempted { outcome: Err(error.into()), attempts: attempts.count() };
            }
        }
    }

    /// Leases a connection and queues BEGIN.
    async fn begin_batch(
        &self,
        caller: &Call,
        database: &Arc<str>,
        batch: &Batch,
        options: &Options,
        (running, limit): (&RegisteredStatement, Duration),
    ) -> Result<BatchExecution, Error> {
        let mut lease = running.unless_cancelled(pin!(self.lease(caller, database))).await??;
        let target = database_of(self.settings.aliases.resolve(database), &lease);
        let sent = ServerOptions::new(&lease, target, options, limit, &caller.record)?;
        lease.begin(&sent.extra());
        running.set_state(StatementState::Running);
        let deadline = Deadline::after(limit, self.settings.grace(options), caller);
        Ok(self.execution(BatchScope::Own(lease), database, batch, deadline, running))
    }

    /// Opens a transaction for `batch`, whose statements are then to be run in it by [`BatchExecution::advance`]. Also
    /// returns the handle.
    ///
    /// # Errors
    /// Why the transaction could not be opened.
    pub async fn begin_batch_in(
        &self,
        caller: &Call,
        database: &str,
        batch: &Batch,
        options: &Options,
    ) -> Result<(BatchExecution, String), Error> {
        let limit = self.limit(caller, options, self.settings.transactions.max_lifetime);
        let running = self.register_batch(caller, database, batch, Some(limit));
        let opening = pin!(self.open(caller, database, options, (running.id(), running.downgrade())));
        let opened = running.unless_cancelled(opening).await.flatten();
        let guard = opened.inspect_err(|error| running.report_failure(error, None))?;
        let handle = guard.handle().to_owned();
        Ok((self.in_transaction(BatchScope::Explicit, guard, database, batch, &running), handle))
    }

    /// Runs `batch` in the transaction `handle` by [`BatchExecution::advance`], and commits the transaction after it if
    /// `commit` says so. Whatever fails ends the transaction.
    ///
    /// # Errors
    /// When the transaction does not exist or is in use.
    pub async fn batch_in(
        &self,
        caller: &Call,
        handle: &TransactionHandle<'_>,
        batch: &Batch,
        commit: bool,
    ) -> Result<BatchExecution, Error> {
        let running = self.register_batch(caller, handle.database, batch, None);
        let guard = self.check_out(caller, handle, Some(&running)).await;
        let guard = guard.inspect_err(|error| running.report_failure(error, None))?;
        let scope = if commit { BatchScope::ExplicitCommit } else { BatchScope::Explicit };
        Ok(self.in_transaction(scope, guard, handle.database, batch, &running))
    }

    fn register_batch(
        &self,
        caller: &Call,
        database: &str,
        batch: &Batch,
        limit: Option<Duration>,
    ) -> RegisteredStatement {
        let text = batch.statements.first().map_or_else(|| Arc::from(""), |first| Arc::clone(&first.text));
        self.running_statements.register(caller, database, &text, (batch.kind, limit))
    }

    fn in_transaction(
        &self,
        scope: fn(TransactionGuard) -> BatchScope,
        guard: TransactionGuard,
        database: &str,
        batch: &Batch,
        running: &RegisteredStatement,
    ) -> BatchExecution {
        running.set_transaction(guard.handle());
        running.set_state(StatementState::Running);
        let deadline = guard.deadline();
        self.execution(scope(guard), &database.into(), batch, deadline, running)
    }

    fn execution(
        &self,
        scope: BatchScope,
        database: &Arc<str>,
        batch: &Batch,
        deadline: Deadline,
        running: &RegisteredStatement,
    ) -> BatchExecution {
        let settings = Arc::clone(&self.settings);
        BatchExecution::new(scope, Arc::clone(database), batch.clone(), settings, deadline, running.clone())
    }
}
