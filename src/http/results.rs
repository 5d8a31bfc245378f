//! Results on their way to the client.
//!
//! The head of an answer waits for the first rows: a small result is whole by then and gets its length, a large one
//! streams.

use std::convert::Infallible;

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, StatusCode},
    response::{IntoResponse, Response},
};
use futures_util::stream;

use super::{
    answer::{Answer, BatchAnswer},
    media::Format,
    refusal::{Refusal, mark, respond},
    status::Statuses,
};
use crate::query::{BatchBegun, Begun, Progress, Rows, Script};

/// How many attempts it took, where it took more than one.
const ATTEMPTS: HeaderName = HeaderName::from_static("boltgate-attempts");

/// The answer to one statement that has started.
pub(super) fn of_rows(Begun { rows, first }: Begun, mut answer: Answer, format: &Format) -> Response {
    let content_type = &format.content_type;
    match first {
        Ok(Progress::Paused) => respond(StatusCode::ACCEPTED, content_type, streamed(Rest::Rows(rows, answer))),
        Ok(Progress::Done(end)) => {
            answer.close(&end);
            respond(StatusCode::ACCEPTED, content_type, Body::from(answer.take()))
        }
        Err(error) if format.statuses == Statuses::Precise => Refusal::of(error, format.clone()).into_response(),
        Err(error) => {
            answer.fail(&error);
            let mut response = respond(StatusCode::ACCEPTED, content_type, Body::from(answer.take()));
            mark(&mut response, &error);
            response
        }
    }
}

/// The answer to a batch that has started.
pub(super) fn of_batch(begun: BatchBegun, mut answer: BatchAnswer, format: &Format, attempts: u32) -> Response {
    let body = match begun.end {
        Some(end) => {
            answer.end(&end, attempts);
            Body::from(answer.take())
        }
        None => streamed(Rest::Batch(begun.script, answer, attempts)),
    };
    respond(StatusCode::ACCEPTED, &format.content_type, body)
}

/// The response, with the number of attempts if it is worth mentioning.
pub(super) fn with_attempts(mut response: Response, attempts: u32) -> Response {
    if attempts > 1 {
        response.headers_mut().insert(ATTEMPTS, attempts.into());
    }
    response
}

/// What is still to come of an answer. Dropping it cancels the statement.
enum Rest {
    Rows(Rows, Answer),
    Batch(Script, BatchAnswer, u32),
}

impl Rest {
    fn take(&mut self) -> Bytes {
        match self {
            Self::Rows(_, answer) => answer.take(),
            Self::Batch(_, answer, _) => answer.take(),
        }
    }

    /// Moves the result on; false when the answer is complete, one way or the other.
    async fn advance(&mut self) -> bool {
        match self {
            Self::Rows(rows, answer) => {
                answer.make_room();
                match rows.advance(answer).await {
                    Ok(Progress::Paused) => return true,
                    Ok(Progress::Done(end)) => answer.close(&end),
                    Err(error) => answer.fail(&error),
                }
            }
            Self::Batch(script, answer, attempts) => {
                answer.make_room();
                match script.advance(answer).await {
                    Ok(None) => return true,
                    Ok(Some(end)) => answer.end(&end, *attempts),
                    Err(failure) => answer.fail(&failure),
                }
            }
        }
        false
    }
}

/// A response body on its way.
enum Streaming {
    /// Text that is ready, and what follows it.
    Chunk(Bytes, Box<Rest>),
    /// The reader has taken all there was.
    Waiting(Box<Rest>),
    Over,
}

fn streamed(mut rest: Rest) -> Body {
    let first = rest.take();
    Body::from_stream(stream::unfold(Streaming::Chunk(first, Box::new(rest)), next_chunk))
}

async fn next_chunk(state: Streaming) -> Option<(Result<Bytes, Infallible>, Streaming)> {
    match state {
        Streaming::Chunk(chunk, rest) => Some((Ok(chunk), Streaming::Waiting(rest))),
        Streaming::Waiting(mut rest) => {
            let more = rest.advance().await;
            let chunk = rest.take();
            Some((Ok(chunk), if more { Streaming::Waiting(rest) } else { Streaming::Over }))
        }
        Streaming::Over => None,
    }
}
