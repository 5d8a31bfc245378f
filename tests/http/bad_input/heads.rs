//! Verbs, paths and headers that mean nothing, or mean harm.

use super::{INVALID, PATH, PLAIN, advises, gateway};
use crate::support::{
    gateway::{Gateway, start_embedded},
    http::{Response, exchange},
    query::{body, refused, values, works},
};

const ONE: &str = r#"{"statement":"RETURN 1 AS a"}"#;

async fn send(gateway: &Gateway, headers: &[(&str, &str)]) -> Response {
    gateway.send("POST", PATH, headers, ONE).await
}

#[tokio::test]
async fn rejects_unsupported_content_types() {
    let gateway = gateway().await;
    for content_type in
        ["text/plain", "text/json", "text/csv", "application/x-www-form-urlencoded", "application/jsonl"]
    {
        let response = send(&gateway, &[("Content-Type", content_type), ("Accept", "application/jsonl")]).await;
        assert_eq!(response.header("Content-Type"), Some(PLAIN), "whatever Accept says");
        let refused = refused(&response);
        let advice = advises(&refused, 415, "Unsupported Media Type");
        assert!(
            advice.starts_with("send Content-Type: application/json, or one of application/vnd.neo4j.query"),
            "{advice}"
        );
        works(&gateway).await;
    }
    advises(&refused(&send(&gateway, &[]).await), 415, "Unsupported Media Type");
}

#[tokio::test]
async fn rejects_unsupported_content_encodings() {
    let gateway = gateway().await;
    let text = format!("{PATH}/batch");
    for (path, content_type, coding, named) in [
        (PATH, PLAIN, "gzip, zstd", "gzip, zstd"),
        (PATH, "text/plain", "identity, br", "br"),
        (PATH, PLAIN, "x\u{e4}", "x\\xc3\\xa4"),
        (&text, "application/x-ndjson", "compress", "compress"),
        (&text, PLAIN, "deflate", "deflate"),
    ] {
        let headers = [("Content-Type", content_type), ("Content-Encoding", coding)];
        let response = gateway.send("POST", path, &headers, "\u{1f}\u{8b}").await;
        assert_eq!(response.header("Accept-Encoding"), Some("gzip, zstd"), "{response}");
        let refused = refused(&response);
        let advice = advises(&refused, 415, "Unsupported Media Type");
        assert!(advice.starts_with(&format!("Content-Encoding: {named} is not supported")), "{advice}");
        works(&gateway).await;
    }
    for none in ["identity", "", "Identity"] {
        let response = send(&gateway, &[("Content-Type", PLAIN), ("Content-Encoding", none)]).await;
        assert_eq!(values(&response), serde_json::json!([[1]]), "{none}");
    }
}

#[tokio::test]
async fn rejects_unsupported_accept_types() {
    let gateway = gateway().await;
    for accept in ["text/html", "application/xml", "garbage", "application/vnd.neo4j.query.v9.9"] {
        let response = send(&gateway, &[("Content-Type", PLAIN), ("Accept", accept)]).await;
        assert_eq!(response.header("Content-Type"), Some(PLAIN), "{accept}");
        let refused = refused(&response);
        let advice = advises(&refused, 406, "Not Acceptable");
        assert!(advice.starts_with("send Accept: application/json, "), "{advice}");
        works(&gateway).await;
    }
}

#[tokio::test]
async fn rejects_malformed_media_types() {
    let gateway = gateway().await;
    let json = ("Content-Type", PLAIN);
    for headers in [
        &[("Content-Type", "")][..],
        &[("Content-Type", "garbage")],
        &[("Content-Type", "a/b/c")],
        &[("Content-Type", ";foo")],
        &[("Content-Type", "application/json, text/plain")],
        &[json, json],
        &[json, ("Accept", "a/b/c")],
        &[json, ("Accept", "application/json;q=2")],
        &[json, ("Accept", "application/json;q=x")],
    ] {
        let told = refused(&send(&gateway, headers).await);
        assert_eq!((told.status, told.code.as_str()), (400, INVALID), "{headers:?}");
        assert!(told.message.starts_with("Bad Request: "), "{}", told.message);
        works(&gateway).await;
    }
}

