//! `GET /`: the discovery document, by which clients find the Query API. Needs no credentials.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;

use crate::http::{
    base_url::BaseUrl,
    gateway::Gateway,
    media::{Format, JSON, Offer, Unfit},
    refusal::{Refusal, respond},
};

/// The configured parts of the document.
#[derive(Debug, Clone)]
pub(in crate::http) struct Discovery {
    /// The version of Neo4j, by which clients choose their protocol.
    pub(in crate::http) version: String,
    pub(in crate::http) edition: &'static str,
    /// The port on which the database listens for Bolt, for clients that can reach it directly.
    pub(in crate::http) bolt_port: u16,
}

/// The document. Clients rely on its keys, and some on their order.
#[derive(Serialize)]
struct Document {
    query_api: String,
    bolt_routing: String,
    query: String,
    /// The older API. Not served yet, but part of the document that clients know.
    transaction: String,
    bolt_direct: String,
    neo4j_version: String,
    neo4j_edition: &'static str,
    query_api_versions: [&'static str; 1],
}

/// Answers with the document, in plain JSON only.
pub(super) async fn show(
    State(gateway): State<Arc<Gateway>>,
    base: BaseUrl,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    match Format::accepted(&headers, Offer::Events) {
        Ok(format) if format.is_plain() => {}
        Ok(_) | Err(Unfit::Unsupported) => return Err(Refusal::not_acceptable(JSON)),
        Err(Unfit::Malformed(detail)) => return Err(Refusal::bad_header(detail)),
    }
    // Strings in a fixed shape cannot fail to be written.
    let document = serde_json::to_vec(&gateway.discovery.document(&base)).unwrap_or_default();
    let headers = [
        (header::VARY, HeaderValue::from_static("Accept")),
        // The document depends on the request's own headers.
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, respond(StatusCode::OK, JSON, document.into())).into_response())
}

impl Discovery {
    fn document(&self, base: &BaseUrl) -> Document {
        let (url, host, bolt_port) = (base.url(), &base.host, self.bolt_port);
        Document {
            query_api: format!("{url}/db/{{databaseName}}/query/v{{queryApiMajorVersion}}"),
            bolt_routing: format!("neo4j://{host}:{bolt_port}"),
            query: format!("{url}/db/{{databaseName}}/query/v2"),
            transaction: format!("{url}/db/{{databaseName}}/tx"),
            bolt_direct: format!("bolt://{host}:{bolt_port}"),
            neo4j_version: self.version.clone(),
            neo4j_edition: self.edition,
            query_api_versions: ["2.0"],
        }
    }
}
