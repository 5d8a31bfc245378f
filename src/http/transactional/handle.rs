//! From a request to its response, in Neo4j's order: credentials, path, media types, headers, transaction, body.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes, HttpBody as _},
    extract::{FromRequest as _, Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::{
    headers,
    path::{Action, Target},
    request::{self, Statements},
    respond::{Frame, misdirected},
};
use crate::{
    http::{
        access_log::note_code,
        affinity::Affinity,
        authenticated::Authenticated,
        base_url::BaseUrl,
        body_memory::Hold,
        caller::acting_as,
        encode::Shape,
        exchange::Exchange,
        gateway::Gateway,
        keyed,
        media::{self, Format, JSON},
        refusal::{Refusal, respond},
        request::{coding, fits, read},
        results::with_attempts,
        status::Statuses,
        verdict::report_refusal,
    },
    query::{
        AccessMode, Batch, BatchStatement, Error, HandleStyle, OFFLOAD_ABOVE, Options, Statement, StatementKind,
        TransactionHandle, commits_in_batches, offload, unused_decimal_handle,
    },
};

/// Answers a request on a route of this API.
pub(super) async fn answer(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    if let Some(refusal) = elsewhere(&gateway, request.uri().path()) {
        return refusal;
    }
    let Authenticated { mut exchange, body } = match Authenticated::from_request(request, &gateway).await {
        Ok(request) => request,
        Err(refusal) => return refusal.into_response(),
    };
    exchange.statuses = Statuses::QueryApi;
    serve(exchange, body).await.unwrap_or_else(Refusal::into_response)
}

/// The answer to a request for a transaction that another gateway has.
fn elsewhere(gateway: &Gateway, path: &str) -> Option<Response> {
    let affinity = gateway.affinity.as_ref()?;
    let (Action::Run(id) | Action::CommitTransaction(id)) = Target::parse(path, "")?.action else { return None };
    affinity.decimal_elsewhere(id, misdirected)
}

async fn serve(mut exchange: Exchange, body: Body) -> Result<Response, Refusal> {
    let gateway = Arc::clone(&exchange.gateway);
    if exchange.parts.headers.contains_key(header::EXPECT) {
        // Otherwise a client would send a body that is refused anyway.
        let length = body.size_hint().lower();
        fits(length, &gateway.limits)?;
        if let Err(Unfit(response)) = head(&exchange, length == 0) {
            return verified(&exchange, *response).await;
        }
        may_send_cypher(&exchange).await?;
    }
    let mut hold = Hold::new(&gateway.body_memory);
    // A coding that is not supported is refused later, together with everything else in the head.
    let packed = coding(&exchange.parts.headers).ok().flatten();
    let bytes = read(body, packed, &gateway.limits, &mut hold, &exchange).await?;
    if let Err(Unfit(response)) = head(&exchange, bytes.is_empty()) {
        return verified(&exchange, *response).await;
    }
    may_send_cypher(&exchange).await?;
    let key = match keyed::key(&exchange.parts.headers) {
        Ok(key) => key.filter(|_| commits_at_once(&exchange)),
        Err(error) => return Err(exchange.login_first(Refusal::of(error, Format::plain())).await),
    };
    let Some(key) = key else { return Ok(carry_out(&exchange, bytes, hold).await) };
    // A stored answer is only for a caller that the database still accepts.
    let known = gateway.engine.verify(&exchange.caller).await;
    known.map_err(|error| Refusal::of(error, Format::plain()))?;
    let fingerprint = keyed::fingerprint(&exchange.parts, &bytes).await;
    let owner = exchange.caller.owner();
    exchange.limit = Some(gateway.idempotency.max_answer());
    let work = move || async move {
        let response = carry_out(&exchange, bytes, hold).await;
        // What is stored of the answer has neither the code nor the limit.
        note_code(&exchange.caller.record, &response);
        report_refusal(&response, &**exchange.gateway.engine.observer());
        response
    };
    keyed::once(&gateway.idempotency, owner, key, fingerprint, work).await
}

/// Refuses callers that may not send statements of their own.
async fn may_send_cypher(exchange: &Exchange) -> Result<(), Refusal> {
    if exchange.may_send_cypher() { Ok(()) } else { Err(exchange.login_first(Refusal::of_own_cypher()).await) }
}

/// The response to a request whose head cannot be used.
struct Unfit(Box<Response>);

impl From<Refusal> for Unfit {
    fn from(refusal: Refusal) -> Self {
        Self(Box::new(refusal.into_response()))
    }
}

/// Checks path and media types. `empty` says that no body follows.
fn head(exchange: &Exchange, empty: bool) -> Result<(), Unfit> {
    let headers = &exchange.parts.headers;
    if target(exchange).is_none() {
        return Err(Refusal::not_found(exchange.parts.uri.path()).into());
    }
    coding(headers)?;
    if !empty && !media::is_json(headers) {
        return Err(Refusal::unsupported_media_type(JSON).into());
    }
    media::json_accepted(headers).map(drop).map_err(|asked| {
        const SUPPORTED: &str =
            "Unsupported media type - Supported types are application/json and application/vnd.neo4j.jolt";
        let asked = if asked.is_empty() { "text/plain" } else { &asked };
        Unfit(Box::new(respond(StatusCode::NOT_ACCEPTABLE, asked, Body::from(SUPPORTED))))
    })
}

/// `response`, or the database's own if it does not accept the caller.
async fn verified(exchange: &Exchange, response: Response) -> Result<Response, Refusal> {
    exchange.gateway.engine.verify(&exchange.caller).await.map_err(|error| exchange.refusal(error))?;
    Ok(response)
}

fn target(exchange: &Exchange) -> Option<Target<'_>> {
    let older = exchange.gateway.older_database.as_deref().unwrap_or_default();
    Target::parse(exchange.parts.uri.path(), older)
}

