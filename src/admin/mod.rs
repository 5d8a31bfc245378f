//! The operator's listener: is the process alive, and can it do its work?
//!
//! Owns the routes of the admin address, a file for each subject. Promises to reveal nothing that needs credentials, and to
//! answer within a second whatever the database does. It has no authentication of its own and is meant for a private
//! network.

mod health;
mod metrics;
mod readiness;

use std::sync::Arc;

use axum::{Router, routing::get};

use crate::{query::Engine, telemetry::metrics::Scrape};
use readiness::Readiness;

/// The state of the handlers.
#[derive(Clone)]
struct Admin {
    engine: Engine,
    readiness: Readiness,
    scrape: Arc<Scrape>,
}

/// The table of routes.
pub fn router(engine: Engine, scrape: Arc<Scrape>) -> Router {
    Router::new()
        .route("/live", get(health::live))
        .route("/ready", get(health::ready))
        .route("/metrics", get(metrics::metrics))
        .with_state(Admin { engine, readiness: Readiness::default(), scrape })
}
