//! What the Query API can do: one function for each path and method.

use axum::{body::Body, http::StatusCode, response::Response};

use super::{
    body_memory::Hold,
    encode::without_result,
    exchange::Exchange,
    media::Format,
    path::Path,
    refusal::respond,
    request::{self, Understood},
    statement::{BatchRequest, StatementRequest},
};
use crate::query::{Batch, Error, Options, Statement, StatementKind, Transaction, TransactionHandle};

/// Carries out a request.
///
/// # Errors
/// Why it failed, unless the response says so itself.
// The request is borrowed, not moved: each move would make the future larger.
pub(super) async fn carry_out(
    exchange: &Exchange,
    understood: &mut Understood<'_>,
    hold: Hold,
) -> Result<Response, Error> {
    let Understood { path, delete, format, body } = understood;
    let format = &*format;
    let options = exchange.options(body)?;
    let (retry, counters) = (body.retry.over(exchange.gateway.retry), body.include_counters);
    let parameters = std::mem::take(&mut body.parameters).into();
    let statement = body.statement.take().map(|text| Statement { text: text.into(), parameters });
    let request = statement.map(|statement| StatementRequest { statement, options: &options, retry, format, counters });
    match (&*path, &request) {
        (Path::Query { database }, Some(request)) => Ok(request.execute(exchange, database).await),
        // Such a request was refused before.
        (Path::Query { .. }, None) => Err(request::missing_statement()),
        (Path::Batch { database }, _) => {
            let statements = std::mem::take(&mut body.statements).into();
            let batch =
                Batch { kind: StatementKind::Batch, statements, refused: None, rows: true, counters, streams: false };
            let request = BatchRequest { batch, options: &options, retry, format };
            Ok(Box::pin(run_batch(exchange, database, request, hold)).await)
        }
        (Path::Begin { database }, Some(request)) => begin_with(exchange, database, request).await,
        (Path::Begin { database }, None) => begin(exchange, database, &options, format).await,
        (Path::Transaction { database, id }, _) if *delete => {
            roll_back(exchange, exchange.handle(database, id)?, format).await
        }
        (Path::Transaction { database, id }, Some(request)) => {
            run_in(exchange, exchange.handle(database, id)?, request).await
        }
        (Path::Transaction { database, id }, None) => {
            keep_alive(exchange, exchange.handle(database, id)?, format).await
        }
        (Path::Commit { database, id }, Some(request)) => {
            commit_with(exchange, exchange.handle(database, id)?, request).await
        }
        (Path::Commit { database, id }, None) => commit(exchange, exchange.handle(database, id)?, format).await,
    }
}

/// Runs a batch. Its statements stay counted in `hold` until the answer has been sent, since they are needed until
/// then.
async fn run_batch(exchange: &Exchange, database: &str, request: BatchRequest<'_>, hold: Hold) -> Response {
    request.execute(exchange, database).await.map(|body| hold.until_sent(body))
}

async fn begin(exchange: &Exchange, database: &str, options: &Options, format: &Format) -> Result<Response, Error> {
    let transaction = exchange.gateway.engine.begin(&exchange.caller, database, options).await?;
    Ok(exchange.opening(still_open(&transaction, format)))
}

async fn begin_with(exchange: &Exchange, database: &str, request: &StatementRequest<'_>) -> Result<Response, Error> {
    let Exchange { gateway, caller, .. } = exchange;
    let rows = gateway.engine.begin_with(caller, database, &request.statement, request.options).await?;
    Ok(exchange.opening(request.result(exchange, rows).await))
}

async fn run_in(
    exchange: &Exchange,
    handle: TransactionHandle<'_>,
    request: &StatementRequest<'_>,
) -> Result<Response, Error> {
    let rows = exchange.gateway.engine.run_in(&exchange.caller, &handle, &request.statement).await?;
    Ok(request.result(exchange, rows).await)
}

async fn keep_alive(exchange: &Exchange, handle: TransactionHandle<'_>, format: &Format) -> Result<Response, Error> {
    let transaction = exchange.gateway.engine.keep_alive(&exchange.caller, &handle).await?;
    Ok(still_open(&transaction, format))
}

async fn commit(exchange: &Exchange, handle: TransactionHandle<'_>, format: &Format) -> Result<Response, Error> {
    let committed = exchange.gateway.engine.commit(&exchange.caller, &handle).await?;
    let text = without_result(format, Some(&committed), None);
    Ok(respond(StatusCode::ACCEPTED, &format.content_type, Body::from(text)))
}

async fn commit_with(
    exchange: &Exchange,
    handle: TransactionHandle<'_>,
    request: &StatementRequest<'_>,
) -> Result<Response, Error> {
    let rows = exchange.gateway.engine.commit_with(&exchange.caller, &handle, &request.statement).await?;
    Ok(request.result(exchange, rows).await)
}

async fn roll_back(exchange: &Exchange, handle: TransactionHandle<'_>, format: &Format) -> Result<Response, Error> {
    exchange.gateway.engine.roll_back(&exchange.caller, &handle).await?;
    let text = without_result(format, None, None);
    Ok(respond(StatusCode::OK, &format.content_type, Body::from(text)))
}

fn still_open(transaction: &Transaction, format: &Format) -> Response {
    let text = without_result(format, None, Some(transaction));
    respond(StatusCode::ACCEPTED, &format.content_type, Body::from(text))
}
