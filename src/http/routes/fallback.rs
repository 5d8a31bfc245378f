//! Answers where no handler is: to OPTIONS, and for unknown paths.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{FromRequest as _, Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use crate::http::{
    authenticated::Authenticated,
    gateway::Gateway,
    media::{self, Format, Offer},
    methods::Methods,
    path::DB,
    refusal::{Refusal, respond},
    routes::page,
};

/// Answers OPTIONS outside of `/db`.
pub(super) fn allow(methods: Methods) -> Response {
    (StatusCode::OK, [(header::ALLOW, methods.names())]).into_response()
}

/// Answers OPTIONS under `/db`, without looking at credentials. As on Neo4j, a client that accepts only certain types gets
/// an empty body of such a type.
pub(super) fn allow_under_db(methods: Methods, headers: &HeaderMap) -> Result<Response, Refusal> {
    let names = methods.names();
    let wanted = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).filter(|accept| *accept != "*/*");
    let body = match wanted.map(|_| Format::accepted(headers, Offer::Events)) {
        None => respond(StatusCode::OK, "text/plain", names.replace(',', ", ").into()),
        Some(Ok(format)) => respond(StatusCode::OK, &format.content_type, Body::empty()),
        Some(Err(_)) => return Err(Refusal::not_acceptable(&Offer::Events.names())),
    };
    Ok(([(header::ALLOW, names)], body).into_response())
}

/// Refuses a request for an unknown path. Under `/db`, only callers whom the database accepts learn that it is unknown;
/// elsewhere, a browser that asks for a page gets one that says so.
pub(super) async fn unknown_path(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let path = request.uri().path();
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    if !path.starts_with(DB) && is_read && media::prefers_page(request.headers()) {
        return page::unknown(path);
    }
    let refusal = Refusal::not_found(path);
    if !path.starts_with(DB) || request.method() == Method::OPTIONS {
        return refusal.into_response();
    }
    match Authenticated::from_request(request, &gateway).await {
        Ok(request) => request.refuse(refusal).await.into_response(),
        Err(refusal) => refusal.into_response(),
    }
}