fn commits_at_once(exchange: &Exchange) -> bool {
    target(exchange).is_some_and(|target| target.action == Action::Commit)
}

/// Carries out a request whose head can be used.
async fn carry_out(exchange: &Exchange, bytes: Bytes, hold: Hold) -> Response {
    let Exchange { caller, parts, .. } = exchange;
    let Some(target) = target(exchange) else { return Refusal::not_found(parts.uri.path()).into_response() };
    caller.record.set_route(target.template);
    let content_type = media::json_accepted(&parts.headers).unwrap_or(JSON.into());
    let base = BaseUrl::of(parts).url();
    let mut frame = Frame {
        exchange,
        database: &target.database,
        content_type: &content_type,
        status: StatusCode::OK,
        location: None,
        shape: Shape { database: format!("{base}{}", target.root), is_older: target.is_older, ..Shape::default() },
    };
    let transactions = format!("{base}{}", target.transactions);
    let opened = |id: &str| format!("{transactions}/{id}");
    let response = match target.action {
        Action::Run(id) if parts.method == Method::DELETE => roll_back(&frame, id, None).await,
        Action::Run(id) => {
            frame.shape.commit = Some(opened(id) + "/commit");
            run(frame, id, false, bytes).await
        }
        Action::CommitTransaction(id) => {
            frame.shape.commit = Some(opened(id) + "/commit");
            run(frame, id, true, bytes).await
        }
        Action::Begin => match options(exchange) {
            Ok(options) => begin(frame, &options, bytes, opened).await,
            Err(error) => refused(&frame, error).await,
        },
        Action::Commit => match options(exchange) {
            Ok(options) => commit(frame, options, bytes).await,
            Err(error) => refused(&frame, error).await,
        },
    };
    // The statements are needed until the answer has been sent.
    response.map(|body| hold.until_sent(body))
}

