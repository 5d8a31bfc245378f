//! The Query API's handler: from a request to its answer.
//!
//! Whether the credentials are any good is the database's to say, which may cost a connection. So a request that is
//! wrong in another way is found out first, and the database is asked only before that is said: a stranger is told
//! to log in, and nothing else.

use std::{sync::Arc, time::Instant};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use futures_util::stream;

use super::{
    Gateway,
    answer::Answer,
    caller::{acting_as, caller, named_user},
    media::Format,
    path::Path,
    refusal::{Refusal, concerns_credentials, respond},
    request::{self, Understood},
};
use crate::{
    auth::Identity,
    query::{AccessMode, Engine, Error, Handle, Options, Progress, Rows, Statement},
};

/// Answers a request under `/db`.
pub(super) async fn answer(gateway: Arc<Gateway>, request: Request) -> Response {
    let received = Instant::now();
    let (parts, body) = request.into_parts();
    let caller = match caller(&gateway, &parts.headers).await {
        Ok(caller) => caller,
        Err(refusal) => return refusal.into_response(),
    };
    // Drained before anything else happens: only then is it noticed when the client goes away.
    let bytes = match request::read(body, &gateway.limits).await {
        Ok(bytes) => bytes,
        Err(refusal) => return refusal.into_response(),
    };
    let understood = match request::understand(&parts, &bytes, &gateway.limits) {
        Ok(understood) => understood,
        Err(refusal) => return login_first(&gateway.engine, &caller, refusal).await,
    };
    drop(bytes);
    let format = understood.format.clone();
    match carry_out(&gateway, &caller, &parts.headers, understood, received).await {
        Ok(response) => response,
        Err(error) => Refusal::of(error, format).into_response(),
    }
}

/// The refusal, unless the database does not know the caller.
async fn login_first(engine: &Engine, caller: &Identity, refusal: Refusal) -> Response {
    match engine.verify(caller).await {
        Err(error) if concerns_credentials(&error) => Refusal::of(error, Format::plain()).into_response(),
        _ => refusal.into_response(),
    }
}

async fn carry_out(
    gateway: &Gateway,
    caller: &Identity,
    headers: &HeaderMap,
    understood: Understood<'_>,
    received: Instant,
) -> Result<Response, Error> {
    let Understood { path, delete, format, body } = understood;
    let engine = &gateway.engine;
    let answer = Answer::new(&format, body.include_counters, received);
    let statement = body.statement.map(|text| Statement { text, parameters: body.parameters });
    let options = Options {
        access_mode: if caller.is_read_only() { AccessMode::Read } else { body.access_mode },
        bookmarks: body.bookmarks,
        impersonated_user: acting_as(gateway, caller, headers, body.impersonated_user.as_deref())?,
        max_execution_time: body.max_execution_time,
        implicit: body.implicit,
        metadata: body.tx_metadata,
        notifications: body.notifications,
    };
    let named = named_user(headers)?;
    let bare = |answer, status, bookmark: Option<&str>, transaction| {
        Ok(without_result(answer, &format, status, bookmark, transaction))
    };
    let rows = match (path, statement) {
        (Path::Query { database }, Some(statement)) => engine.run(caller, &database, &statement, &options).await?,
        // Refused before it came here.
        (Path::Query { .. }, None) => return Err(request::missing_statement()),
        (Path::Begin { database }, Some(statement)) => {
            engine.begin_with(caller, &database, &statement, &options).await?
        }
        (Path::Begin { database }, None) => {
            let transaction = engine.begin(caller, &database, &options).await?;
            return bare(answer, StatusCode::ACCEPTED, None, Some(&transaction));
        }
        (Path::Transaction { database, id }, _) if delete => {
            engine.roll_back(caller, &Handle::new(&database, &id, named)).await?;
            return bare(answer, StatusCode::OK, None, None);
        }
        (Path::Transaction { database, id }, Some(statement)) => {
            engine.run_in(caller, &Handle::new(&database, &id, named), &statement).await?
        }
        (Path::Transaction { database, id }, None) => {
            let transaction = engine.keep_alive(caller, &Handle::new(&database, &id, named)).await?;
            return bare(answer, StatusCode::ACCEPTED, None, Some(&transaction));
        }
        (Path::Commit { database, id }, Some(statement)) => {
            engine.commit_with(caller, &Handle::new(&database, &id, named), &statement).await?
        }
        (Path::Commit { database, id }, None) => {
            let bookmark = engine.commit(caller, &Handle::new(&database, &id, named)).await?;
            return bare(answer, StatusCode::ACCEPTED, Some(&bookmark), None);
        }
    };
    Ok(with_result(rows, answer, &format).await)
}

fn without_result(
    mut answer: Answer,
    format: &Format,
    status: StatusCode,
    bookmark: Option<&str>,
    transaction: Option<&crate::query::Transaction>,
) -> Response {
    answer.without_result(bookmark, transaction);
    respond(status, &format.content_type, Body::from(answer.take()))
}

/// The head waits for the first batch: a small result is whole by then and gets its length, a large one streams.
async fn with_result(mut rows: Rows, mut answer: Answer, format: &Format) -> Response {
    answer.open(rows.columns());
    let body = if advance(&mut rows, &mut answer).await {
        let first = answer.take();
        Body::from_stream(stream::unfold(Streaming::Chunk(first, Box::new((rows, answer))), next_chunk))
    } else {
        Body::from(answer.take())
    };
    respond(StatusCode::ACCEPTED, &format.content_type, body)
}

/// Moves the result on; false when the answer is complete, one way or the other.
async fn advance(rows: &mut Rows, answer: &mut Answer) -> bool {
    match rows.advance(answer).await {
        Ok(Progress::Paused) => return true,
        Ok(Progress::Done(end)) => answer.close(&end),
        Err(error) => answer.fail(&error),
    }
    false
}

/// A response body on its way. Dropping it drops the rows, which cancels the statement.
enum Streaming {
    /// Text that is ready, and what follows it.
    Chunk(Bytes, Box<(Rows, Answer)>),
    /// The reader has taken all there was.
    Waiting(Box<(Rows, Answer)>),
    Over,
}

async fn next_chunk(state: Streaming) -> Option<(Result<Bytes, std::convert::Infallible>, Streaming)> {
    match state {
        Streaming::Chunk(chunk, rest) => Some((Ok(chunk), Streaming::Waiting(rest))),
        Streaming::Waiting(mut rest) => {
            let (rows, answer) = &mut *rest;
            let more = advance(rows, answer).await;
            let chunk = answer.take();
            Some((Ok(chunk), if more { Streaming::Waiting(rest) } else { Streaming::Over }))
        }
        Streaming::Over => None,
    }
}
