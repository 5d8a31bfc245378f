//! The Query API's handler: from a request to its answer.
//!
//! Whether the credentials are any good is the database's to say, which may cost a connection. So a request that is
//! wrong in another way is found out first, and the database is asked only before that is said: a stranger is told
//! to log in, and nothing else.

use std::{sync::Arc, time::Instant};

use axum::{
    body::{Body, Bytes, HttpBody as _},
    extract::Request,
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    Gateway,
    body::QueryBody,
    body_memory::Hold,
    caller::{caller, named_user},
    encode::{Answer, At, BatchAnswer},
    exchange::Exchange,
    guard::Admitted,
    keyed, load,
    media::Format,
    path::Path,
    refusal::{Refusal, respond},
    request::{self, Understood},
    results::{self, with_attempts},
    running,
    status::Statuses,
};
use crate::{
    idempotency::Key,
    query::{Batch, Committed, Error, Options, StartedStatement, Statement, Transaction, TransactionHandle},
};

/// Answers a request under `/db`.
// What a call returns is written where the caller wants it; inlined, all of the future's room would be copied there.
#[inline(never)]
pub(super) async fn answer(gateway: Arc<Gateway>, admitted: Admitted, request: Request) -> Response {
    let received = Instant::now();
    let (parts, body) = request.into_parts();
    let statuses = match Statuses::wanted(&parts.headers, gateway.statuses) {
        Ok(statuses) => statuses,
        Err(error) => return Refusal::of(error, Format::plain()).with(gateway.statuses).into_response(),
    };
    let response = match caller(&gateway, &parts.headers).await {
        Ok(caller) => serve(Exchange { gateway, caller, parts, statuses, received, limit: None }, body).await,
        Err(refusal) => Err(refusal),
    };
    let mut response = response.unwrap_or_else(|refusal| refusal.with(statuses).into_response());
    // With a challenge the browser would ask for a password, before the page learns that one is needed.
    if admitted.asks_itself {
        response.headers_mut().remove(header::WWW_AUTHENTICATE);
    }
    response
}

async fn serve(exchange: Exchange, body: Body) -> Result<Response, Refusal> {
    if load::is_load(&exchange.parts) {
        return Box::pin(load::answer(exchange, body)).await;
    }
    if exchange.parts.headers.contains_key(header::EXPECT) {
        // On the heap by itself: it is rare.
        Box::pin(expected(&exchange, body.size_hint().lower())).await?;
    }
    // Drained before anything else happens: only then is it noticed when the client goes away.
    let mut hold = Hold::new(&exchange.gateway.body_memory);
    let bytes = request::read(body, &exchange.gateway.limits, &mut hold, &exchange).await?;
    if exchange.parts.method != Method::POST {
        // The other verbs may be repeated as they are.
        return answered(&exchange, bytes, hold).await;
    }
    match keyed::key(&exchange.parts.headers) {
        Ok(None) => answered(&exchange, bytes, hold).await,
        Ok(Some(key)) => Box::pin(answered_once(exchange, bytes, key, hold)).await,
        Err(error) => Err(exchange.login_first(Refusal::of(error, Format::plain())).await),
    }
}

/// Whether the body is worth sending: its client waits for `100 Continue`, which is sent when the body is read.
async fn expected(exchange: &Exchange, length: u64) -> Result<(), Refusal> {
    let Exchange { gateway, parts, .. } = exchange;
    request::fits(length, &gateway.limits)?;
    let judged = if parts.method == Method::POST { keyed::key(&parts.headers).map(drop) } else { Ok(()) };
    let judged = judged.map_err(|error| Refusal::of(error, Format::plain()));
    match judged.and_then(|()| request::judge(parts, length)) {
        Ok(()) => Ok(()),
        Err(refusal) => Err(exchange.login_first(refusal).await),
    }
}

/// Answers a request that must not take effect twice.
async fn answered_once(mut exchange: Exchange, bytes: Bytes, key: Key, hold: Hold) -> Result<Response, Refusal> {
    let gateway = Arc::clone(&exchange.gateway);
    // What is kept is for those whom the database still knows.
    let known = gateway.engine.verify(&exchange.caller).await;
    known.map_err(|error| Refusal::of(error, Format::plain()))?;
    let fingerprint = keyed::fingerprint(&exchange.parts, &bytes).await;
    let (owner, statuses) = (exchange.caller.owner(), exchange.statuses);
    exchange.limit = Some(gateway.idempotency.max_answer());
    let work = move || async move {
        match answered(&exchange, bytes, hold).await {
            Ok(response) => response,
            Err(refusal) => refusal.with(statuses).into_response(),
        }
    };
    keyed::once(&gateway.idempotency, owner, key, fingerprint, work).await
}

