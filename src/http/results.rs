//! Responses with results.
//!
//! The head of a response waits for the first rows: a small result is complete by then and gets a `Content-Length`, a
//! large one is streamed.

use axum::{
    body::Body,
    http::{HeaderName, StatusCode},
    response::{IntoResponse, Response},
};

use super::{
    encode::{Answer, BatchAnswer},
    media::Format,
    refusal::{Refusal, respond},
    rest::Rest,
    status::Statuses,
    stream,
    verdict::mark,
};
use crate::query::{Kind, Progress, StartedBatch, StartedStatement};

/// The number of attempts, if there was more than one.
const ATTEMPTS: HeaderName = HeaderName::from_static("boltgate-attempts");

/// The response to one statement that has started.
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
            started(content_type, stream::whole(answer.take(), ending))
        }
        // What the gateway itself ended has a status of its own as long as nothing has been sent.
        Err(error) if format.statuses == Statuses::Precise || matches!(error.kind, Kind::ResultLimit | Kind::Ended) => {
            Refusal::of(error, format.clone()).into_response()
        }
        Err(error) => {
            let ending = answer.fail(&error, None);
            let mut response = started(content_type, stream::whole(answer.take(), ending));
            mark(&mut response, &error);
            response
        }
    }
}

/// The response to a batch that has started.
pub(super) fn of_batch(begun: StartedBatch, mut answer: BatchAnswer, format: &Format, attempts: u32) -> Response {
    match begun.end {
        Some(end) => {
            answer.end(&end, attempts);
            started(&format.content_type, Body::from(answer.answer_mut().take()))
        }
        None => streamed(Rest::batch(begun.execution, answer, attempts), &format.content_type),
    }
}

/// A response whose answer has not ended, with the verdict that is known once it has.
fn streamed(rest: Rest, content_type: &str) -> Response {
    let verdict = rest.verdict().clone();
    let mut response = started(content_type, stream::body(rest));
    response.extensions_mut().insert(verdict);
    response
}

/// A response whose statement has started, so that its status can no longer say how it ends.
fn started(content_type: &str, body: Body) -> Response {
    respond(StatusCode::ACCEPTED, content_type, body)
}

/// Adds the number of attempts, if there was more than one.
pub(super) fn with_attempts(mut response: Response, attempts: u32) -> Response {
    if attempts > 1 {
        response.headers_mut().insert(ATTEMPTS, attempts.into());
    }
    response
}