/// The options of a transaction that the request opens.
fn options(exchange: &Exchange) -> Result<Options, Error> {
    let Exchange { gateway, caller, parts, .. } = exchange;
    let headers: &HeaderMap = &parts.headers;
    let access_mode = headers::access_mode(headers)?;
    Ok(Options {
        access_mode: if caller.is_read_only() { AccessMode::Read } else { access_mode },
        bookmarks: headers::bookmarks(headers)?,
        impersonated_user: acting_as(gateway, caller, headers, None)?,
        max_execution_time: headers::max_execution_time(headers),
        handle: HandleStyle::Decimal,
        ..Options::default()
    })
}

/// Refuses a request without asking the database for anything but whether it accepts the caller.
async fn refused(frame: &Frame<'_>, error: Error) -> Response {
    let Exchange { gateway, caller, .. } = frame.exchange;
    match gateway.engine.verify(caller).await {
        Ok(()) => frame.refused(error),
        Err(error) => frame.refused(error),
    }
}

/// Reads the body. A large one takes long, so another thread does.
async fn parse(frame: &Frame<'_>, bytes: Bytes) -> Result<Statements, Error> {
    let limits = frame.exchange.gateway.limits.content;
    if bytes.len() <= OFFLOAD_ABOVE {
        return request::parse(&bytes, &limits);
    }
    Box::pin(offload(move || request::parse(&bytes, &limits))).await
}

fn batch(kind: StatementKind, statements: Vec<BatchStatement>, refused: Option<Error>) -> Batch {
    // The counters decide what the summaries of the statements say.
    Batch { kind, statements: statements.into(), refused, rows: true, counters: true, streams: true }
}

/// Opens a transaction and runs statements in it.
async fn begin(mut frame: Frame<'_>, options: &Options, bytes: Bytes, opened: impl Fn(&str) -> String) -> Response {
    let Exchange { gateway, caller, .. } = frame.exchange;
    frame.status = StatusCode::CREATED;
    let open_at = |frame: &mut Frame<'_>, id: &str| {
        frame.location = Some(opened(id));
        frame.shape.commit = Some(opened(id) + "/commit");
    };
    let Statements { statements, results, refused: wrong } = match parse(&frame, bytes).await {
        Ok(read) => read,
        Err(error) => Statements { refused: Some(error), ..Statements::default() },
    };
    frame.shape.results = results;
    // Failures have an address as well, of a transaction that does not exist.
    let response = match (statements.is_empty(), wrong) {
        (true, Some(error)) => {
            open_at(&mut frame, &unused_handle(gateway));
            refused(&frame, error).await
        }
        (true, None) => match gateway.engine.begin(caller, frame.database, options).await {
            Ok(transaction) => {
                open_at(&mut frame, &transaction.id);
                frame.empty(None, Some(&transaction))
            }
            Err(error) => not_begun(&mut frame, error, open_at),
        },
        (false, wrong) => {
            let batch = batch(StatementKind::Explicit, statements, wrong);
            match gateway.engine.begin_batch_in(caller, frame.database, &batch, options).await {
                Ok((mut execution, id)) => {
                    open_at(&mut frame, &id);
                    let mut answer = frame.batch();
                    let first = execution.advance(&mut answer).await;
                    frame.of_execution(execution, first, answer)
                }
                Err(error) => not_begun(&mut frame, error, open_at),
            }
        }
    };
    frame.exchange.opening(response)
}

/// Runs statements in the transaction `id`, and commits it if `commit` says so.
async fn run(mut frame: Frame<'_>, id: &str, commit: bool, bytes: Bytes) -> Response {
    let Exchange { gateway, caller, .. } = frame.exchange;
    let read = match parse(&frame, bytes).await {
        Ok(read) => read,
        Err(error) => return roll_back(&frame, id, Some(error)).await,
    };
    let handle = match handle(&frame, id) {
        Ok(handle) => handle,
        Err(error) => return frame.refused(error),
    };
    let Statements { statements, results, refused } = read;
    frame.shape.results = results;
    if statements.is_empty() {
        return match refused {
            Some(error) => roll_back(&frame, id, Some(error)).await,
            None if commit => match gateway.engine.commit(caller, &handle).await {
                Ok(committed) => frame.empty(Some(&committed), None),
                Err(error) => frame.refused(error),
            },
            None => match gateway.engine.keep_alive(caller, &handle).await {
                Ok(transaction) => frame.empty(None, Some(&transaction)),
                Err(error) => frame.refused(error),
            },
        };
    }
    let batch = batch(StatementKind::Explicit, statements, refused);
    match gateway.engine.batch_in(caller, &handle, &batch, commit).await {
        Ok(mut execution) => {
            let mut answer = frame.batch();
            let first = execution.advance(&mut answer).await;
            frame.of_execution(execution, first, answer)
        }
        Err(error) => frame.refused(error),
    }
}

