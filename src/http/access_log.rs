//! One log line a request, and an id that ties it to the answer.
//!
//! Successes are lines at `debug`: nobody looks for them, and writing one adds a sixth to a small request.

use std::{future::Future, time::Instant};

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue},
    response::Response,
};
use tracing::{Instrument, Level};

use crate::telemetry::request_id::RequestId;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The answer to a request, which is logged once its head is there: without its query string, which is none of ours.
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
