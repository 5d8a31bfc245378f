//! `GET /metrics`: what Prometheus reads.

use axum::{
    extract::State,
    http::{HeaderName, header},
};

use super::Admin;
use crate::telemetry::metrics::CONTENT_TYPE;

/// Answers with all metrics, as they are now.
pub(super) async fn metrics(State(admin): State<Admin>) -> ([(HeaderName, &'static str); 1], String) {
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], admin.parts.scrape.render())
}
