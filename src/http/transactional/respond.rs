//! Responses in the API's envelope.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::errors;
use crate::{
    http::{
        access_log::Code,
        encode::{Answer, BatchAnswer, Limits, Shape, empty, refused},
        exchange::Exchange,
        media::{Format, JSON},
        refusal::{Refusal, advise, concerns_credentials, respond},
        rest::Rest,
        results, stream,
    },
    query::{
        BatchEnd, BatchError, BatchExecution, Committed, Error, Progress, StartedBatch, StartedStatement, Transaction,
    },
};

/// A response that has only `error`, to a request that was not examined further.
pub(super) fn misdirected(error: &Error) -> Response {
    let mut response = respond(StatusCode::MISDIRECTED_REQUEST, JSON, Body::from(refused(error)));
    response.extensions_mut().insert(Code(error.code.clone()));
    response
}

/// What surrounds the answer to one request.
pub(super) struct Frame<'a> {
    pub(super) exchange: &'a Exchange,
    /// The name of the database in the path.
    pub(super) database: &'a str,
    pub(super) content_type: &'a str,
    /// The status of an answer that the database had a say in.
    pub(super) status: StatusCode,
    /// The address of the transaction, if the request opens one.
    pub(super) location: Option<String>,
    pub(super) shape: Shape,
}

impl Frame<'_> {
    /// An empty answer to several statements.
    pub(super) fn batch(&self) -> BatchAnswer {
        let limits = Limits { waiting: Some(self.exchange.gateway.limits.graph), ..self.limits() };
        BatchAnswer::in_envelope(self.shape.clone(), self.exchange.caller.record.started(), limits)
    }

    /// An empty answer to one statement.
    pub(super) fn answer(&self) -> Answer {
        Answer::in_envelope(self.shape.clone(), self.exchange.caller.record.started(), self.limits())
    }

    fn limits(&self) -> Limits {
        let result = self.exchange.gateway.engine.result_limits().bytes;
        Limits { answer: self.exchange.limit, result, ..Limits::default() }
    }

    /// The response to an execution that has come this far.
    pub(super) fn of_execution(
        &self,
        execution: BatchExecution,
        first: Result<Option<BatchEnd>, BatchError>,
        answer: BatchAnswer,
    ) -> Response {
        self.of_batch(first.map(|end| StartedBatch { execution, end }), answer, 1)
    }

    /// The response to a batch that has started, or failed.
    pub(super) fn of_batch(
        &self,
        outcome: Result<StartedBatch, BatchError>,
        mut answer: BatchAnswer,
        attempts: u32,
    ) -> Response {
        match outcome {
            Ok(StartedBatch { end: Some(end), .. }) => {
                answer.end(&end, attempts);
                self.with(self.status, Body::from(answer.answer_mut().take()))
            }
            Ok(StartedBatch { execution, end: None }) => self.streamed(Rest::batch(execution, answer, attempts)),
            Err(failure) => self.failed(failure.error, answer.answer_mut()),
        }
    }

    /// The response to a statement outside of transactions that has started.
    pub(super) fn of_statement(
        &self,
        StartedStatement { rows, first }: StartedStatement,
        mut answer: Answer,
    ) -> Response {
        match first {
            Ok(Progress::Paused) => self.streamed(Rest::rows(rows, answer)),
            Ok(Progress::Done(end)) => {
                let ending = answer.end(&end, rows.columns());
                self.with(self.status, stream::whole(answer.take(), ending))
            }
            Err(error) => self.failed(error, &mut answer),
        }
    }

    /// A response without results.
    pub(super) fn empty(&self, committed: Option<&Committed>, transaction: Option<&Transaction>) -> Response {
        self.with(self.status, Body::from(empty(self.shape.clone(), committed, transaction)))
    }

    /// A response that is nothing but an error.
    pub(super) fn refused(&self, error: Error) -> Response {
        let missing = errors::status(&error, self.status) == StatusCode::NOT_FOUND;
        let commit = self.shape.commit.clone().filter(|_| !missing);
        let shape = Shape { commit, ..self.shape.clone() };
        let mut answer = Answer::in_envelope(shape, self.exchange.caller.record.started(), self.limits());
        self.failed(error, &mut answer)
    }

    /// A response that ends with `error` after the results in `answer`.
    fn failed(&self, error: Error, answer: &mut Answer) -> Response {
        if concerns_credentials(&error) {
            return Refusal::of(error, Format::plain()).into_response();
        }
        let error = errors::told(error, self.database);
        let status = errors::status(&error, self.status);
        let ending = answer.fail(&error, None);
        let mut response = self.with(status, stream::whole(answer.take(), ending));
        advise(&mut response, &error);
        response.extensions_mut().insert(Code(error.code));
        response
    }

    fn streamed(&self, rest: Rest) -> Response {
        self.located(results::with_rest(rest, |body| respond(self.status, self.content_type, body)))
    }

    fn with(&self, status: StatusCode, body: Body) -> Response {
        let response = respond(status, self.content_type, body);
        if status == self.status { self.located(response) } else { response }
    }

    fn located(&self, mut response: Response) -> Response {
        if let Some(location) = self.location.as_ref().and_then(|location| HeaderValue::from_str(location).ok()) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }
}
