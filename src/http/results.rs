//! Results on their way to the client.
//!
//! The head of an answer waits for the first rows: a small result is whole by then and gets its length, a large one
//! streams.

use super::{
    encode::{Answer, BatchAnswer},
    media::Format,
    refusal::{Refusal, respond},
    rest::Rest,
    status::Statuses,
    stream,
    verdict::mark,
};
use crate::query::{Progress, StartedBatch, StartedStatement};
use axum::{
    body::Body,
    http::{HeaderName, StatusCode},
    response::{IntoResponse, Response},
};

/// How many attempts it took, where it took more than one.
const ATTEMPTS: HeaderName = HeaderName::from_static("boltgate-attempts");

/// The answer to one statement that has started.
pub(super) fn of_rows(
    StartedStatement { rows, first }: StartedStatement,
    mut answer: Answer,
    format: &Format,
) -> Response {
    let content_type = &format.content_type;
    match first {
        Ok(Progress::Paused) => streamed(Rest::rows(rows, answer), content_type),
        Ok(Progress::Done(end)) => {
            let ending = answer.end(&end, rows.columns());
            respond(StatusCode::ACCEPTED, content_type, stream::whole(answer.take(), ending))
        }
        Err(error) if format.statuses == Statuses::Precise => Refusal::of(error, format.clone()).into_response(),
        Err(error) => {
            let ending = answer.fail(&error, None);
            let mut response = respond(StatusCode::ACCEPTED, content_type, stream::whole(answer.take(), ending));
            mark(&mut response, &error);
            response
        }
    }
}

/// The answer to a batch that has started.
pub(super) fn of_batch(begun: StartedBatch, mut answer: BatchAnswer, format: &Format, attempts: u32) -> Response {
    match begun.end {
        Some(end) => {
            answer.end(&end, attempts);
            respond(StatusCode::ACCEPTED, &format.content_type, Body::from(answer.answer_mut().take()))
        }
        None => streamed(Rest::batch(begun.execution, answer, attempts), &format.content_type),
    }
}

/// An answer that goes on, and the verdict on it once it is over.
fn streamed(rest: Rest, content_type: &str) -> Response {
    let verdict = rest.verdict().clone();
    let mut response = respond(StatusCode::ACCEPTED, content_type, stream::body(rest));
    response.extensions_mut().insert(verdict);
    response
}

/// The response, with the number of attempts if it is worth mentioning.
pub(super) fn with_attempts(mut response: Response, attempts: u32) -> Response {
    if attempts > 1 {
        response.headers_mut().insert(ATTEMPTS, attempts.into());
    }
    response
}
