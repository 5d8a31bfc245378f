//! The Query API's handler: from a request to its response.
//!
//! Only the database can say whether credentials are valid, and asking it may cost a connection. So everything else
//! about a request is checked first. If something is wrong, the database is asked before the client is told: an
//! unverified caller learns that it has to log in, and nothing else.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes, HttpBody as _},
    extract::Request,
    http::{Method, header, request::Parts},
    response::{IntoResponse, Response},
};

use super::{
    access_log::note_code,
    admission::{Ticket, until_sent},
    base_url::CameBy,
    body_memory::Hold,
    caller::Caller,
    exchange::Exchange,
    gateway::Gateway,
    keyed,
    media::Format,
    refusal::Refusal,
    request,
    status::Statuses,
    verbs::carry_out,
    verdict::report_refusal,
};
use crate::{idempotency::Key, telemetry::record::Record};

/// Answers a request under `/db`, which is in flight until its answer has been sent.
// Not inlined, so that the future is built where the caller has room for it; otherwise all of it would be copied there.
#[inline(never)]
pub(super) async fn answer(
    gateway: Arc<Gateway>,
    request: Request,
    came_by: CameBy,
    record: Arc<Record>,
    ticket: Ticket,
) -> Response {
    let (parts, body) = request.into_parts();
    if let Some(refusal) = elsewhere(&gateway, &parts) {
        return refusal;
    }
    let Caller { call: caller, statuses } = match Caller::of(&gateway, &parts.headers, record, Some(&ticket)).await {
        Ok(caller) => caller,
        Err(refusal) => return refusal.into_response(),
    };
    let response = serve(Exchange { gateway, caller, parts, statuses, came_by, limit: None }, body).await;
    until_sent(response.unwrap_or_else(|refusal| refusal.with(statuses).into_response()), ticket)
}

/// The answer to a request for a transaction that another gateway has.
fn elsewhere(gateway: &Gateway, parts: &Parts) -> Option<Response> {
    let affinity = gateway.affinity.as_ref()?;
    let statuses = Statuses::wanted(&parts.headers, gateway.statuses).unwrap_or(gateway.statuses);
    affinity.elsewhere(parts.uri.path(), statuses)
}

async fn serve(exchange: Exchange, body: Body) -> Result<Response, Refusal> {
    if exchange.parts.headers.contains_key(header::EXPECT) {
        // On the heap, since it is rare.
        Box::pin(expected(&exchange, body.size_hint().lower())).await?;
    }
    // The body is read before anything else happens: only then is it noticed when the client leaves.
    let mut hold = Hold::new(&exchange.gateway.body_memory);
    // A coding that is not supported is refused later, together with everything else in the head.
    let coding = request::coding(&exchange.parts.headers).ok().flatten();
    let bytes = request::read(body, coding, &exchange.gateway.limits, &mut hold, &exchange).await?;
    if !exchange.may_send_cypher() {
        // On the heap, since it is rare.
        return Err(Box::pin(exchange.login_first(Refusal::of_own_cypher())).await);
    }
    if exchange.parts.method != Method::POST {
        // Requests with other methods can be repeated as they are.
        return answered(&exchange, bytes, hold).await;
    }
    match keyed::key(&exchange.parts.headers) {
        Ok(None) => answered(&exchange, bytes, hold).await,
        Ok(Some(key)) => Box::pin(answered_once(exchange, bytes, key, hold)).await,
        Err(error) => Err(exchange.login_first(Refusal::of(error, Format::plain())).await),
    }
}

/// Checks whether the body is worth sending: its client waits for `100 Continue`, which is sent when the body is read.
async fn expected(exchange: &Exchange, length: u64) -> Result<(), Refusal> {
    let Exchange { gateway, parts, .. } = exchange;
    request::fits(length, &gateway.limits)?;
    if !exchange.may_send_cypher() {
        return Err(exchange.login_first(Refusal::of_own_cypher()).await);
    }
    let checked = if parts.method == Method::POST { keyed::key(&parts.headers).map(drop) } else { Ok(()) };
    let checked = checked.map_err(|error| Refusal::of(error, Format::plain()));
    match checked.and_then(|()| request::check_head(parts, length)) {
        Ok(()) => Ok(()),
        Err(refusal) => Err(exchange.login_first(refusal).await),
    }
}

/// Answers a request that must not take effect twice.
async fn answered_once(mut exchange: Exchange, bytes: Bytes, key: Key, hold: Hold) -> Result<Response, Refusal> {
    let gateway = Arc::clone(&exchange.gateway);
    // A stored answer is only for a caller that the database still accepts.
    let known = gateway.engine.verify(&exchange.caller).await;
    known.map_err(|error| Refusal::of(error, Format::plain()))?;
    let fingerprint = keyed::fingerprint(&exchange.parts, &bytes).await;
    let (owner, statuses) = (exchange.caller.owner(), exchange.statuses);
    exchange.limit = Some(gateway.idempotency.max_answer());
    let work = move || async move {
        let response = answered(&exchange, bytes, hold).await;
        let response = response.unwrap_or_else(|refusal| refusal.with(statuses).into_response());
        // What is stored of the answer has neither the code nor the limit.
        note_code(&exchange.caller.record, &response);
        report_refusal(&response, &**exchange.gateway.engine.observer());
        response
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
    understood.format.set_formulas(exchange.gateway.csv_formulas);
    let done = carry_out(exchange, &mut understood, hold).await;
    done.map_err(|error| Refusal::of(error, understood.format))
}
