//! What caches may do with an answer: `ETag`, `Cache-Control`, `Vary`, and the answer to `If-None-Match`.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::Response,
};

use crate::{
    http::{etag, vary},
    named::{Query, Scope},
};

/// The headers of the request that an answer depends on.
const VARY: [&str; 3] = ["Accept", "Accept-Encoding", "Authorization"];

/// Completes the answer of a query that only reads: says how long it may be kept, and leaves the body out if the client has
/// it already.
pub(super) fn answer(
    query: &Query,
    method: &Method,
    request: &HeaderMap,
    tag: Option<HeaderValue>,
    mut response: Response,
) -> Response {
    if let Some(tag) = &tag
        && matches!(*method, Method::GET | Method::HEAD)
        && etag::is_known(request, tag)
    {
        response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, control(query));
    if let Some(tag) = tag {
        headers.insert(header::ETAG, tag);
    }
    response
}

fn control(query: &Query) -> HeaderValue {
    let Some(cache) = query.cache else { return HeaderValue::from_static("private, no-cache") };
    let scope = if query.cache_scope == Scope::Public { "public" } else { "private" };
    let control = HeaderValue::try_from(format!("{scope}, max-age={}", cache.as_secs()));
    control.unwrap_or(HeaderValue::from_static("private, no-cache"))
}

/// Adds to any answer of a named query what it depends on, and that it may not be kept unless it says that it may.
pub(super) fn complete(mut response: Response) -> Response {
    let headers = response.headers_mut();
    VARY.into_iter().for_each(|name| vary::by(headers, name));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
