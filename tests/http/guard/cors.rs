//! What browsers are told about pages of other origins.

use serde_json::json;

use super::{HOST_NOT_ALLOWED, PATH, PLAIN, ROUTES, is_refused};
use crate::support::{
    gateway::{Gateway, settings, start_embedded},
    http::Response,
    query::{body, works},
};

const APP: &str = "https://app.example";
const EXPOSED: &str = "X-Request-Id, Retry-After, Server-Timing, Boltgate-Attempts, Idempotency-Replayed, \
                       WWW-Authenticate, neo4j-cluster-affinity, ETag";
const REQUEST_HEADERS: &str = "Authorization, Content-Type, Accept, Idempotency-Key, X-Request-Id, X-Id-Token, Realm, \
                               traceparent, tracestate, neo4j-cluster-affinity, Boltgate-Statuses, Boltgate-Timing, \
                               Boltgate-Auth-Scheme, Boltgate-Impersonated-User, If-None-Match, Boltgate-Bookmarks, \
                               MCP-Protocol-Version, Mcp-Method, Mcp-Name";

/// What CORS says in an answer.
fn said(response: &Response) -> Vec<(String, String)> {
    let is_said = |name: &str| name.starts_with("access-control-") || name == "vary";
    // Long answers depend on this for a reason of their own.
    let is_cors = |value: &str| value != "Accept-Encoding";
    let headers = response.headers.iter().filter(|(_, value)| is_cors(value));
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.replace(", Accept-Encoding", "")));
    let mut said: Vec<_> = headers.filter(|(name, _)| is_said(name)).collect();
    said.sort_unstable();
    said
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// What an answer to an allowed page says.
fn allowed(origin: &str) -> Vec<(String, String)> {
    pairs(&[("access-control-allow-origin", origin), ("access-control-expose-headers", EXPOSED), ("vary", "Origin")])
}

async fn with_cors() -> Gateway {
    start_embedded(&[("cors.allowed_origins", APP), ("limits.body", "4KiB")]).await
}

#[tokio::test]
async fn lets_an_allowed_page_read_every_answer() {
    let gateway = with_cors().await;
    let one = json!({ "statement": "RETURN 1 AS n" }).to_string();
    let rows = json!({ "statement": "UNWIND range(1, 5000) AS n RETURN n" }).to_string();
    let too_long = "x".repeat(5000);
    let (json, text) = (("Content-Type", PLAIN), ("Content-Type", "text/plain"));
    for (status, method, path, header, sent) in [
        (202, "POST", PATH, json, &one),
        (202, "POST", PATH, json, &rows),
        (200, "GET", "/db/neo4j/query/v2/running", json, &String::new()),
        (200, "GET", "/openapi.json", json, &String::new()),
        (200, "OPTIONS", PATH, json, &String::new()),
        (400, "POST", PATH, json, &"{".to_owned()),
        (400, "POST", PATH, ("Host", "a b"), &one),
        (400, "POST", PATH, ("Authorization", "nonsense"), &one),
        (404, "GET", "/nothing", json, &String::new()),
        (404, "POST", "/db/nope/query/v2", json, &one),
        (405, "PUT", PATH, json, &one),
        (406, "POST", PATH, ("Accept", "text/html"), &one),
        (413, "POST", PATH, json, &too_long),
        (415, "POST", PATH, text, &one),
        (421, "POST", PATH, ("Host", "evil.example"), &one),
    ] {
        let mut headers = vec![("Origin", APP), ("Sec-Fetch-Site", "cross-site"), header];
        if header.0 == "Accept" {
            headers.push(json);
        }
        let response = gateway.send(method, path, &headers, sent).await;
        assert_eq!(response.status, status, "{method} {path}: {response}");
        assert_eq!(said(&response), allowed(APP), "{method} {path}: {status}");
    }
    // The document depends on something else as well.
    let document = gateway.send("GET", "/", &[("Origin", APP)], "").await;
    assert_eq!((document.status, document.header("Vary")), (200, Some("Accept, Origin")));
}

