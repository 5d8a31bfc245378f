//! The operator's listener: is the process alive, and can it do its job?
//!
//! Owns the routes of the admin address. Promises to tell nothing that needs credentials. Meant for a private
//! network: it has no authentication of its own.

use axum::{Router, extract::State, http::StatusCode, routing::get};

use crate::query::Engine;

/// `/live`: the process answers. `/ready`: a Bolt server answers too.
pub fn router(engine: Engine) -> Router {
    Router::new().route("/live", get(async || "alive\n")).route("/ready", get(ready)).with_state(engine)
}

async fn ready(State(engine): State<Engine>) -> (StatusCode, String) {
    match engine.probe().await {
        Ok(()) => (StatusCode::OK, "ready\n".into()),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {}\n", error.message)),
    }
}
