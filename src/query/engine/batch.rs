//! A batch in a transaction of its own, retried as a whole.

use std::{pin::pin, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::Engine;
use crate::{
    query::{
        batch::{Batch, BatchError, BatchExecution, BatchSink, StartedBatch},
        call::Call,
        deadline::Deadline,
        error::Error,
        report::retry_reason,
        retry::{Attempted, Attempts, Retry},
        running::{RegisteredStatement, StatementState},
        statement::{Options, ServerOptions, database_of},
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
        let Some(first) = batch.statements.first() else {
            let error = Error::bad_request("statements cannot be null or empty");
            return Attempted { outcome: Err(error.into()), attempts: 0 };
        };
        let limit = self.limit(caller, options, self.settings.max_execution_time);
        let running = self.running_statements.register(caller, database, &first.text, (batch.kind, Some(limit)));
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
        let settings = Arc::clone(&self.settings);
        Ok(BatchExecution::new(lease, Arc::clone(database), batch.clone(), settings, deadline, running.clone()))
    }
}
