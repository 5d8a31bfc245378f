//! What the gateway says of itself: the discovery document, the OpenAPI description, the verbs of each route.

use std::fs;

use boltgate::http::openapi;
use serde_json::{Value, json};

use super::gateway;
use crate::support::{
    gateway::{Gateway, start_embedded, start_for_with},
    http::Response,
    query::{body, refused},
};

const JSON_BODY: [(&str, &str); 1] = [("Content-Type", "application/json")];

/// `path` with something in its places.
fn filled(path: &str) -> String {
    let names =
        [("{db}", "neo4j"), ("{id}", "0"), ("named/{name}", "named/one"), ("{name}", "none.js"), ("{file}", "app.js")];
    names.iter().fold(path.to_owned(), |path, (name, value)| path.replace(name, value))
}

async fn get(gateway: &Gateway, path: &str, headers: &[(&str, &str)]) -> Response {
    gateway.send("GET", path, headers, "").await
}

#[tokio::test]
async fn returns_the_clients_own_address_in_discovery() {
    let changes = [("server.allowed_hosts", "*"), ("server.trusted_proxies", "127.0.0.1")];
    let gateway = start_for_with("bolt://127.0.0.1:7687", &changes).await;
    for (headers, base, host) in [
        (&[("Host", "db.example:8080")][..], "http://db.example:8080", "db.example"),
        (&[("Host", "db.example"), ("Content-Length", "0")], "http://db.example", "db.example"),
        (
            &[("Host", "10.0.0.1:7474"), ("X-Forwarded-Host", "graph.example:443"), ("X-Forwarded-Proto", "https")],
            "https://graph.example:443",
            "graph.example",
        ),
    ] {
        let response = get(&gateway, "/", headers).await;
        assert_eq!((response.status, response.header("Content-Type")), (200, Some("application/json")));
        assert_eq!(
            body(&response),
            json!({
                "query_api": format!("{base}/db/{{databaseName}}/query/v{{queryApiMajorVersion}}"),
                "bolt_routing": format!("neo4j://{host}:7687"),
                "query": format!("{base}/db/{{databaseName}}/query/v2"),
                "transaction": format!("{base}/db/{{databaseName}}/tx"),
                "bolt_direct": format!("bolt://{host}:7687"),
                "neo4j_version": "2026.09.0",
                "neo4j_edition": "community",
                "query_api_versions": ["2.0"],
            })
        );
    }
}

#[tokio::test]
async fn invents_no_bolt_address_for_an_embedded_database() {
    let gateway = gateway().await;
    let (document, base) = (body(&get(&gateway, "/", &[]).await), gateway.base_url());
    assert_eq!(
        document,
        json!({
            "query_api": format!("{base}/db/{{databaseName}}/query/v{{queryApiMajorVersion}}"),
            "query": format!("{base}/db/{{databaseName}}/query/v2"),
            "transaction": format!("{base}/db/{{databaseName}}/tx"),
            "neo4j_version": "2026.09.0",
            "neo4j_edition": "community",
            "query_api_versions": ["2.0"],
        })
    );
}

#[tokio::test]
async fn returns_configured_discovery_values() {
    let changes = [("discovery.neo4j_version", "5.26.0"), ("discovery.neo4j_edition", "enterprise")];
    let document = body(&get(&start_embedded(&changes).await, "/", &[]).await);
    assert_eq!((&document["neo4j_version"], &document["neo4j_edition"]), (&json!("5.26.0"), &json!("enterprise")));
}

#[tokio::test]
async fn serves_discovery_as_plain_json_only() {
    let gateway = gateway().await;
    for accept in ["text/plain", "application/vnd.neo4j.query", "application/jsonl"] {
        assert_eq!(refused(&get(&gateway, "/", &[("Accept", accept)]).await).status, 406, "{accept}");
    }
}

