//! What caches may do with an answer: `ETag`, `Cache-Control`, `Vary`, and the answer to `If-None-Match`.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::Response,
};

use crate::{
    http::vary,
    named::{Query, Scope},
};

/// The headers of the request that an answer depends on.
const VARY: [&str; 3] = ["Accept", "Accept-Encoding", "Authorization"];

/// The tag of an answer with these rows, in the form that `Accept` has chosen. It is a weak one: timings and bookmarks may
/// differ.
pub(super) fn tag(rows: &blake3::Hasher) -> Option<HeaderValue> {
    let hash = rows.finalize().to_hex();
    HeaderValue::try_from(format!("W/\"{}\"", hash.get(..32)?)).ok()
}

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
        && matches(request, tag)
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

/// Whether `If-None-Match` names the tag, by the weak comparison (RFC 9110, section 13.1.2).
fn matches(request: &HeaderMap, tag: &HeaderValue) -> bool {
    let own = opaque(tag.as_bytes());
    let values = request.get_all(header::IF_NONE_MATCH).iter();
    let mut tags = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
    tags.any(|one| one == b"*" || opaque(one) == own)
}

/// The tag without the mark of weak ones.
fn opaque(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_weakly() {
        let tag = HeaderValue::from_static("W/\"abc\"");
        for (sent, expected) in [
            ("W/\"abc\"", true),
            ("\"abc\"", true),
            ("\"x\", W/\"abc\"", true),
            ("*", true),
            ("abc", false),
            ("\"ab\"", false),
            ("w/\"abc\"", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static(sent))]);
            assert_eq!(matches(&headers, &tag), expected, "{sent}");
        }
        assert!(!matches(&HeaderMap::new(), &tag));
    }
}
