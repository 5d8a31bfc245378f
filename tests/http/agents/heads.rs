//! What surrounds a message: origins, credentials, methods, types, limits.

use serde_json::json;

use super::{ACCEPT, JSON, call, request, send, start};
use crate::support::{
    bolt::{
        control::User,
        fake_neo4j::{FakeNeo4j, Options},
    },
    gateway::{start_embedded, start_for_with},
    query::{body, refused},
};

#[tokio::test]
async fn without_the_setting_there_is_nothing() {
    let gateway = start_embedded(&[]).await;
    let list = request("tools/list", json!({}));
    let answer = send(&gateway, &list, &[]).await;
    assert_eq!(refused(&answer).status, 404);
    for (method, path) in [("GET", "/mcp"), ("GET", "/mcp/"), ("GET", "/.well-known/oauth-protected-resource/mcp")] {
        assert_eq!(gateway.send(method, path, &[], "").await.status, 404, "{path}");
    }
    gateway.reload(&[("mcp.enabled", "true")]);
    assert_eq!(send(&gateway, &list, &[]).await.status, 200);
}

#[tokio::test]
async fn takes_post_alone_with_and_without_a_slash() {
    let gateway = start(&[]).await;
    for path in ["/mcp", "/mcp/"] {
        for method in ["GET", "DELETE", "PUT", "HEAD"] {
            let answer = gateway.send(method, path, &[ACCEPT], "").await;
            assert_eq!((answer.status, answer.header("Allow")), (405, Some("POST")), "{method} {path}");
        }
        let headers = [JSON, ACCEPT, ("MCP-Protocol-Version", "2025-06-18")];
        let list = r#"{"jsonrpc":"2.0","id":"a","method":"tools/list"}"#;
        let answer = gateway.send("POST", path, &headers, list).await;
        assert_eq!((answer.status, &body(&answer)["id"]), (200, &json!("a")), "{answer}");
    }
}

