//! CORS: which pages of other origins may send requests and read answers.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::Response,
};

use crate::{config::AllowedOrigin, http::vary};

/// Headers that pages may send. The header of the ID token, whose name is a setting, goes between the two parts.
const REQUEST_HEADERS: (&str, &str) = (
    "Authorization, Content-Type, Accept, Idempotency-Key, X-Request-Id",
    "Realm, traceparent, tracestate, neo4j-cluster-affinity, Boltgate-Statuses, Boltgate-Timing, Boltgate-Auth-Scheme, \
     Boltgate-Impersonated-User, If-None-Match, Boltgate-Bookmarks, MCP-Protocol-Version, Mcp-Method, Mcp-Name",
);
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, DELETE");
/// Response headers that pages may read.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "X-Request-Id, Retry-After, Server-Timing, Boltgate-Attempts, Idempotency-Replayed, WWW-Authenticate, \
     neo4j-cluster-affinity, ETag",
);

/// Settings for pages of other origins.
#[derive(Debug, Clone)]
pub struct CorsSettings {
    /// Origins whose pages are allowed. If empty, CORS is off.
    pub origins: Vec<AllowedOrigin>,
    /// Whether browsers may send credentials that they store themselves.
    pub credentials: bool,
    /// How long a browser may cache the answer to a preflight. Rounded down to seconds.
    pub max_age: Duration,
    /// The header for ID tokens, which pages may send too.
    pub id_token_header: String,
}

/// The CORS rules, with header values made in advance.
#[derive(Debug)]
pub(super) struct Cors {
    origins: Vec<AllowedOrigin>,
    credentials: bool,
    request_headers: HeaderValue,
    max_age: HeaderValue,
}

/// Permission for a page to read an answer.
#[derive(Debug)]
pub(in crate::http) struct Grant {
    origin: HeaderValue,
    credentials: bool,
}

impl Cors {
    pub(super) fn new(settings: CorsSettings) -> Self {
        let (before, after) = REQUEST_HEADERS;
        let request_headers = HeaderValue::try_from(format!("{before}, {}, {after}", settings.id_token_header));
        Self {
            // `*` makes the other entries redundant.
            origins: if settings.origins.contains(&AllowedOrigin::Any) {
                vec![AllowedOrigin::Any]
            } else {
                settings.origins
            },
            credentials: settings.credentials,
            // A header's name is always a valid value.
            request_headers: request_headers.unwrap_or(HeaderValue::from_static(REQUEST_HEADERS.0)),
            max_age: settings.max_age.as_secs().into(),
        }
    }

    /// Grants the answer to the page that sent the request, if its origin is allowed.
    pub(super) fn grant(&self, headers: &HeaderMap) -> Option<Grant> {
        if self.origins.is_empty() {
            return None;
        }
        let origin = headers.get(header::ORIGIN)?;
        let granted = self.origins.iter().find_map(|allowed| match allowed {
            AllowedOrigin::Any => has_host(origin).then_some(HeaderValue::from_static("*")),
            AllowedOrigin::Exactly(listed) => (origin == listed).then(|| origin.clone()),
        })?;
        Some(Grant { origin: granted, credentials: self.credentials })
    }

    /// Answers a preflight; `None` if the request is not a preflight or its origin is not allowed.
    pub(super) fn preflight(&self, method: &Method, headers: &HeaderMap) -> Option<Response> {
        if *method != Method::OPTIONS || !headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD) {
            return None;
        }
        self.grant(headers)?;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let answer = response.headers_mut();
        answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, self.request_headers.clone());
        answer.insert(header::ACCESS_CONTROL_MAX_AGE, self.max_age.clone());
        Some(response)
    }
}

/// Whether an origin has a host. Sandboxed pages and local files have the origin `null`, which any page can get.
fn has_host(origin: &HeaderValue) -> bool {
    origin.to_str().is_ok_and(|origin| origin.split_once("://").is_some_and(|(_, host)| !host.is_empty()))
}

