//! `GET /console/config.json`: what the page has to know of this gateway before anybody has signed in.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;

use crate::{
    auth::Accepted,
    http::{
        caller::Caller,
        gateway::Gateway,
        media::JSON,
        refusal::{Refusal, respond},
    },
};

/// The document.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct About<'a> {
    /// The ways to sign in, the likeliest first.
    login: Vec<&'static str>,
    oidc: Option<Oidc<'a>>,
    /// Whether the caller may send statements of its own.
    cypher: bool,
    version: &'static str,
    /// The database that is selected first.
    database: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Oidc<'a> {
    issuer: &'a str,
    client_id: &'a str,
    scopes: &'a [String],
}

pub(super) async fn show(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Result<Response, Refusal> {
    let Accepted { anonymous, basic, bearer } = gateway.authenticator.challenge().accepted();
    let issuer = gateway.console.as_ref().and_then(|console| console.oidc.as_ref()).filter(|_| bearer);
    let ways = [(anonymous, "none"), (basic, "basic"), (bearer, "token"), (issuer.is_some(), "oidc")];
    let about = About {
        login: ways.into_iter().filter_map(|(accepted, way)| accepted.then_some(way)).collect(),
        oidc: issuer.map(|oidc| Oidc { issuer: &oidc.issuer, client_id: &oidc.client_id, scopes: &oidc.scopes }),
        cypher: may_send_cypher(&gateway, &headers).await,
        version: env!("CARGO_PKG_VERSION"),
        database: match gateway.engine.pool().dialect() {
            Some("memgraph") => "memgraph",
            _ => "neo4j",
        },
    };
    let about = serde_json::to_vec(&about).map_err(|_| Refusal::internal())?;
    Ok(([(header::CACHE_CONTROL, "no-store")], respond(StatusCode::OK, JSON, about.into())).into_response())
}

/// Whether the caller may, provided that the database accepts it. Without credentials, no rule about callers is met.
async fn may_send_cypher(gateway: &Gateway, headers: &HeaderMap) -> bool {
    if !headers.contains_key(header::AUTHORIZATION) {
        return gateway.cypher.allow_anybody();
    }
    let caller = Caller::of(gateway, headers, Arc::default(), None).await;
    caller.is_ok_and(|caller| gateway.cypher.allow(&caller.call))
}