#[tokio::test]
async fn serves_the_description_with_the_program_version() {
    let response = get(&gateway().await, "/openapi.json", &[]).await;
    assert_eq!((response.status, response.header("Content-Type")), (200, Some("application/json")));
    assert_eq!(response.text(), openapi());
    let description = body(&response);
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1."));
    assert_eq!(description["info"]["version"], env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn describes_exactly_what_is_served() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    fs::write(folder.path().join("one.cypher"), "RETURN 1 AS one").expect("there is room for a file");
    let directory = folder.path().to_str().expect("it is UTF-8");
    let changes = [
        ("named.directory", directory),
        ("named.check", "off"),
        ("mcp.enabled", "true"),
        ("auth.issuers.main.issuer", "https://issuer.example"),
        ("auth.issuers.main.audience", r#"["graph"]"#),
        ("auth.issuers.main.algorithms", r#"["HS256"]"#),
        ("auth.issuers.main.secret", "0123456789abcdef0123456789abcdef"),
    ];
    let gateway = start_embedded(&changes).await;
    // Refused beside issuers, whom a driver's own login would get around.
    let with_websocket = start_embedded(&[("websocket.enabled", "true")]).await;
    let description: Value = serde_json::from_str(openapi()).expect("the description is JSON");
    let paths = description["paths"].as_object().unwrap();
    let named: Vec<&str> = paths.keys().map(String::as_str).collect();
    let mut served = vec![
        "/",
        "/console",
        "/console/assets/{name}",
        "/console/callback",
        "/console/config.json",
        "/openapi.json",
        "/mcp",
        "/.well-known/oauth-protected-resource/mcp",
        "/bolt",
        "/docs",
        "/docs/{file}",
        "/db/{db}/named",
        "/db/{db}/named/{name}",
        "/db/{db}/query/v2",
        "/db/{db}/query/v2/batch",
        "/db/{db}/query/v2/running",
        "/db/{db}/query/v2/running/{id}",
        "/db/{db}/query/v2/tx",
        "/db/{db}/query/v2/tx/{id}",
        "/db/{db}/query/v2/tx/{id}/commit",
        "/db/{db}/tx",
        "/db/{db}/tx/commit",
        "/db/{db}/tx/{id}",
        "/db/{db}/tx/{id}/commit",
    ];
    let mut sorted = named.clone();
    sorted.sort_unstable();
    served.sort_unstable();
    assert_eq!(sorted, served);
    for (path, operations) in paths {
        let gateway = if path == "/bolt" { &with_websocket } else { &gateway };
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"] {
            let response = gateway.send(method, &filled(path), &JSON_BODY, "{}").await;
            let described = operations.get(method.to_lowercase()).is_some();
            assert_eq!(response.status != 405, described, "{method} {path}: {response}");
            if described {
                let statuses = operations[method.to_lowercase()]["responses"].as_object().unwrap();
                let status = response.status.to_string();
                assert!(statuses.contains_key(&status), "{method} {path} answers {status}, which is not described");
            }
        }
    }
}

#[tokio::test]
async fn answers_head_as_get_without_the_body() {
    let gateway = gateway().await;
    for path in ["/", "/openapi.json"] {
        let (head, got) = (gateway.send("HEAD", path, &[], "").await, get(&gateway, path, &[]).await);
        assert_eq!((head.status, &head.body[..]), (200, &b""[..]), "{path}");
        for name in ["Content-Type", "Content-Length"] {
            assert!(got.header(name).is_some(), "{path} {name}");
            assert_eq!(head.header(name), got.header(name), "{path}");
        }
    }
    let head = gateway.send("HEAD", "/db/neo4j/query/v2", &[], "").await;
    assert_eq!((head.status, &head.body[..]), (405, &b""[..]));
}

#[tokio::test]
async fn lists_methods_in_answer_to_options() {
    let gateway = gateway().await;
    for (path, verbs) in [
        ("/", "HEAD,GET,OPTIONS"),
        ("/openapi.json", "HEAD,GET,OPTIONS"),
        ("/console", "HEAD,GET,OPTIONS"),
        ("/console/config.json", "HEAD,GET,OPTIONS"),
        ("/db/neo4j/query/v2", "POST,OPTIONS"),
        ("/db/neo4j/query/v2/batch", "POST,OPTIONS"),
        ("/db/neo4j/query/v2/running", "HEAD,GET,OPTIONS"),
        ("/db/neo4j/query/v2/running/0", "DELETE,OPTIONS"),
        ("/db/neo4j/query/v2/tx", "POST,OPTIONS"),
        ("/db/neo4j/query/v2/tx/0", "DELETE,POST,OPTIONS"),
        ("/db/neo4j/query/v2/tx/0/commit", "POST,OPTIONS"),
        ("/db/neo4j/tx", "POST,OPTIONS"),
        ("/db/neo4j/tx/commit", "POST,OPTIONS"),
        ("/db/neo4j/tx/0", "DELETE,POST,OPTIONS"),
        ("/db/neo4j/tx/0/commit", "POST,OPTIONS"),
    ] {
        for headers in [&[][..], &[("Authorization", "nonsense")]] {
            let response = gateway.send("OPTIONS", path, headers, "").await;
            assert_eq!((response.status, response.header("Allow")), (200, Some(verbs)), "{path}");
        }
    }
    assert_eq!(gateway.send("OPTIONS", "/db/neo4j/nothing", &[], "").await.status, 404);
}
