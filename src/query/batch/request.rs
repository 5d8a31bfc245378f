//! Several statements in one transaction, in one request: all of them or none. How they travel is in
//! [`super::execution`].

use std::sync::Arc;

use tokio::time::Instant;

use super::{execution::BatchExecution, parameter_sets::ParameterSets};
use crate::{
    auth::Identity,
    bolt::Summary,
    query::{
        engine::{Attempted, Engine},
        error::Error,
        result::{RowRefused, RowSink},
        retry::{Attempts, Retry},
        statement::Options,
        transaction::Committed,
    },
};

/// One statement, run with each of its maps of parameters in turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchStatement {
    /// The text.
    pub text: Arc<str>,
    /// The parameters of each run.
    pub parameter_sets: ParameterSets,
}

/// What one transaction is to do.
#[derive(Debug, Clone)]
pub struct Batch {
    /// In this order. At least one.
    pub statements: Arc<[BatchStatement]>,
    /// Whether anybody looks at the rows.
    pub rows: bool,
    /// Whether anybody looks at the counters.
    pub counters: bool,
}

/// Where the results of a batch go, one after another.
pub trait BatchSink: RowSink {
    /// Ends the result that was opened last. The counters in `summary` are those of all its runs.
    ///
    /// # Errors
    /// [`RowRefused`] when there is no room for it. As with a row that cannot be shown, the batch is rolled back.
    fn close(&mut self, summary: &Summary) -> Result<(), RowRefused>;
}

/// A batch whose beginning is in a sink.
#[derive(Debug)]
pub struct StartedBatch {
    /// The rest of it.
    pub execution: BatchExecution,
    /// The end, if it was reached.
    pub end: Option<BatchEnd>,
}

/// What is known at the end of a batch.
#[derive(Debug)]
pub struct BatchEnd {
    /// The sum of all counters, a PackStream map, if it was wanted.
    pub counters: Option<Vec<u8>>,
    /// What the database says of the commit.
    pub committed: Committed,
}

/// Why a batch failed. Unless the outcome is not known, nothing of it was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchError {
    /// What went wrong.
    pub error: Error,
    /// The statement at fault, counted from 0.
    pub statement: Option<usize>,
    /// The connection was lost before anybody asked for COMMIT, so another attempt cannot do the same twice.
    pub(in crate::query) lost_before_commit: bool,
}

impl From<Error> for BatchError {
    fn from(error: Error) -> Self {
        Self { error, statement: None, lost_before_commit: false }
    }
}

impl Engine {
    /// Runs a batch in a transaction of its own and moves the first rows into `sink`. Tries the whole again when the
    /// database has undone it, or the connection was lost before COMMIT, as long as `sink` can take back all of it.
    pub async fn batch(
        &self,
        caller: &Identity,
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
        let running = self.running_statements.enter(caller, database, &first.text);
        let limit = self.limit(caller, options, self.settings.max_execution_time);
        let mut attempts = Attempts::new(retry, Instant::now() + limit);
        let database: Arc<str> = database.into();
        loop {
            let limit = attempts.time_left();
            let outcome = match self.begin_batch(caller, &database, batch, options, (&running, limit)).await {
                Ok(mut execution) => {
                    attempts.start_next();
                    let first = execution.first(sink, options).await;
                    first.map(|end| StartedBatch { execution, end })
                }
                Err(error) => Err(error.into()),
            };
            let pause = outcome.as_ref().err().and_then(|failure: &BatchError| {
                let texts = batch.statements.iter().map(|statement| &*statement.text);
                if failure.lost_before_commit {
                    attempts.next_pause_within_limits()
                } else {
                    self.retry_pause(&failure.error, &mut attempts, texts)
                }
            });
            let Some(pause) = pause else {
                return Attempted { outcome, attempts: attempts.count() };
            };
            sink.restart();
            if let Err(error) = self.wait(&running, pause).await {
                return Attempted { outcome: Err(error.into()), attempts: attempts.count() };
            }
        }
    }
}
