//! One log line per request, and an id that ties it to the answer.
//!
//! Successes are logged at `debug`: few operators look for them, and writing one costs a small request a sixth more
//! instructions.

use std::{future::Future, time::Instant};

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderName, HeaderValue},
    response::Response,
};
use tracing::{Instrument, Level};

use super::path::{Path, canonical};
use crate::telemetry::request_id::RequestId;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The name of a route that does not exist.
const OTHER: &str = "other";

/// Answers a request, and logs it once the head of the answer is ready. The query string is never logged.
pub(super) fn logged<F: Future<Output = Response>>(
    request: Request,
    answer: impl FnOnce(Request) -> F,
) -> impl Future<Output = Response> {
    let started = Instant::now();
    let id = RequestId::accept_or_new(request.headers().get(REQUEST_ID).map(HeaderValue::as_bytes));
    let span = tracing::info_span!("request", id = id.as_str());
    let method = request.method().clone();
    let uri = request.uri().clone();
    let answer = answer(request);
    async move {
        let mut response = answer.await;
        let status = response.status();
        macro_rules! answered {
            ($level:expr) => {
                tracing::event!(
                    $level,
                    %method,
                    path = uri.path(),
                    route = route(&response, uri.path()),
                    status = status.as_u16(),
                    duration_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
                    "answered"
                )
            };
        }
        if status.is_client_error() || status.is_server_error() {
            answered!(Level::INFO);
        } else {
            answered!(Level::DEBUG);
        }
        if let Ok(id) = HeaderValue::from_str(id.as_str()) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }
    .instrument(span)
}

/// The template of the route that answered a request to `path`.
fn route<'a>(answer: &'a Response, path: &str) -> &'a str {
    match answer.extensions().get::<MatchedPath>() {
        Some(matched) => matched.as_str(),
        // Statements do not go through the table of routes.
        None => Path::parse(&canonical(path)).map_or(OTHER, |path| path.template()),
    }
}