#[tokio::test]
async fn rejects_unsupported_methods() {
    let gateway = gateway().await;
    for (path, right) in [
        ("/", "HEAD,GET,OPTIONS"),
        ("/openapi.json", "HEAD,GET,OPTIONS"),
        (PATH, "POST,OPTIONS"),
        ("/db/neo4j/query/v2/batch", "POST,OPTIONS"),
        ("/db/neo4j/query/v2/running", "HEAD,GET,OPTIONS"),
        ("/db/neo4j/query/v2/running/0", "DELETE,OPTIONS"),
        ("/db/neo4j/query/v2/tx", "POST,OPTIONS"),
        ("/db/neo4j/query/v2/tx/0", "DELETE,POST,OPTIONS"),
        ("/db/neo4j/query/v2/tx/0/commit", "POST,OPTIONS"),
    ] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW", "get"] {
            if !right.split(',').any(|right| right == method) {
                let response = gateway.send(method, path, &[("Content-Type", PLAIN)], ONE).await;
                assert_eq!(response.header("Content-Type"), Some(PLAIN), "{method} {path}");
                assert_eq!(response.header("Allow"), Some(right), "{method} {path}");
                let refused = refused(&response);
                let advice = advises(&refused, 405, "Method Not Allowed");
                assert_eq!(advice, format!("this address takes {}", right.replace(',', ", ")));
            }
        }
    }
    works(&gateway).await;
}

#[tokio::test]
async fn returns_404_for_unknown_paths() {
    let gateway = gateway().await;
    for path in [
        "/db",
        "/db/",
        "/db/neo4j",
        "/db/neo4j/query",
        "/db/neo4j/query/v1",
        "/db/neo4j/query/v2/x",
        "/db/neo4j/query/v2/tx/0/x",
        "/db/neo4j/query/v2/tx/0/commit/x",
        "/DB/neo4j/query/v2",
        "/nothing",
        "/live",
        "/ready",
        "/metrics",
        "/favicon.ico",
    ] {
        for method in ["GET", "POST", "DELETE"] {
            let response = gateway.send(method, path, &[("Content-Type", PLAIN)], ONE).await;
            assert_eq!(response.header("Content-Type"), Some(PLAIN), "{method} {path}");
            let refused = refused(&response);
            let advice = advises(&refused, 404, "Not Found");
            assert!(advice.contains("POST /db/{db}/query/v2"), "{advice}");
        }
    }
    works(&gateway).await;
}

#[tokio::test]
async fn returns_404_for_paths_of_older_apis_that_are_not_served() {
    let gateway = gateway().await;
    for (path, instead) in [
        ("/db/neo4j/tx/7/rollback", "POST /db/neo4j/query/v2,"),
        ("/db/data/transaction/commit", "POST /db/{db}/query/v2,"),
        ("/db/data/cypher", "POST /db/{db}/query/v2,"),
    ] {
        let body = r#"{"statements":[{"statement":"RETURN 1"}]}"#;
        let refused = refused(&gateway.post(path, body).await);
        let advice = advises(&refused, 404, "Not Found");
        assert!(advice.contains(instead), "{path}: {advice}");
    }
}

#[tokio::test]
async fn accepts_the_accept_header_of_javas_old_client() {
    let gateway = gateway().await;
    let accept = ("Accept", "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2");
    let response = send(&gateway, &[("Content-Type", PLAIN), accept]).await;
    assert_eq!((values(&response), response.header("Content-Type")), (serde_json::json!([[1]]), Some(PLAIN)));
    assert_eq!(gateway.send("GET", "/", &[accept], "").await.status, 200);
}

#[tokio::test]
async fn accepts_quoted_media_type_parameters() {
    let gateway = gateway().await;
    let quoted = r#"application/json;profile="a,b;c""#;
    let response = send(&gateway, &[("Content-Type", quoted), ("Accept", quoted)]).await;
    assert_eq!((values(&response), response.header("Content-Type")), (serde_json::json!([[1]]), Some(quoted)));
}

#[tokio::test]
async fn handles_unusual_request_targets() {
    let gateway = gateway().await;
    for path in [
        "//",
        "/db//query/v2",
        "/db/neo4j//query/v2",
        "/db/neo4j/query/v2//",
        "/db/a%2Fb/query/v2",
        "/db/%FF/query/v2",
        "/db/%/query/v2",
        "/db/%zz/query/v2",
        "/db/../query/v2",
        "/db/neo4j/query/v2/../v2",
        "/db/neo4j/query/v2/tx/%2e%2e",
        "/db/%00/query/v2",
        "/db/neo4j%20/query/v2",
        "/db/;x/query/v2",
        "/%64b/neo4j/query/v2",
    ] {
        let told = refused(&gateway.post(path, ONE).await);
        assert!(matches!(told.status, 400 | 404), "{path}: {told:?}");
        works(&gateway).await;
    }
    let long = format!("/db/{}/query/v2", "x".repeat(20_000));
    assert_eq!(refused(&gateway.post(&long, ONE).await).status, 404);
    // The whole address, as a proxy writes it.
    let whole = format!("{}{PATH}?x=%2F&y#z", gateway.base_url());
    assert_eq!(values(&gateway.post(&whole, ONE).await), serde_json::json!([[1]]));
}

