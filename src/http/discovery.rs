//! `GET /`: what a client has to know before it can ask anything. Needs no credentials.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::{
    media::{Format, JSON, Layout, Unfit},
    refusal::{Refusal, respond},
};
use crate::json::View;

/// What the gateway says of itself.
#[derive(Debug, Clone)]
pub(super) struct Discovery {
    /// Clients choose their protocol by it.
    pub(super) version: String,
    pub(super) edition: &'static str,
    /// Where the database listens for Bolt, for clients that can go there.
    pub(super) bolt_port: u16,
}

/// The document; clients rely on its keys, and some on their order.
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

impl Discovery {
    pub(super) fn answer(&self, headers: &HeaderMap) -> Response {
        match accepts(headers) {
            Ok(()) => {
                // Strings in a fixed shape cannot fail to be written.
                let document = serde_json::to_vec(&self.document(headers)).unwrap_or_default();
                let mut response = respond(StatusCode::OK, JSON, Body::from(document));
                response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
                response
            }
            Err(Unfit::Malformed(detail)) => Refusal::bad_header(detail).into_response(),
            Err(Unfit::Unsupported) => Refusal::plain(StatusCode::NOT_ACCEPTABLE, "Not Acceptable").into_response(),
        }
    }

    fn document(&self, headers: &HeaderMap) -> Document {
        let authority = authority(headers);
        let scheme = scheme(headers);
        let host = host(&authority);
        let base = format!("{scheme}://{authority}");
        Document {
            query_api: format!("{base}/db/{{databaseName}}/query/v{{queryApiMajorVersion}}"),
            bolt_routing: format!("neo4j://{host}:{}", self.bolt_port),
            query: format!("{base}/db/{{databaseName}}/query/v2"),
            transaction: format!("{base}/db/{{databaseName}}/tx"),
            bolt_direct: format!("bolt://{host}:{}", self.bolt_port),
            neo4j_version: self.version.clone(),
            neo4j_edition: self.edition,
            query_api_versions: ["2.0"],
        }
    }
}

/// Plain JSON only.
fn accepts(headers: &HeaderMap) -> Result<(), Unfit> {
    match Format::accepted(headers)? {
        Format { layout: Layout::Document, view: View::Plain, .. } => Ok(()),
        _ => Err(Unfit::Unsupported),
    }
}

/// The host that the client knows the gateway by, behind proxies too.
fn authority(headers: &HeaderMap) -> String {
    let own = text(headers, header::HOST.as_str()).unwrap_or_else(|| "localhost".into());
    match text(headers, "x-forwarded-host") {
        Some(forwarded) if forwarded.rsplit_once(':').is_none() => match own.rsplit_once(':') {
            // A proxy that names no port is taken to have left it as it was.
            Some((_, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                format!("{forwarded}:{port}")
            }
            _ => forwarded,
        },
        Some(forwarded) => forwarded,
        None => own,
    }
}

fn scheme(headers: &HeaderMap) -> &'static str {
    match text(headers, "x-forwarded-proto") {
        Some(scheme) if scheme.eq_ignore_ascii_case("https") => "https",
        _ => "http",
    }
}

/// The first of a list of values, if it can be part of an address.
fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?.split(',').next()?.trim();
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
    (!value.is_empty() && value.bytes().all(fit)).then(|| value.to_owned())
}

/// The authority without its port.
fn host(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(pairs: &[(&'static str, &'static str)]) -> Document {
        let headers: HeaderMap = pairs
            .iter()
            .map(|(name, value)| (header::HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        Discovery { version: "2026.09.0".into(), edition: "community", bolt_port: 7687 }.document(&headers)
    }

    #[test]
    fn addresses_are_those_that_the_client_used() {
        for (headers, query, bolt) in [
            (&[("host", "h:7474")][..], "http://h:7474/db/{databaseName}/query/v2", "bolt://h:7687"),
            (&[("host", "h")], "http://h/db/{databaseName}/query/v2", "bolt://h:7687"),
            (&[("host", "[::1]:7474")], "http://[::1]:7474/db/{databaseName}/query/v2", "bolt://[::1]:7687"),
            (
                &[("host", "h:7474"), ("x-forwarded-host", "ex.com, b"), ("x-forwarded-proto", "https")],
                "https://ex.com:7474/db/{databaseName}/query/v2",
                "bolt://ex.com:7687",
            ),
            (
                &[("host", "h:7474"), ("x-forwarded-host", "ex.com:443")],
                "http://ex.com:443/db/{databaseName}/query/v2",
                "bolt://ex.com:7687",
            ),
            (
                &[("host", "h:7474"), ("x-forwarded-host", "evil\"><")],
                "http://h:7474/db/{databaseName}/query/v2",
                "bolt://h:7687",
            ),
        ] {
            let document = document(headers);
            assert_eq!((document.query.as_str(), document.bolt_direct.as_str()), (query, bolt));
        }
    }
}
