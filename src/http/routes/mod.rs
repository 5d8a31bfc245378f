//! The table of routes, and a file for the handlers of each.
//!
//! Owns everything that clients are served except the statements: `http/service.rs` gives those to `http/query_api.rs`
//! directly, because each route and layer here allocates once more per request. Promises that every address answers
//! OPTIONS, and that every 405 has `Allow`. Requests have passed `http/guard` before they arrive here.

#[cfg(feature = "console")]
mod console;
mod description;
pub(super) mod discovery;
#[cfg(feature = "console")]
mod docs;
mod fallback;
mod load;
#[cfg(feature = "mcp")]
mod mcp;
mod named;
mod page;
mod running;
pub(super) mod websocket;

pub use description::openapi;
pub use named::openapi_with;

use std::sync::Arc;

use axum::{
    Router,
    http::HeaderMap,
    routing::{MethodRouter, any},
};

use super::{
    authenticated::Authenticated,
    gateway::Gateway,
    methods::Methods,
    path::{
        BATCH, BEGIN, BOLT, COMMIT, DISCOVERY, NAMED, NAMED_QUERY, OPENAPI, QUERY, RUNNING, RUNNING_STATEMENT,
        TRANSACTION,
    },
    refusal::Refusal,
    transactional,
};

/// The table of routes.
pub(super) fn router(gateway: Arc<Gateway>) -> Router {
    let router = Router::new()
        .route(DISCOVERY, open(Methods::Get).get(discovery::show))
        .route(OPENAPI, open(Methods::Get).get(description::show))
        // Statements bypass the table; these lines answer OPTIONS and wrong methods.
        .route(QUERY, authenticated(Methods::Post))
        .route(BEGIN, authenticated(Methods::Post))
        .route(TRANSACTION, authenticated(Methods::PostAndDelete))
        .route(COMMIT, authenticated(Methods::Post))
        .route(BATCH, authenticated(Methods::Post).post(load::load))
        .route(RUNNING, authenticated(Methods::Get).get(running::list))
        .route(RUNNING_STATEMENT, authenticated(Methods::Delete).delete(running::cancel))
        .route(NAMED, authenticated(Methods::Get).get(named::list))
        .route(NAMED_QUERY, named())
        .fallback(fallback::unknown_path);
    #[cfg(feature = "mcp")]
    let router = mcp::add(router, &gateway, open);
    let router =
        if gateway.websocket.is_some() { router.route(BOLT, open(Methods::Get).get(websocket::only)) } else { router };
    #[cfg(feature = "console")]
    let router = match &gateway.console {
        Some(settings) => console::add(router, settings),
        None => router,
    };
    transactional::add(router, &gateway, authenticated).with_state(gateway)
}

/// An address for any caller, which answers OPTIONS and refuses other methods. The handlers of `methods` are added to it.
fn open(methods: Methods) -> MethodRouter<Arc<Gateway>> {
    any(async move || Refusal::method_not_allowed(methods)).options(async move || fallback::allow(methods))
}

/// An address under `/db`, where only callers whom the database accepts learn that a method is wrong.
fn authenticated(methods: Methods) -> MethodRouter<Arc<Gateway>> {
    let refuse = async move |request: Authenticated| request.refuse(Refusal::method_not_allowed(methods)).await;
    any(refuse).options(async move |headers: HeaderMap| fallback::allow_under_db(methods, &headers))
}

/// The address of a named query. Its handler judges methods, so that a wrong one does not tell which queries there are.
fn named() -> MethodRouter<Arc<Gateway>> {
    let allow = async move |headers: HeaderMap| fallback::allow_under_db(Methods::GetAndPost, &headers);
    any(named::call).options(allow)
}
