//! The routes, as a table, with a file for each.
//!
//! Owns everything that is served beside the statements, which `http/service.rs` hands to `http/query_api.rs` before the
//! table is asked: each route and each layer puts a request on the heap once more. Promises the methods of each address
//! to OPTIONS, and `Allow` with every 405. A request has passed `http/guard` when it comes here.

mod description;
pub(super) mod discovery;
mod load;
mod running;
mod unserved;

pub use description::openapi;

use std::sync::Arc;

use axum::{
    Router,
    extract::MatchedPath,
    http::HeaderMap,
    middleware::map_response,
    response::Response,
    routing::{MethodRouter, any},
};

use super::{
    authenticated::Authenticated,
    gateway::Gateway,
    methods::Methods,
    path::{BATCH, BEGIN, COMMIT, QUERY, TRANSACTION},
    refusal::Refusal,
};

/// The table of routes.
pub(super) fn router(gateway: Arc<Gateway>) -> Router {
    Router::new()
        .route("/", open(Methods::Get).get(discovery::show))
        .route("/openapi.json", open(Methods::Get).get(description::show))
        // POST and DELETE of statements do not come here.
        .route(QUERY, authenticated(Methods::Post))
        .route(BEGIN, authenticated(Methods::Post))
        .route(TRANSACTION, authenticated(Methods::PostAndDelete))
        .route(COMMIT, authenticated(Methods::Post))
        .route(BATCH, authenticated(Methods::Post).post(load::load))
        .route("/db/{db}/query/v2/running", authenticated(Methods::Get).get(running::list))
        .route("/db/{db}/query/v2/running/{id}", authenticated(Methods::Delete).delete(running::cancel))
        .route_layer(map_response(named))
        .fallback(unserved::unknown_path)
        .with_state(gateway)
}

/// An address for any caller: OPTIONS and the refusal of other methods. The handlers of `methods` are added to it.
fn open(methods: Methods) -> MethodRouter<Arc<Gateway>> {
    any(async move || Refusal::method_not_allowed(methods)).options(async move || unserved::allow(methods))
}

/// An address under `/db`, where anything but the methods is told only to callers whom the database accepts.
fn authenticated(methods: Methods) -> MethodRouter<Arc<Gateway>> {
    let wrong = async move |request: Authenticated| request.refuse(Refusal::method_not_allowed(methods)).await;
    any(wrong).options(async move |headers: HeaderMap| unserved::allow_in(methods, &headers))
}

/// Leaves the name of the route with the answer, for the log.
async fn named(route: MatchedPath, mut answer: Response) -> Response {
    answer.extensions_mut().insert(route);
    answer
}
