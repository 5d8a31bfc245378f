//! Responses with results.
//!
//! The head of a response waits for the first rows: a small result is complete by then and gets a `Content-Length`, a
//! large one is streamed.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
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

/// Whether there is no text of a result yet. Most formats have text with the first row.
pub(super) fn lacks_text(begun: &StartedStatement, answer: &Answer) -> bool {
    answer.is_empty() && matches!(begun.first, Ok(Progress::Paused))
}

/// The response to one statement that has started, once there is text of it, since an error until then has a status of its
/// own.
pub(super) async fn of_text(mut begun: StartedStatement, mut answer: Answer, format: &Format) -> Response {
    while lacks_text(&begun, &answer) {
        begun.first = begun.rows.advance(&mut answer).await;
    }
    of_rows(begun, answer, format)
}

/// The response to one statement that has started.
pub(super) fn of_rows(
    StartedStatement { rows, first }: StartedStatement,
    mut answer: Answer,
    format: &Format,
) -> Response {
    let rows_alone = format.layout.is_rows_alone();
    match first {
        Ok(Progress::Paused) => streamed(Rest::rows(rows, answer), format),
        Ok(Progress::Done(end)) => {
            if let Some(error) = end.withheld.as_ref().filter(|_| rows_alone && !answer.is_cut()) {
                return Refusal::of(error.clone(), format.clone()).into_response();
            }
            let ending = answer.end(&end, rows.columns());
            started(format, stream::whole(answer.take(), ending))
        }
        // What the gateway itself ended has a status of its own as long as nothing has been sent.
        Err(error)
            if rows_alone
                || format.statuses == Statuses::Precise
                || matches!(error.kind, Kind::ResultLimit | Kind::Ended) =>
        {
            Refusal::of(error, format.clone()).into_response()
        }
        Err(error) => {
            let ending = answer.fail(&error, None);
            let mut response = started(format, stream::whole(answer.take(), ending));
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
            started(format, Body::from(answer.answer_mut().take()))
        }
        None => streamed(Rest::batch(begun.execution, answer, attempts), format),
    }
}

/// A response whose answer has not ended, with the verdict that is known once it has.
fn streamed(rest: Rest, format: &Format) -> Response {
    with_rest(rest, |body| started(format, body))
}

/// Makes a response whose answer has not ended, with the verdict that is known once it has.
pub(super) fn with_rest(rest: Rest, respond: impl FnOnce(Body) -> Response) -> Response {
    let verdict = rest.verdict().clone();
    let mut response = respond(stream::body(rest));
    response.extensions_mut().insert(verdict);
    response
}

/// A response whose statement has started, so that its status can no longer say how it ends.
fn started(format: &Format, body: Body) -> Response {
    if !format.layout.is_rows_alone() {
        return respond(StatusCode::ACCEPTED, &format.content_type, body);
    }
    let mut response = respond(StatusCode::OK, &format.content_type, body);
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    response
}

/// Adds the number of attempts, if there was more than one.
pub(super) fn with_attempts(mut response: Response, attempts: u32) -> Response {
    if attempts > 1 {
        response.headers_mut().insert(ATTEMPTS, attempts.into());
    }
    response
}