impl Grant {
    /// Adds the headers that let the page read the answer.
    pub(in crate::http) fn mark(self, headers: &mut HeaderMap) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, self.origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        if self.credentials {
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        vary::by(headers, "Origin");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors(origins: Vec<AllowedOrigin>, credentials: bool) -> Cors {
        let (max_age, id_token_header) = (Duration::from_millis(90_900), "X-Id-Token".to_owned());
        Cors::new(CorsSettings { origins, credentials, max_age, id_token_header })
    }

    fn listed(origins: &[&str]) -> Vec<AllowedOrigin> {
        origins.iter().map(|&origin| AllowedOrigin::Exactly(origin.to_owned())).collect()
    }

    fn from(origin: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::ORIGIN, HeaderValue::from_str(origin).unwrap())])
    }

    fn granted(origins: Vec<AllowedOrigin>, origin: &str) -> Option<HeaderValue> {
        cors(origins, false).grant(&from(origin)).map(|grant| grant.origin)
    }

    #[test]
    fn an_origin_must_match_exactly() {
        const APP: &str = "https://app.example";
        assert_eq!(granted(listed(&["http://other.example", APP]), APP).unwrap(), APP);
        for origin in ["https://app.example:443", "http://app.example", "https://APP.example", "null", "", "*"] {
            assert_eq!(granted(listed(&[APP]), origin), None, "{origin}");
        }
        assert_eq!(granted(listed(&[]), APP), None);
        assert_eq!(cors(listed(&[APP]), false).grant(&HeaderMap::new()).map(|grant| grant.origin), None);
    }

    #[test]
    fn a_wildcard_allows_every_origin_with_a_host() {
        for origin in ["https://app.example", "http://localhost:3000", "capacitor://localhost"] {
            assert_eq!(granted(vec![AllowedOrigin::Any], origin).unwrap(), "*", "{origin}");
            let mut origins = listed(&[origin]);
            origins.push(AllowedOrigin::Any);
            assert_eq!(granted(origins, origin).unwrap(), "*", "{origin}");
        }
        for origin in ["null", "", "app.example", "https://"] {
            assert_eq!(granted(vec![AllowedOrigin::Any], origin), None, "{origin}");
        }
    }

    #[test]
    fn a_grant_adds_the_headers() {
        for (credentials, said) in [(false, None), (true, Some("true"))] {
            let mut answer = HeaderMap::new();
            let grant = cors(listed(&["http://a.example"]), credentials).grant(&from("http://a.example"));
            grant.unwrap().mark(&mut answer);
            let allowed = answer.get(header::ACCESS_CONTROL_ALLOW_CREDENTIALS);
            assert_eq!(allowed.map(|value| value.to_str().unwrap()), said);
            assert_eq!(answer[header::ACCESS_CONTROL_ALLOW_ORIGIN], "http://a.example");
            assert_eq!(answer[header::VARY], "Origin");
        }
        let mut answer = HeaderMap::from_iter([(header::VARY, HeaderValue::from_static("Accept"))]);
        cors(vec![AllowedOrigin::Any], false).grant(&from("http://a.example")).unwrap().mark(&mut answer);
        assert_eq!(answer[header::VARY], "Accept, Origin");
    }

    #[test]
    fn a_preflight_asks_for_a_method() {
        let cors = cors(listed(&["http://a.example"]), false);
        let mut asked = from("http://a.example");
        assert!(cors.preflight(&Method::OPTIONS, &asked).is_none());
        asked.insert(header::ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static("DELETE"));
        assert!(cors.preflight(&Method::POST, &asked).is_none());
        let answer = cors.preflight(&Method::OPTIONS, &asked).unwrap();
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        assert_eq!(answer.headers()[header::ACCESS_CONTROL_MAX_AGE], "90");
        asked.insert(header::ORIGIN, HeaderValue::from_static("http://b.example"));
        assert!(cors.preflight(&Method::OPTIONS, &asked).is_none());
    }
}
