//! `/log`: what is logged, and changing that until the next reload or start.

use std::time::Duration;

use axum::{
    Extension,
    body::{Body, to_bytes},
    extract::State,
    http::StatusCode,
    response::Response,
};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::{
    Admin, Peer,
    answer::{Refusal, respond},
};
use crate::{
    config::{AccessLog, Age, Log},
    telemetry::logs::parse_filter,
};

/// The longest body, in bytes.
const MAX_BODY: usize = 16 * 1024;
/// The longest wait for it.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Serialize)]
struct Shown<'a> {
    filter: &'a str,
    access: AccessLog,
    slow_query: Age,
}

/// The members that change.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access: Option<AccessLog>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slow_query: Option<Age>,
}

/// Says what is logged.
pub(super) async fn show(State(admin): State<Admin>) -> Response {
    answer(&admin.parts.log.settings())
}

/// Changes what is logged. A line in the log says who did that, before or after the change: where it is seen.
pub(super) async fn change(
    State(admin): State<Admin>,
    Extension(peer): Extension<Peer>,
    body: Body,
) -> Result<Response, Refusal> {
    let change = read(body).await?;
    if let Some(filter) = &change.filter {
        parse_filter(filter).map_err(|error| Refusal::invalid(StatusCode::BAD_REQUEST, error))?;
    }
    let changed = serde_json::to_string(&change).unwrap_or_default();
    let say = || tracing::info!(client = %peer, changed, "an operator changed the log");
    let is_seen = tracing::enabled!(tracing::Level::INFO);
    if is_seen {
        say();
    }
    let settings = admin.parts.log.change(|log| change.apply(log));
    let settings = settings.map_err(|error| Refusal::invalid(StatusCode::BAD_REQUEST, error))?;
    if !is_seen {
        say();
    }
    Ok(answer(&settings))
}

async fn read(body: Body) -> Result<Change, Refusal> {
    let invalid = |message: &dyn std::fmt::Display| Refusal::invalid(StatusCode::BAD_REQUEST, message);
    let body = match timeout(BODY_TIMEOUT, to_bytes(body, MAX_BODY)).await {
        Ok(Ok(body)) => body,
        Ok(Err(error)) => {
            let message = format!("The body cannot be read, or is longer than {MAX_BODY} bytes: {error}.");
            return Err(Refusal::invalid(StatusCode::PAYLOAD_TOO_LARGE, message));
        }
        Err(_) => {
            let message = format!("The body did not arrive within {BODY_TIMEOUT:?}.");
            return Err(Refusal::invalid(StatusCode::REQUEST_TIMEOUT, message));
        }
    };
    serde_json::from_slice(&body).map_err(|error| {
        invalid(&format_args!("The body must be an object with filter, access or slow_query: {error}."))
    })
}

fn answer(log: &Log) -> Response {
    let Log { filter, access, slow_query, .. } = log;
    respond(StatusCode::OK, &Shown { filter, access: *access, slow_query: *slow_query })
}

impl Change {
    fn apply(self, log: &mut Log) {
        let Self { filter, access, slow_query } = self;
        log.filter = filter.unwrap_or_else(|| std::mem::take(&mut log.filter));
        log.access = access.unwrap_or(log.access);
        log.slow_query = slow_query.unwrap_or(log.slow_query);
    }
}
