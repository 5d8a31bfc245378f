//! `GET /`: what a client has to know before it can ask anything. Needs no credentials.

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::http::{
    guard::Authority,
    media::{Format, JSON, Unfit},
    refusal::{Refusal, respond},
};

/// What the gateway says of itself.
#[derive(Debug, Clone)]
pub(in crate::http) struct Discovery {
    /// Clients choose their protocol by it.
    pub(in crate::http) version: String,
    pub(in crate::http) edition: &'static str,
    /// Where the database listens for Bolt, for clients that can go there.
    pub(in crate::http) bolt_port: u16,
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
    /// The answer to a client; to one behind a proxy that is believed if `proxied`.
    pub(in crate::http) fn answer(&self, request: &Request, proxied: bool) -> Response {
        match accepts(request.headers()) {
            Ok(()) => {
                // Strings in a fixed shape cannot fail to be written.
                let document = serde_json::to_vec(&self.document(request, proxied)).unwrap_or_default();
                let mut response = respond(StatusCode::OK, JSON, Body::from(document));
                response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
                // It holds what the request says of itself, which is nothing for others.
                response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
                response
            }
            Err(Unfit::Malformed(detail)) => Refusal::bad_header(detail).into_response(),
            Err(Unfit::Unsupported) => Refusal::not_acceptable(JSON).into_response(),
        }
    }

    fn document(&self, request: &Request, proxied: bool) -> Document {
        let Place { scheme, host, port } = Place::of(request, proxied);
        let port = port.map_or(String::new(), |port| format!(":{port}"));
        let base = format!("{scheme}://{host}{port}");
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
        format if format.is_plain() => Ok(()),
        _ => Err(Unfit::Unsupported),
    }
}

/// Where the client finds the gateway, behind a proxy too.
struct Place<'a> {
    scheme: &'static str,
    host: &'a str,
    port: Option<u16>,
}

impl<'a> Place<'a> {
    fn of(request: &'a Request, proxied: bool) -> Self {
        // Whoever may leave it out does not know the gateway by a name.
        let own = Authority::of(request);
        let (host, port) = own.map_or(("localhost", None), |own| (own.text(), own.port));
        let said = |name| if proxied { first(request.headers(), name) } else { None };
        let https = said("x-forwarded-proto").is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"https"));
        let scheme = if https { "https" } else { "http" };
        match said("x-forwarded-host").and_then(Authority::parse) {
            // A proxy that names no port is taken to have left it as it was.
            Some(forwarded) => Self { scheme, host: forwarded.text(), port: forwarded.port.or(port) },
            None => Self { scheme, host, port },
        }
    }
}

/// The first of a list of values.
fn first<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a [u8]> {
    headers.get(name)?.as_bytes().split(|&byte| byte == b',').next().map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(pairs: &[(&str, &str)], proxied: bool) -> Document {
        let request = pairs.iter().fold(Request::builder(), |request, (name, value)| request.header(*name, *value));
        let request = request.body(Body::empty()).unwrap();
        Discovery { version: "2026.09.0".into(), edition: "community", bolt_port: 7687 }.document(&request, proxied)
    }

    #[test]
    fn addresses_are_those_that_the_client_used() {
        for (headers, query, bolt) in [
            (&[("host", "h:7474")][..], "http://h:7474/db/{databaseName}/query/v2", "bolt://h:7687"),
            (&[("host", "h")], "http://h/db/{databaseName}/query/v2", "bolt://h:7687"),
            (&[("host", "[::1]:7474")], "http://[::1]:7474/db/{databaseName}/query/v2", "bolt://[::1]:7687"),
            (
                &[("host", "h:7474"), ("x-forwarded-host", "ex.com, b"), ("x-forwarded-proto", "https, http")],
                "https://ex.com:7474/db/{databaseName}/query/v2",
                "bolt://ex.com:7687",
            ),
            (
                &[("host", "h:7474"), ("x-forwarded-host", "ex.com:443")],
                "http://ex.com:443/db/{databaseName}/query/v2",
                "bolt://ex.com:7687",
            ),
            (
                &[("host", "h:7474"), ("x-forwarded-host", "[2001:db8::1]:443")],
                "http://[2001:db8::1]:443/db/{databaseName}/query/v2",
                "bolt://[2001:db8::1]:7687",
            ),
            (
                &[("host", "h:7474"), ("x-forwarded-host", "evil\"><"), ("x-forwarded-proto", "javascript")],
                "http://h:7474/db/{databaseName}/query/v2",
                "bolt://h:7687",
            ),
        ] {
            let document = document(headers, true);
            assert_eq!((document.query.as_str(), document.bolt_direct.as_str()), (query, bolt));
        }
    }

    #[test]
    fn whoever_is_no_proxy_is_not_believed_about_one() {
        let headers = [("host", "h:7474"), ("x-forwarded-host", "ex.com"), ("x-forwarded-proto", "https")];
        assert_eq!(document(&headers, false).query, "http://h:7474/db/{databaseName}/query/v2");
    }
}
