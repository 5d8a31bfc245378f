//! `GET /openapi.json`: the description of the API. Needs no credentials.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use crate::http::{etag, media::JSON};

/// The API's description in OpenAPI 3.1.
#[must_use]
pub fn openapi() -> &'static str {
    include_str!("../openapi.json")
}

/// Answers with the description, unless the client has it already.
pub(super) async fn show(request: HeaderMap) -> Response {
    let tag = etag::tag(openapi().as_bytes());
    let is_known = etag::is_known(&request, &tag);
    let headers = [(header::ETAG, tag), (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
    if is_known {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, [(header::CONTENT_TYPE, JSON)], openapi()).into_response()
}
