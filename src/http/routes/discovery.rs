//! `GET /`: the discovery document, by which clients find the Query API. Needs no credentials. Drivers that ask for a
//! WebSocket get one.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;

#[cfg(feature = "console")]
use crate::http::routes::console;
use crate::http::{
    base_url::BaseUrl,
    gateway::Gateway,
    media::{self, Format, JSON, Offer, Unfit},
    refusal::{Refusal, respond},
    routes::{page, websocket::Upgrade},
};

/// The configured parts of the document.
#[derive(Debug, Clone)]
pub(in crate::http) struct Discovery {
    /// The version of Neo4j, by which clients choose their protocol.
    pub(in crate::http) version: String,
    pub(in crate::http) edition: &'static str,
    /// The port on which the database listens for Bolt, for clients that can reach it directly; `None` for one in this
    /// process, which clients cannot reach.
    pub(in crate::http) bolt_port: Option<u16>,
}

/// The document. Clients rely on its keys, and some on their order.
#[derive(Serialize)]
struct Document {
    query_api: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    bolt_routing: Option<String>,
    query: String,
    /// The transactional API, if it is served.
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bolt_direct: Option<String>,
    neo4j_version: String,
    neo4j_edition: &'static str,
    query_api_versions: [&'static str; 1],
}

/// Answers with the document, in plain JSON only, or with a WebSocket. A client that prefers pages is sent to the
/// console, or gets a page if there is no console.
pub(super) async fn show(
    State(gateway): State<Arc<Gateway>>,
    base: BaseUrl,
    upgrade: Option<Upgrade>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    if let Some(upgrade) = upgrade {
        return upgrade.open(&gateway);
    }
    if media::prefers_page(&headers) {
        #[cfg(feature = "console")]
        if gateway.console.is_some() {
            return Ok(console::redirect());
        }
        return Ok(page::welcome(&gateway, &base));
    }
    match Format::accepted(&headers, Offer::Events) {
        Ok(format) if format.is_plain() => {}
        Ok(_) | Err(Unfit::Unsupported) => return Err(Refusal::not_acceptable(JSON)),
        Err(Unfit::Malformed(detail)) => return Err(Refusal::bad_header(detail)),
    }
    // Strings in a fixed shape cannot fail to be written.
    let document = gateway.discovery.document(&base, gateway.transactional);
    let document = serde_json::to_vec(&document).unwrap_or_default();
    let headers = [
        (header::VARY, HeaderValue::from_static("Accept")),
        // The document depends on the request's own headers.
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, respond(StatusCode::OK, JSON, document.into())).into_response())
}

impl Discovery {
    /// `transactional`: whether that API is served.
    fn document(&self, base: &BaseUrl, transactional: bool) -> Document {
        let (url, host) = (base.url(), &base.host);
        let bolt = |scheme: &str| self.bolt_port.map(|port| format!("{scheme}://{host}:{port}"));
        Document {
            query_api: format!("{url}/db/{{databaseName}}/query/v{{queryApiMajorVersion}}"),
            bolt_routing: bolt("neo4j"),
            query: format!("{url}/db/{{databaseName}}/query/v2"),
            transaction: transactional.then(|| format!("{url}/db/{{databaseName}}/tx")),
            bolt_direct: bolt("bolt"),
            neo4j_version: self.version.clone(),
            neo4j_edition: self.edition,
            query_api_versions: ["2.0"],
        }
    }
}
