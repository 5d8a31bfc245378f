//! The route table, and the layers that every request passes.

use std::{any::Any, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, Method, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{MethodRouter, any},
};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;

use super::{
    BodyLimits, Gateway, IdempotencySettings, Statuses, access_log,
    discovery::Discovery,
    idempotency,
    media::Format,
    path::Path,
    query_api,
    refusal::{Refusal, respond},
    request::RequestLimits,
};
use crate::{
    auth::Authenticator,
    query::{Engine, Retry},
};

/// What the operator decides about HTTP.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Longest request body, in bytes.
    pub body: usize,
    /// A request body has to arrive within this; a streamed one has to go on.
    pub body_timeout: Duration,
    /// Longest line of a streamed body, in bytes.
    pub line: usize,
    /// Of what stands in a body.
    pub content: BodyLimits,
    /// The header that holds the ID token beside an access token.
    pub id_token_header: HeaderName,
    /// Which statuses errors get, unless the request says.
    pub statuses: Statuses,
    /// How often to try, unless the request says.
    pub retry: Retry,
    /// Of answers that are kept.
    pub idempotency: IdempotencySettings,
    /// The version that clients are told.
    pub neo4j_version: String,
    /// The edition that clients are told.
    pub neo4j_edition: &'static str,
    /// Where the database listens for Bolt.
    pub bolt_port: u16,
}

/// The API's description in OpenAPI 3.1.
#[must_use]
pub fn openapi() -> &'static str {
    include_str!("openapi.json")
}

/// All that the gateway serves to clients.
pub fn router(engine: Engine, authenticator: Authenticator, settings: Settings) -> Router {
    let gateway = Gateway {
        engine,
        authenticator,
        id_token_header: settings.id_token_header,
        statuses: settings.statuses,
        retry: settings.retry,
        idempotency: idempotency::Store::new(settings.idempotency),
        limits: RequestLimits {
            body: settings.body,
            body_timeout: settings.body_timeout,
            line: settings.line,
            content: settings.content,
        },
        discovery: Discovery {
            version: settings.neo4j_version,
            edition: settings.neo4j_edition,
            bolt_port: settings.bolt_port,
        },
    };
    Router::new()
        .route("/", reading(any(root)))
        .route("/openapi.json", reading(any(description)))
        // Everything else is looked at by hand, once: the Query API's paths are looser than a route can say.
        .fallback(database)
        .with_state(Arc::new(gateway))
        .layer(
            ServiceBuilder::new().layer(middleware::from_fn(access_log::log)).layer(CatchPanicLayer::custom(panicked)),
        )
}

/// GET and HEAD; anything else is told so.
fn reading(route: MethodRouter<Arc<Gateway>>) -> MethodRouter<Arc<Gateway>> {
    route.layer(middleware::from_fn(async |request: Request, next: middleware::Next| match *request.method() {
        Method::GET | Method::HEAD => next.run(request).await,
        Method::OPTIONS => (StatusCode::OK, [(header::ALLOW, "HEAD,GET,OPTIONS")]).into_response(),
        _ => ([(header::ALLOW, "GET,OPTIONS")], Refusal::method_not_allowed()).into_response(),
    }))
}

/// The verbs of a route, for whoever asks; no credentials are needed. A client that wants a certain type gets it,
/// empty, since there is nothing else to say.
fn options(methods: &'static str, headers: &HeaderMap) -> Response {
    let wanted = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).filter(|accept| *accept != "*/*");
    let allow = [(header::ALLOW, methods)];
    match wanted.map(|_| Format::accepted(headers)) {
        None => (allow, respond(StatusCode::OK, "text/plain", methods.replace(',', ", ").into())).into_response(),
        Some(Ok(format)) => (allow, respond(StatusCode::OK, &format.content_type, Body::empty())).into_response(),
        Some(Err(_)) => Refusal::plain(StatusCode::NOT_ACCEPTABLE, "Not Acceptable").into_response(),
    }
}

async fn root(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Response {
    gateway.discovery.answer(&headers)
}

async fn description() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], openapi()).into_response()
}

async fn database(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    if !request.uri().path().starts_with("/db/") {
        return Refusal::not_found().into_response();
    }
    if request.method() == Method::OPTIONS {
        return match Path::parse(request.uri().path()) {
            Some(path) => options(path.methods(), request.headers()),
            None => Refusal::not_found().into_response(),
        };
    }
    // On the heap once, rather than moved from layer to layer.
    Box::pin(query_api::answer(gateway, request)).await
}

/// A bug of ours; the caller learns that much, the log the rest.
fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    Refusal::internal().into_response()
}
