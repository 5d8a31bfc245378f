//! Which routes there are, for which methods, and how each says what is wrong.

use serde_json::{Value, json};

use crate::{
    admin::{BEARER, Stand},
    support::query::{body, refused},
};

#[tokio::test]
async fn rejects_unknown_paths_and_wrong_methods() {
    let stand = Stand::neo4j(&[]).await;
    for path in ["/", "/nothing", "/db/neo4j/query/v2", "/transactions/", "/pools/x"] {
        let error = refused(&stand.admin("GET", path).await);
        assert_eq!((error.status, error.code.as_str()), (404, "Neo.ClientError.Request.Invalid"), "{path}");
    }
    for (method, path, allowed) in [
        ("POST", "/live", "GET,HEAD"),
        ("DELETE", "/ready", "GET,HEAD"),
        ("PUT", "/pools", "GET,HEAD"),
        ("DELETE", "/transactions", "GET,HEAD"),
        ("GET", "/transactions/0123456789abcdef", "DELETE"),
        ("POST", "/log", "GET,HEAD,PUT"),
        ("OPTIONS", "/config", "GET,HEAD"),
    ] {
        let answer = stand.admin(method, path).await;
        assert_eq!(answer.header("Allow"), Some(allowed), "{method} {path}");
        assert_eq!(refused(&answer).status, 405, "{method} {path}");
    }
}

#[tokio::test]
async fn answers_head_as_get_without_the_body() {
    let stand = Stand::neo4j(&[]).await;
    for path in ["/live", "/ready", "/metrics", "/pools", "/transactions", "/config", "/log"] {
        let (get, head) = (stand.admin("GET", path).await, stand.admin("HEAD", path).await);
        assert_eq!((get.status, head.status), (200, 200), "{path}");
        assert_eq!((head.header("Content-Type"), &head.body[..]), (get.header("Content-Type"), &b""[..]), "{path}");
    }
}

#[tokio::test]
async fn knows_nothing_of_other_origins() {
    let stand = Stand::neo4j(&[("cors.allowed_origins", "*")]).await;
    let headers = [BEARER, ("Origin", "https://app.example.com")];
    let answer = stand.gateway.admin("GET", "/pools", &headers, "").await;
    assert_eq!((answer.status, answer.header("Access-Control-Allow-Origin")), (200, None));
}

#[tokio::test]
async fn shows_every_setting_and_no_secret() {
    let stand = Stand::neo4j(&[("database.max_connections", "70")]).await;
    let answer = stand.admin("GET", "/config").await;
    let settings = body(&answer)["settings"].as_object().unwrap().clone();
    let setting = |key: &str| settings.get(key).unwrap_or_else(|| panic!("no {key}: {answer}")).clone();
    assert_eq!(setting("database.max_connections"), json!({ "value": 70, "origin": "flag --test", "reload": false }));
    assert_eq!(setting("transactions.idle_timeout")["origin"], "default");
    assert_eq!(setting("limits.requests")["reload"], true);
    assert_eq!(setting("admin.token")["value"], "***");
    assert!(!answer.text().contains("a-secret-of-operators"));
    let at = |key: &str| answer.text().find(&format!("\"{key}\":{{")).unwrap_or_else(|| panic!("no {key}"));
    for pair in ["server.listen", "server.idle_timeout", "admin.listen", "database.uri", "log.filter"].windows(2) {
        assert!(at(pair[0]) < at(pair[1]), "{pair:?}");
    }
    assert!(settings.values().all(|setting: &Value| setting.as_object().unwrap().len() == 3), "{answer}");
}