/// The handle of a transaction that does not exist.
fn unused_handle(gateway: &Gateway) -> String {
    unused_decimal_handle(gateway.affinity.as_ref().map(Affinity::instance))
}

/// The answer to a request that failed to open a transaction.
fn not_begun(frame: &mut Frame<'_>, error: Error, open_at: impl Fn(&mut Frame<'_>, &str)) -> Response {
    open_at(frame, &unused_handle(&frame.exchange.gateway));
    frame.refused(error)
}

/// Rolls back the transaction `id`, because of `error` if there is one.
async fn roll_back(frame: &Frame<'_>, id: &str, error: Option<Error>) -> Response {
    let Exchange { gateway, caller, .. } = frame.exchange;
    let rolled_back = match handle(frame, id) {
        Ok(handle) => gateway.engine.roll_back(caller, &handle).await,
        Err(error) => Err(error),
    };
    match (rolled_back, error) {
        (Err(error), _) | (Ok(()), Some(error)) => frame.refused(error),
        (Ok(()), None) => frame.empty(None, None),
    }
}

fn handle<'a>(frame: &Frame<'a>, id: &'a str) -> Result<TransactionHandle<'a>, Error> {
    Ok(frame.exchange.handle(frame.database, id)?.decimal())
}

/// Runs statements in a transaction of their own.
async fn commit(mut frame: Frame<'_>, options: Options, bytes: Bytes) -> Response {
    let Exchange { gateway, caller, .. } = frame.exchange;
    let Statements { statements, results, refused: wrong } = match parse(&frame, bytes).await {
        Ok(read) => read,
        Err(error) => return refused(&frame, error).await,
    };
    frame.shape.results = results;
    if let (true, Some(error)) = (statements.is_empty(), &wrong) {
        return refused(&frame, error.clone()).await;
    }
    let batch = batch(StatementKind::Batch, statements, wrong);
    let single = match &*batch.statements {
        [single] if batch.refused.is_none() => Some(single),
        _ => None,
    };
    if let Some(single) = single.filter(|single| commits_in_batches(&single.text)) {
        return auto_commit(&frame, single, Options { implicit: true, ..options }).await;
    }
    let mut answer = frame.batch();
    let run = gateway.engine.batch(caller, frame.database, &batch, &options, gateway.retry, &mut answer).await;
    let outside = matches!(&run.outcome, Err(failure) if failure.error.needs_auto_commit());
    let Some(single) = single.filter(|_| outside) else {
        return with_attempts(frame.of_batch(run.outcome, answer, run.attempts), run.attempts);
    };
    drop((run, answer));
    auto_commit(&frame, single, options).await
}

/// Runs a statement that does not run in an explicit transaction.
async fn auto_commit(frame: &Frame<'_>, statement: &BatchStatement, options: Options) -> Response {
    let Exchange { gateway, caller, .. } = frame.exchange;
    let parameters = statement.parameter_sets.at(0).map_or_else(|| vec![0xA0], |(map, _)| map.to_vec());
    let statement = Statement { text: Arc::clone(&statement.text), parameters: parameters.into() };
    let mut answer = frame.answer();
    let run = gateway.engine.run(caller, frame.database, &statement, &options, gateway.retry, &mut answer).await;
    let response = match run.outcome {
        Ok(started) => frame.of_statement(started, answer),
        Err(error) => frame.refused(error),
    };
    with_attempts(response, run.attempts)
}