#[tokio::test]
async fn rejects_malformed_credentials() {
    let gateway = gateway().await;
    let good = ("Authorization", "Basic bmVvNGo6cHc=");
    let json = ("Content-Type", PLAIN);
    for authorization in [
        &[("Authorization", "")][..],
        &[("Authorization", "Basic")],
        &[("Authorization", "Basic !!!")],
        &[("Authorization", "Basic bmVvNGo=")],
        &[("Authorization", "Bearer")],
        &[("Authorization", "Digest x=y")],
        &[("Authorization", "Just let me in. Thanks!")],
        &[good, good],
        &[good, ("Authorization", "Bearer x")],
    ] {
        let headers = [&[json, ("Accept", "application/jsonl")], authorization].concat();
        let response = send(&gateway, &headers).await;
        assert_eq!(response.header("Content-Type"), Some("application/json;charset=utf-8"), "{authorization:?}");
        assert_eq!(response.header("WWW-Authenticate"), None);
        let told = refused(&response);
        assert_eq!((told.status, told.code.as_str()), (400, "Neo.ClientError.Request.InvalidFormat"));
        assert_eq!(told.message, "Invalid authentication header.");
        works(&gateway).await;
    }
    assert_eq!(values(&send(&gateway, &[json, good]).await), serde_json::json!([[1]]));
}

/// No header of the answer was smuggled in.
fn is_untouched(response: &Response) {
    for name in ["Set-Cookie", "X-Evil", "Location"] {
        assert_eq!(response.header(name), None, "{response}");
    }
}

#[tokio::test]
async fn quotes_names_that_it_repeats() {
    let gateway = gateway().await;
    let evil = "x%0d%0aSet-Cookie:%20a=b%0d%0a%0d%0a%22%7D%5C%00";
    let plain = "x\r\nSet-Cookie: a=b\r\n\r\n\"}\\\0";
    let response = gateway.post(&format!("/db/{evil}/query/v2"), ONE).await;
    is_untouched(&response);
    let told = refused(&response);
    assert_eq!((told.status, told.code.as_str()), (404, "Neo.ClientError.Database.DatabaseNotFound"));

    let response = gateway.post(&format!("/db/neo4j/query/v2/tx/{evil}"), "{}").await;
    is_untouched(&response);
    let told = refused(&response);
    assert_eq!(told.status, 404);
    assert!(told.message.contains(&format!("Id: \"{plain}\" was")), "{}", told.message);
    works(&gateway).await;
}

#[tokio::test]
async fn repeats_header_values_only_in_clean_form() {
    let gateway = gateway().await;
    // A request id is taken over only if it is plain text.
    for id in ["a b", "ä", &"x".repeat(129), ""] {
        let response = gateway.send("GET", "/", &[("X-Request-Id", id)], "").await;
        let own = response.header("X-Request-Id").expect("there is one");
        assert!(own.len() == 16 && own.bytes().all(|byte| byte.is_ascii_hexdigit()), "{own}");
    }
    // So are the addresses of the discovery document.
    let gateway = start_embedded(&[("server.trusted_proxies", "127.0.0.1")]).await;
    let headers =
        [("Host", "localhost:1"), ("X-Forwarded-Host", "evil\"><script>"), ("X-Forwarded-Proto", "javascript")];
    let document = body(&gateway.send("GET", "/", &headers, "").await);
    assert_eq!(document["query"], "http://localhost:1/db/{databaseName}/query/v2");
    // A media type comes back with the parameters it was asked with, which cannot be anything.
    let response = send(&gateway, &[("Content-Type", PLAIN), ("Accept", "application/json;x=\"\u{7f}\"")]).await;
    assert!(matches!(response.status, 202 | 400), "{response}");
    works(&gateway).await;
}

#[tokio::test]
async fn rejects_bytes_that_are_not_http() {
    let gateway = gateway().await;
    for bytes in [
        &b"GARBAGE\r\n\r\n"[..],
        b"\x60\x60\xB0\x17\0\0\x04\x04\0\0\0\0\0\0\0\0\0\0\0\0",
        b"\x16\x03\x01\x02\0\x01\0\x01\xFC\x03\x03",
        b"POST /db/neo4j/query/v2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /db/neo4j/query/v2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /db/neo4j/query/v2 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"POST /db/neo4j/query/v2 HTTP/1.1\r\nHost: localhost\r\nBad Header\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: \0\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
    ] {
        let answer = exchange(gateway.address(), bytes, false).await;
        let refused = answer.as_ref().map_or(true, |response| (400..600).contains(&response.status));
        assert!(refused, "{}: {answer:?}", String::from_utf8_lossy(bytes));
        works(&gateway).await;
    }
}
