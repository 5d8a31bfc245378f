//! `GET /openapi.json`: the description of the API. Needs no credentials.

use axum::{http::header, response::IntoResponse};

use crate::http::media::JSON;

/// The API's description in OpenAPI 3.1.
#[must_use]
pub fn openapi() -> &'static str {
    include_str!("../openapi.json")
}

/// Answers with the description.
pub(super) async fn show() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, JSON)], openapi())
}
