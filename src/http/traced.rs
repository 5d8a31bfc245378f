//! The span of a request: what its head and its end say about it.

use std::net::IpAddr;

use axum::http::{HeaderMap, Request, Version, header};

use super::{base_url::CameBy, ending::Ended, guard::Authority, path::OTHER};
use crate::telemetry::{
    record::Record,
    spans::{Head, RequestOutcome, Tracer},
};

/// Begins the span of a request that has just arrived, if it is sampled.
pub(super) fn begin<B>(
    tracer: &Tracer,
    record: Record,
    request: &Request<B>,
    client: Option<IpAddr>,
    came_by: CameBy,
) -> Record {
    let span = tracer.begin(record.trace(), record.started(), || head(request, client, came_by));
    record.with_span(span)
}

/// Ends the span of a request. `is_answered`: the head of an answer was sent.
pub(super) fn end(record: &Record, ended: &Ended, is_answered: bool) {
    let Some(span) = record.span() else { return };
    span.end(&RequestOutcome {
        request_id: record.request_id().as_str(),
        caller: record.caller(),
        route: Some(ended.route).filter(|route| *route != OTHER),
        status: is_answered.then_some(ended.status),
        is_gone: ended.is_gone,
    });
}

fn head<B>(request: &Request<B>, client: Option<IpAddr>, came_by: CameBy) -> Head {
    let (uri, headers) = (request.uri(), request.headers());
    let is_https = came_by.is_https(headers);
    let own = match uri.authority() {
        Some(authority) => Authority::parse(authority.as_str().as_bytes()),
        None => headers.get(header::HOST).and_then(|host| Authority::parse(host.as_bytes())),
    };
    let authority = came_by.forwarded_host(headers).or(own);
    let default_port = if is_https { 443 } else { 80 };
    Head {
        method: request.method().to_string(),
        path: uri.path().to_owned(),
        scheme: if is_https { "https" } else { "http" },
        host: authority.as_ref().map(|authority| authority.text().to_owned()),
        port: authority.map(|authority| authority.port.unwrap_or(default_port)),
        client,
        version: version(request.version()),
        user_agent: user_agent(headers),
    }
}

fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        _ => "1.1",
    }
}

fn user_agent(headers: &HeaderMap) -> Option<String> {
    headers.get(header::USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()).into_owned())
}
