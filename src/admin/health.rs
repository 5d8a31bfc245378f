//! `GET /live` and `GET /ready`: what an orchestrator asks.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;

use super::{Admin, answer::respond};

/// The answer to who accepts JSON.
#[derive(Serialize)]
struct Readiness {
    ready: bool,
    reasons: Vec<&'static str>,
    message: String,
}

/// Answers as long as the process responds. Nothing else is checked.
pub(super) async fn live() -> &'static str {
    "alive\n"
}

/// Answers whether the gateway takes requests and the database can be reached.
pub(super) async fn ready(State(Admin { parts, readiness }): State<Admin>, headers: HeaderMap) -> Response {
    let engine = parts.engine.clone();
    let database = readiness.check(|| async move { engine.probe().await.map_err(|error| error.message) }).await;
    let stopping = parts.engine.drain().has_begun().then(|| ("draining", "the gateway is stopping".to_owned()));
    let database = database.err().map(|message| ("database", message));
    let (reasons, messages): (Vec<_>, Vec<_>) = stopping.into_iter().chain(database).unzip();
    let ready = reasons.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let message = messages.join("; ");
    if accepts_json(&headers) {
        let message = if ready { "ready".to_owned() } else { message };
        return respond(status, &Readiness { ready, reasons, message });
    }
    let text = if ready { "ready\n".to_owned() } else { format!("not ready: {message}\n") };
    (status, text).into_response()
}

/// Whether a request asks for JSON by name.
fn accepts_json(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut types = accepted.flat_map(|value| value.split(',')).filter_map(|range| range.split(';').next());
    types.any(|range| range.trim().eq_ignore_ascii_case("application/json"))
}
