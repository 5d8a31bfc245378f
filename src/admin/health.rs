//! `GET /live` and `GET /ready`: what an orchestrator asks.

use axum::{extract::State, http::StatusCode};

use super::Admin;

/// Answers as long as the process does. Nothing else is looked at.
pub(super) async fn live() -> &'static str {
    "alive\n"
}

/// Answers whether the database can be reached.
pub(super) async fn ready(State(Admin { engine, readiness, .. }): State<Admin>) -> (StatusCode, String) {
    let probe = || async move { engine.probe().await.map_err(|error| error.message) };
    match readiness.check(probe).await {
        Ok(()) => (StatusCode::OK, "ready\n".into()),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n")),
    }
}
