//! The operator's listener: is the process alive, and can it do its job?
//!
//! Owns the routes of the admin address. Promises to tell nothing that needs credentials, and to answer within a second
//! whatever the database does. Meant for a private network: it has no authentication of its own.

mod readiness;

use axum::{Router, extract::State, http::StatusCode, routing::get};

use crate::query::Engine;
use readiness::Readiness;

/// `/live`: the process answers. `/ready`: a Bolt server answers too.
pub fn router(engine: Engine) -> Router {
    let state = (engine, Readiness::default());
    Router::new().route("/live", get(async || "alive\n")).route("/ready", get(ready)).with_state(state)
}

async fn ready(State((engine, readiness)): State<(Engine, Readiness)>) -> (StatusCode, String) {
    let probe = || async move { engine.probe().await.map_err(|error| error.message) };
    match readiness.check(probe).await {
        Ok(()) => (StatusCode::OK, "ready\n".into()),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n")),
    }
}
