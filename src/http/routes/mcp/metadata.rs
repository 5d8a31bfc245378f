//! The metadata of `/mcp` as a protected resource (RFC 9728), by which agents learn who issues tokens. Needs no credentials.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;

use crate::http::{
    base_url::BaseUrl,
    gateway::Gateway,
    media::JSON,
    path::{MCP, MCP_METADATA},
    refusal::respond,
};

#[derive(Serialize)]
struct Metadata<'a> {
    resource: String,
    authorization_servers: &'a [String],
    bearer_methods_supported: [&'static str; 1],
}

/// Where the metadata is.
pub(super) fn url(base: &BaseUrl) -> String {
    format!("{}{MCP_METADATA}", base.url())
}

/// Answers with the metadata.
pub(super) async fn show(State(gateway): State<Arc<Gateway>>, base: BaseUrl) -> Response {
    let metadata = Metadata {
        resource: format!("{}{MCP}", base.url()),
        authorization_servers: gateway.authenticator.issuers(),
        bearer_methods_supported: ["header"],
    };
    // Texts cannot fail to be written.
    let metadata = serde_json::to_vec(&metadata).unwrap_or_default();
    // The document depends on the request's own headers.
    let headers = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (headers, respond(StatusCode::OK, JSON, metadata.into())).into_response()
}