async fn answered(exchange: &Exchange, bytes: Bytes, mut hold: Hold) -> Result<Response, Refusal> {
    let limits = &exchange.gateway.limits;
    let mut understood = match request::understand(&exchange.parts, bytes, limits, &mut hold).await {
        Ok(understood) => understood,
        Err(refusal) => return Err(exchange.login_first(refusal).await),
    };
    understood.format.statuses = exchange.statuses;
    let done = carry_out(exchange, &mut understood, hold).await;
    done.map_err(|error| Refusal::of(error, understood.format))
}

// What was understood is not taken in: each move would make the request's future larger.
async fn carry_out(exchange: &Exchange, understood: &mut Understood<'_>, hold: Hold) -> Result<Response, Error> {
    let Understood { path, delete, format, body } = understood;
    let format = &*format;
    let Exchange { gateway, caller, parts, .. } = exchange;
    let engine = &gateway.engine;
    let mut answer = Answer::new(format, body.include_counters, exchange.received, exchange.limit);
    let retry = body.retry.over(gateway.retry);
    let options = exchange.options(body)?;
    let parameters = std::mem::take(&mut body.parameters).into();
    let statement = body.statement.take().map(|text| Statement { text: text.into(), parameters });
    let named = || named_user(&parts.headers);
    let bare = |answer, status, committed: Option<&Committed>, transaction| {
        Ok(without_result(answer, format, status, committed, transaction))
    };
    let mut rows = match (&*path, statement) {
        (Path::Query { database }, Some(statement)) => {
            let run = engine.run(caller, database, &statement, &options, retry, &mut answer).await;
            return Ok(match run.outcome {
                Ok(begun) => with_attempts(results::of_rows(begun, answer, format), run.attempts),
                Err(error) => with_attempts(Refusal::of(error, format.clone()).into_response(), run.attempts),
            });
        }
        // Refused before it came here.
        (Path::Query { .. }, None) => return Err(request::missing_statement()),
        (Path::Batch { database }, _) => {
            let answer = Box::pin(batch(exchange, database, std::mem::take(body), &options, format)).await?;
            // Its statements are needed until the last of them is answered.
            return Ok(answer.map(|body| hold.until_sent(body)));
        }
        (Path::Running { database }, _) => {
            let found = engine.running(caller, database).await?;
            return Ok(respond(StatusCode::OK, &format.content_type, running::list(&found)));
        }
        (Path::RunningStatement { database, id }, _) => {
            engine.cancel(caller, database, id).await?;
            return bare(answer, StatusCode::OK, None, None);
        }
        (Path::Begin { database }, Some(statement)) => {
            engine.begin_with(caller, database, &statement, &options).await?
        }
        (Path::Begin { database }, None) => {
            let transaction = engine.begin(caller, database, &options).await?;
            return bare(answer, StatusCode::ACCEPTED, None, Some(&transaction));
        }
        (Path::Transaction { database, id }, _) if *delete => {
            engine.roll_back(caller, &TransactionHandle::new(database, id, named()?)).await?;
            return bare(answer, StatusCode::OK, None, None);
        }
        (Path::Transaction { database, id }, Some(statement)) => {
            engine.run_in(caller, &TransactionHandle::new(database, id, named()?), &statement).await?
        }
        (Path::Transaction { database, id }, None) => {
            let transaction = engine.keep_alive(caller, &TransactionHandle::new(database, id, named()?)).await?;
            return bare(answer, StatusCode::ACCEPTED, None, Some(&transaction));
        }
        (Path::Commit { database, id }, Some(statement)) => {
            engine.commit_with(caller, &TransactionHandle::new(database, id, named()?), &statement).await?
        }
        (Path::Commit { database, id }, None) => {
            let committed = engine.commit(caller, &TransactionHandle::new(database, id, named()?)).await?;
            return bare(answer, StatusCode::ACCEPTED, Some(&committed), None);
        }
    };
    let first = rows.begin(&mut answer).await;
    Ok(results::of_rows(StartedStatement { rows, first }, answer, format))
}

async fn batch(
    exchange: &Exchange,
    database: &str,
    body: QueryBody,
    options: &Options,
    format: &Format,
) -> Result<Response, Error> {
    let mut answer = BatchAnswer::new(format, body.include_counters, exchange.received, exchange.limit);
    let retry = body.retry.over(exchange.gateway.retry);
    let batch = Batch { statements: body.statements.into(), rows: true, counters: body.include_counters };
    let run = exchange.gateway.engine.batch(&exchange.caller, database, &batch, options, retry, &mut answer).await;
    let response = match run.outcome {
        Ok(begun) => results::of_batch(begun, answer, format, run.attempts),
        Err(failure) => {
            let at = failure.statement.map(At::Statement);
            Refusal::of(failure.error, format.clone()).at(at).into_response()
        }
    };
    Ok(with_attempts(response, run.attempts))
}

fn without_result(
    mut answer: Answer,
    format: &Format,
    status: StatusCode,
    committed: Option<&Committed>,
    transaction: Option<&Transaction>,
) -> Response {
    answer.without_result(committed, transaction);
    respond(status, &format.content_type, Body::from(answer.take()))
}
