//! Statements that a client wants to be run, as values: one statement, or several in one transaction.
//!
//! Promises that running them takes no request body, since the code that understands a request turns it into such a
//! value. May not know paths, headers or JSON.

use axum::response::{IntoResponse as _, Response};

use super::{
    encode::{Answer, At, BatchAnswer, Limits},
    exchange::Exchange,
    media::Format,
    refusal::Refusal,
    results::{self, with_attempts},
};
use crate::{
    json::output::GraphLimits,
    query::{Batch, Options, Retry, Rows, StartedStatement, Statement},
};

/// A statement, how it is to be run, and what its answer is to look like.
pub(super) struct StatementRequest<'a> {
    /// The text and its parameters.
    pub(super) statement: Statement,
    pub(super) options: &'a Options,
    /// How it is retried. A statement in an open transaction never is.
    pub(super) retry: Retry,
    pub(super) format: &'a Format,
    /// Whether the answer counts what was changed.
    pub(super) counters: bool,
}

impl StatementRequest<'_> {
    /// Runs the statement in a transaction of its own, and responds with its result or the error.
    pub(super) async fn execute(&self, exchange: &Exchange, database: &str) -> Response {
        let Exchange { gateway, caller, .. } = exchange;
        let mut answer = self.answer(exchange);
        let run = gateway.engine.run(caller, database, &self.statement, self.options, self.retry, &mut answer).await;
        let response = match run.outcome {
            Ok(begun) if results::lacks_text(&begun, &answer) => {
                // On the heap, since few results get here: others do not have to make room.
                Box::pin(results::of_text(begun, answer, self.format)).await
            }
            Ok(begun) => results::of_rows(begun, answer, self.format),
            Err(error) => Refusal::of(error, self.format.clone()).into_response(),
        };
        with_attempts(response, run.attempts)
    }

    /// Responds with the result of the statement, which was started in an open transaction.
    pub(super) async fn result(&self, exchange: &Exchange, mut rows: Rows) -> Response {
        let mut answer = self.answer(exchange);
        let first = rows.begin(&mut answer).await;
        Box::pin(results::of_text(StartedStatement { rows, first }, answer, self.format)).await
    }

    fn answer(&self, exchange: &Exchange) -> Answer {
        Answer::new(self.format, self.counters, exchange.caller.record.started(), limits(exchange))
    }
}

/// How long the answer may be.
pub(super) fn limits(exchange: &Exchange) -> Limits {
    let limits = &exchange.gateway.limits;
    let graph = GraphLimits { elements: limits.graph_elements, waiting: limits.graph };
    Limits { answer: exchange.limit, result: exchange.gateway.engine.result_limits().bytes, waiting: None, graph }
}

/// Several statements, how they are to be run, and what their answer is to look like.
pub(super) struct BatchRequest<'a> {
    pub(super) batch: Batch,
    pub(super) options: &'a Options,
    pub(super) retry: Retry,
    pub(super) format: &'a Format,
}

impl BatchRequest<'_> {
    /// Runs the statements in a transaction of their own, and responds with their results or the error.
    pub(super) async fn execute(&self, exchange: &Exchange, database: &str) -> Response {
        let Exchange { gateway, caller, .. } = exchange;
        let started = exchange.caller.record.started();
        let mut answer = BatchAnswer::new(self.format, self.batch.counters, started, limits(exchange));
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
