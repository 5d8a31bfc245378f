//! The routes of the API in the table of routes.

use std::sync::Arc;

use axum::{Router, body::Body, extract::State, http::StatusCode, response::Response, routing::MethodRouter};
use serde::Serialize;

use super::{
    handle::answer,
    path::{
        BEGIN, COMMIT, COMMIT_TRANSACTION, OLDER_BEGIN, OLDER_COMMIT, OLDER_COMMIT_TRANSACTION, OLDER_ROOT,
        OLDER_TRANSACTION, TRANSACTION,
    },
};
use crate::http::{
    authenticated::Authenticated,
    base_url::BaseUrl,
    gateway::Gateway,
    media::JSON,
    methods::Methods,
    refusal::{Refusal, respond},
};

/// Adds the routes that are served to the table of routes. `bare` makes an address that refuses all methods.
pub(in crate::http) fn add(
    mut router: Router<Arc<Gateway>>,
    gateway: &Gateway,
    bare: impl Fn(Methods) -> MethodRouter<Arc<Gateway>>,
) -> Router<Arc<Gateway>> {
    let mut below = |[begin, commit, transaction, commit_transaction]: [&str; 4]| {
        let mut add = |path: &str, route| router = std::mem::take(&mut router).route(path, route);
        add(begin, bare(Methods::Post).post(answer));
        add(commit, bare(Methods::Post).post(answer));
        add(transaction, bare(Methods::PostAndDelete).post(answer).delete(answer));
        add(commit_transaction, bare(Methods::Post).post(answer));
    };
    if gateway.transactional {
        below([BEGIN, COMMIT, TRANSACTION, COMMIT_TRANSACTION]);
    }
    if gateway.transactional && gateway.older_database.is_some() {
        below([OLDER_BEGIN, OLDER_COMMIT, OLDER_TRANSACTION, OLDER_COMMIT_TRANSACTION]);
        router = router.route(OLDER_ROOT, bare(Methods::Get).get(service_root));
    }
    router
}

/// What clients of Neo4j 3.5 look for first: where transactions are, and the version. One of them proves its credentials
/// here, and reads the answer as that of a statement.
#[derive(Serialize)]
struct ServiceRoot<'a> {
    transaction: String,
    neo4j_version: &'a str,
    results: [NoRows; 1],
    errors: [(); 0],
}

#[derive(Serialize)]
struct NoRows {
    columns: [(); 0],
    data: [(); 0],
}

async fn service_root(
    State(gateway): State<Arc<Gateway>>,
    base: BaseUrl,
    request: Authenticated,
) -> Result<Response, Refusal> {
    let exchange = request.without_body().await?;
    gateway.engine.verify(&exchange.caller).await.map_err(|error| exchange.refusal(error))?;
    let root = ServiceRoot {
        transaction: format!("{}{OLDER_BEGIN}", base.url()),
        neo4j_version: &gateway.discovery.version,
        results: [NoRows { columns: [], data: [] }],
        errors: [],
    };
    // Strings in a fixed shape cannot fail to be written.
    let text = serde_json::to_vec(&root).unwrap_or_default();
    Ok(respond(StatusCode::OK, JSON, Body::from(text)))
}