#[tokio::test]
async fn lets_an_allowed_page_read_401_and_503() {
    let nobody = start_embedded(&[("cors.allowed_origins", APP), ("auth.anonymous", "refuse")]).await;
    let headers = [("Origin", APP), ("Content-Type", PLAIN)];
    let response = nobody.send("POST", PATH, &headers, r#"{"statement":"RETURN 1"}"#).await;
    assert_eq!((response.status, said(&response)), (401, allowed(APP)));
    assert!(response.header("WWW-Authenticate").is_some());

    let full = start_embedded(&[("cors.allowed_origins", APP), ("transactions.max", "1")]).await;
    let open = async || full.send("POST", &format!("{PATH}/tx"), &headers, "{}").await;
    assert_eq!(open().await.status, 202);
    let response = open().await;
    assert_eq!((response.status, said(&response)), (503, allowed(APP)));
}

#[tokio::test]
async fn answers_a_preflight_before_anything_else() {
    let gateway = start_embedded(&[("cors.allowed_origins", APP), ("auth.anonymous", "refuse")]).await;
    let expected = pairs(&[
        ("access-control-allow-headers", REQUEST_HEADERS),
        ("access-control-allow-methods", "GET, HEAD, POST, DELETE"),
        ("access-control-allow-origin", APP),
        ("access-control-expose-headers", EXPOSED),
        ("access-control-max-age", "600"),
        ("vary", "Origin"),
    ]);
    for (_, path) in ROUTES {
        for method in ["POST", "DELETE", "PUT"] {
            let headers = [
                ("Origin", APP),
                ("Sec-Fetch-Site", "cross-site"),
                ("Access-Control-Request-Method", method),
                ("Access-Control-Request-Headers", "authorization,content-type"),
            ];
            let response = gateway.send("OPTIONS", path, &headers, "").await;
            assert_eq!((response.status, response.body.len()), (204, 0), "{path}");
            assert_eq!(said(&response), expected, "{path}");
            assert!(response.header("X-Request-Id").is_some());
        }
    }
    let headers = [("Origin", APP), ("Access-Control-Request-Method", "POST"), ("Host", "evil.example")];
    let rebound = gateway.send("OPTIONS", PATH, &headers, "").await;
    assert!(is_refused(&rebound, 421, HOST_NOT_ALLOWED), "{rebound}");
}

#[tokio::test]
async fn sends_no_cors_header_to_another_origin() {
    let (off, on, any) =
        (start_embedded(&[]).await, with_cors().await, start_embedded(&[("cors.allowed_origins", "*")]).await);
    let foreign = ["https://evil.example", "http://app.example", "https://app.example:8443", "https://x.app.example"];
    for (gateway, origins) in [(&off, &[APP, "null"][..]), (&on, &foreign), (&on, &["null", ""]), (&any, &["null"])] {
        for origin in origins {
            for (method, path) in ROUTES.into_iter().filter(|(_, path)| *path != "/") {
                for preflight in [&[][..], &[("Access-Control-Request-Method", "POST")]] {
                    let headers = [&[("Origin", *origin), ("Content-Type", PLAIN)], preflight].concat();
                    let response = gateway.send(method, path, &headers, "").await;
                    assert_eq!(said(&response), [], "{origin} {method} {path}");
                }
            }
        }
    }
    // Nor is who is no page.
    let response = on.send("GET", "/openapi.json", &[], "").await;
    assert_eq!((response.status, said(&response)), (200, pairs(&[])));
    works(&on).await;
}

#[tokio::test]
async fn answers_any_origin_with_a_star() {
    let gateway = start_embedded(&[("cors.allowed_origins", "*"), ("cors.max_age", "90s")]).await;
    let headers = [("Origin", "http://localhost:3000"), ("Content-Type", PLAIN)];
    let response = gateway.send("POST", PATH, &headers, r#"{"statement":"RETURN 1 AS n"}"#).await;
    assert_eq!((response.status, said(&response)), (202, allowed("*")));
    let headers = [("Origin", "http://localhost:3000"), ("Access-Control-Request-Method", "POST")];
    let response = gateway.send("OPTIONS", PATH, &headers, "").await;
    assert_eq!((response.status, response.header("Access-Control-Max-Age")), (204, Some("90")));
}

#[tokio::test]
async fn allows_browser_credentials_only_when_configured() {
    let gateway = start_embedded(&[("cors.allowed_origins", APP), ("cors.credentials", "true")]).await;
    for (method, preflight) in [("GET", &[][..]), ("OPTIONS", &[("Access-Control-Request-Method", "POST")])] {
        let headers = [&[("Origin", APP)], preflight].concat();
        let response = gateway.send(method, "/openapi.json", &headers, "").await;
        assert_eq!(response.header("Access-Control-Allow-Credentials"), Some("true"), "{method}");
        assert_eq!(response.header("Access-Control-Allow-Origin"), Some(APP), "{method}");
    }
}

#[tokio::test]
async fn allows_the_configured_id_token_header() {
    let changes = [("cors.allowed_origins", APP), ("auth.id_token_header", "X-Identity")];
    let headers = [("Origin", APP), ("Access-Control-Request-Method", "POST")];
    let response = start_embedded(&changes).await.send("OPTIONS", PATH, &headers, "").await;
    let names = response.header("Access-Control-Allow-Headers").expect("there is one");
    assert!(names.contains("X-Request-Id, X-Identity, Realm") && !names.contains("X-Id-Token"), "{names}");
}

#[test]
fn accepts_origins_in_any_spelling() {
    let listed = settings(&[("cors.allowed_origins", "HTTPS://App.Example:443,http://localhost:3000")]);
    let origins: Vec<_> = listed.settings.cors.allowed_origins.iter().map(ToString::to_string).collect();
    assert_eq!(origins, [APP, "http://localhost:3000"]);
}

#[tokio::test]
async fn lets_a_page_stream_lines() {
    let gateway = with_cors().await;
    let headers = [("Origin", APP), ("Content-Type", PLAIN), ("Accept", "application/jsonl")];
    let response = gateway.send("POST", PATH, &headers, r#"{"statement":"UNWIND range(1, 3) AS n RETURN n"}"#).await;
    assert_eq!(said(&response), allowed(APP));
    assert_eq!(response.text().lines().count(), 5);
    let error = gateway.send("POST", PATH, &headers, r#"{"statement":"nonsense"}"#).await;
    assert_eq!((error.status, said(&error)), (400, allowed(APP)));
    assert!(body(&error).get("_body").is_some());
}
