//! `admin.token`, and what nobody may do without one.

use crate::{
    admin::{BEARER, LISTEN, TOKEN},
    support::{
        bolt::fake_neo4j::{FakeNeo4j, Options},
        gateway::{Gateway, start_memory},
        query::refused,
    },
};

const GUARDED: [(&str, &str); 7] = [
    ("GET", "/metrics"),
    ("GET", "/pools"),
    ("GET", "/transactions"),
    ("GET", "/config"),
    ("GET", "/log"),
    ("PUT", "/log"),
    ("DELETE", "/transactions/0123456789abcdef"),
];

async fn gateway(settings: &[(&'static str, &str)]) -> Gateway {
    let fake = FakeNeo4j::start_with(Options::default().without_auth()).await;
    start_memory(move || fake.connect(), settings).await
}

#[tokio::test]
async fn rejects_whoever_has_not_the_token() {
    let gateway = gateway(&[LISTEN, TOKEN]).await;
    for (method, path) in GUARDED {
        for header in ["Bearer a-secret-of-operator", "Bearer wrong", "Basic YWxpY2U6cHc=", "a-secret-of-operators"] {
            let answer = gateway.admin(method, path, &[("Authorization", header)], "{}").await;
            let error = refused(&answer);
            assert_eq!((error.status, error.code.as_str()), (401, "Neo.ClientError.Security.Unauthorized"), "{path}");
            assert_eq!(answer.header("WWW-Authenticate"), Some("Bearer"));
        }
        assert_eq!(gateway.admin(method, path, &[], "{}").await.status, 401, "{method} {path}");
        let status = gateway.admin(method, path, &[BEARER], "{}").await.status;
        assert_eq!(status, if method == "DELETE" { 404 } else { 200 }, "{method} {path}");
    }
    for path in ["/live", "/ready"] {
        assert_eq!(gateway.admin("GET", path, &[], "").await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn rejects_changes_over_tcp_when_there_is_no_token() {
    let gateway = gateway(&[LISTEN]).await;
    for (method, path) in GUARDED {
        let answer = gateway.admin(method, path, &[], "{}").await;
        if method == "GET" {
            assert_eq!(answer.status, 200, "{path}");
        } else {
            let error = refused(&answer);
            assert_eq!((error.status, error.code.as_str()), (403, "Neo.ClientError.Security.Forbidden"), "{path}");
            assert!(error.message.contains("admin.token"), "{}", error.message);
        }
    }
}
