//! What a client wants to be run, whoever read it from a request: one statement, or several in one transaction.
//!
//! Promises that no request body is needed: whoever understands a request makes one of these. May not know paths, headers
//! or JSON.

use axum::response::{IntoResponse as _, Response};

use super::{
    encode::{Answer, At, BatchAnswer},
    exchange::Exchange,
    media::Format,
    refusal::Refusal,
    results::{self, with_attempts},
};
use crate::query::{Batch, Options, Retry, Rows, StartedStatement, Statement};

/// A statement, how it is to be run, and what its answer is to look like.
pub(super) struct StatementRequest<'a> {
    /// The text and its parameters.
    pub(super) statement: Statement,
    pub(super) options: &'a Options,
    /// How often it is tried in a transaction of its own.
    pub(super) retry: Retry,
    pub(super) format: &'a Format,
    /// Whether the answer counts what was changed.
    pub(super) counters: bool,
}

impl StatementRequest<'_> {
    /// ParameterSets the statement in a transaction of its own. The response is its result, or why there is none.
    pub(super) async fn execute(&self, exchange: &Exchange, database: &str) -> Response {
        let Exchange { gateway, caller, .. } = exchange;
        let mut answer = self.answer(exchange);
        let run = gateway.engine.run(caller, database, &self.statement, self.options, self.retry, &mut answer).await;
        let response = match run.outcome {
            Ok(begun) => results::of_rows(begun, answer, self.format),
            Err(error) => Refusal::of(error, self.format.clone()).into_response(),
        };
        with_attempts(response, run.attempts)
    }

    /// The result of the statement, which was started in an open transaction.
    pub(super) async fn result(&self, exchange: &Exchange, mut rows: Rows) -> Response {
        let mut answer = self.answer(exchange);
        let first = rows.begin(&mut answer).await;
        results::of_rows(StartedStatement { rows, first }, answer, self.format)
    }

    fn answer(&self, exchange: &Exchange) -> Answer {
        Answer::new(self.format, self.counters, exchange.received, exchange.limit)
    }
}

/// Several statements, how they are to be run, and what their answer is to look like.
pub(super) struct BatchRequest<'a> {
    pub(super) batch: Batch,
    pub(super) options: &'a Options,
    pub(super) retry: Retry,
    pub(super) format: &'a Format,
}

impl BatchRequest<'_> {
    /// ParameterSets the statements in a transaction of their own. The response is their results, or why there are none.
    pub(super) async fn execute(&self, exchange: &Exchange, database: &str) -> Response {
        let Exchange { gateway, caller, .. } = exchange;
        let mut answer = BatchAnswer::new(self.format, self.batch.counters, exchange.received, exchange.limit);
        let run = gateway.engine.batch(caller, database, &self.batch, self.options, self.retry, &mut answer).await;
        let response = match run.outcome {
            Ok(begun) => results::of_batch(begun, answer, self.format, run.attempts),
            Err(failure) => {
                let at = failure.statement.map(At::Statement);
                Refusal::of(failure.error, self.format.clone()).at(at).into_response()
            }
        };
        with_attempts(response, run.attempts)
    }
}