#[tokio::test]
async fn pages_of_unknown_origins_are_refused_before_anything_else() {
    let gateway = start(&[("cors.allowed_origins", r#"["https://app.example"]"#), ("auth.anonymous", "refuse")]).await;
    for method in ["GET", "POST", "DELETE"] {
        for origin in ["https://evil.example", "null", "http://127.0.0.1:1", ""] {
            // Not even the body is looked at, nor the credentials.
            for site in [&[][..], &[("Sec-Fetch-Site", "same-origin")]] {
                let headers = [&[("Origin", origin)], site].concat();
                let refusal = gateway.send(method, "/mcp", &headers, "x").await;
                let code = refused(&refusal).code;
                assert_eq!((refusal.status, &*code), (403, "Boltgate.ClientError.Request.CrossOrigin"), "{origin}");
            }
        }
    }
    let own = gateway.base_url();
    for origin in ["https://app.example", &own] {
        assert_eq!(gateway.send("GET", "/mcp", &[("Origin", origin)], "").await.status, 405, "{origin}");
        let refusal = gateway.send("POST", "/mcp", &[("Origin", origin)], "x").await;
        assert_eq!(refusal.status, 401, "{origin}");
    }
    let refusal = gateway.send("POST", "/mcp", &[("Host", "evil.example")], "x").await;
    assert_eq!(refusal.status, 421, "{refusal}");
}

#[tokio::test]
async fn every_message_needs_credentials_that_the_database_accepts() {
    let fake = FakeNeo4j::start_with(Options::default()).await;
    fake.control.set_user("neo4j", User { password: "secret".into(), ..User::default() });
    let gateway = start_for_with(&fake.uri(), &[("mcp.enabled", "true")]).await;
    let messages = [
        request("server/discover", json!({})),
        request("tools/list", json!({})),
        request("tools/call", json!({"name": "read_cypher", "arguments": {"query": "RETURN 1"}})),
        request("nothing", json!({})),
    ];
    for message in &messages {
        for credential in [None, Some("Basic bmVvNGo6d3Jvbmc="), Some("Bearer x")] {
            let headers: Vec<_> = credential.map(|credential| ("Authorization", credential)).into_iter().collect();
            let refusal = send(&gateway, message, &headers).await;
            let challenge = refusal.header("WWW-Authenticate").unwrap_or_default();
            assert_eq!((refused(&refusal).status, challenge.starts_with("Basic realm=")), (401, true), "{refusal}");
            assert!(!refusal.text().contains("get_schema"), "{refusal}");
        }
    }
    let accepted = ("Authorization", "Basic bmVvNGo6c2VjcmV0");
    assert_eq!(send(&gateway, &messages[1], &[accepted]).await.status, 200);
    // Not even what is wrong with a message is told to anybody.
    let refusal = gateway.send("POST", "/mcp", &[JSON, ACCEPT], "not JSON").await;
    assert_eq!(refusal.status, 401);
}

#[tokio::test]
async fn callers_with_tokens_learn_where_to_get_them() {
    const ISSUER: &str = "https://issuer.example/realm";
    let gateway = start(&[
        ("auth.issuers.main.issuer", ISSUER),
        ("auth.issuers.main.audience", r#"["graph"]"#),
        ("auth.issuers.main.algorithms", r#"["HS256"]"#),
        ("auth.issuers.main.secret", "0123456789abcdef0123456789abcdef"),
        ("auth.anonymous", "refuse"),
    ])
    .await;
    let refusal = send(&gateway, &request("tools/list", json!({})), &[]).await;
    let url = format!("{}/.well-known/oauth-protected-resource/mcp", gateway.base_url());
    let challenge = refusal.header("WWW-Authenticate").unwrap_or_default();
    assert!(refusal.status == 401 && challenge.contains(&format!("Bearer resource_metadata=\"{url}\"")), "{refusal}");
    let refusal = send(&gateway, &request("tools/list", json!({})), &[("Authorization", "Bearer x.y.z")]).await;
    let challenge = refusal.header("WWW-Authenticate").unwrap_or_default();
    assert!(challenge.contains("resource_metadata=") && challenge.contains("error=\"invalid_token\""), "{refusal}");

    let metadata = gateway.send("GET", "/.well-known/oauth-protected-resource/mcp", &[], "").await;
    let expected = json!({
        "resource": format!("{}/mcp", gateway.base_url()),
        "authorization_servers": [ISSUER],
        "bearer_methods_supported": ["header"],
    });
    assert_eq!((metadata.status, body(&metadata)), (200, expected));
    assert_eq!(gateway.send("POST", "/.well-known/oauth-protected-resource/mcp", &[], "").await.status, 405);
}

#[tokio::test]
async fn types_are_checked_and_answers_are_json() {
    let gateway = start(&[]).await;
    let message = request("tools/list", json!({})).to_string();
    let headers = |content, accept| {
        [
            ("Content-Type", content),
            ("Accept", accept),
            ("MCP-Protocol-Version", super::NEWEST),
            ("Mcp-Method", "tools/list"),
        ]
    };
    for (content, accept, status) in [
        ("application/json", "application/json, text/event-stream", 200),
        ("application/json; charset=utf-8", "*/*", 200),
        ("application/json", "application/json", 200),
        ("text/plain", "application/json", 415),
        ("application/x-www-form-urlencoded", "application/json", 415),
        ("application/json", "text/event-stream", 406),
        ("application/json", "text/html", 406),
    ] {
        let answer = gateway.send("POST", "/mcp", &headers(content, accept), &message).await;
        assert_eq!(answer.status, status, "{content} {accept}: {answer}");
        assert!(answer.header("Content-Type").is_some_and(|kind| kind.starts_with("application/json")), "{answer}");
    }
    let packed = gateway.send("POST", "/mcp", &[JSON, ACCEPT, ("Content-Encoding", "br")], &message).await;
    assert_eq!(packed.status, 415);
}

#[tokio::test]
async fn the_limits_of_requests_are_those_of_the_query_api() {
    let gateway = start(&[("limits.body", "1KiB"), ("limits.line", "1KiB"), ("limits.statement", "20")]).await;
    let long = request("tools/call", json!({"name": "read_cypher", "arguments": {"query": "x".repeat(2000)}}));
    assert_eq!(send(&gateway, &long, &[]).await.status, 413);
    let result = call(&gateway, "read_cypher", json!({"query": "RETURN 1 AS a_long_name"})).await;
    let text = result["content"][0]["text"].as_str().unwrap_or_default();
    assert!(result["isError"] == true && text.contains("limits.statement"), "{result}");
    let user = send(&gateway, &request("tools/list", json!({})), &[("Boltgate-Impersonated-User", "a\u{1}")]).await;
    assert!(user.status >= 400, "{user}");
}
