//! The console: its addresses, their headers, and what it is told of the gateway. `console/tests` has what people see.
#![cfg(feature = "console")]

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::support::{
    gateway::{Gateway, start_embedded, start_for_with},
    http::Response,
    query::{body, refused},
};

const PAGE: (&str, &str) = ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8");
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
                      font-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

async fn get(gateway: &Gateway, path: &str, headers: &[(&str, &str)]) -> Response {
    gateway.send("GET", path, headers, "").await
}

async fn about(gateway: &Gateway) -> Value {
    body(&get(gateway, "/console/config.json", &[]).await)
}

/// The names of the files that the page loads.
fn assets(page: &str) -> Vec<String> {
    let names = page.split('"').filter(|text| text.starts_with("/console/assets/"));
    names.map(str::to_owned).collect()
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

fn is_protected(response: &Response) {
    for (name, value) in [
        ("Content-Security-Policy", POLICY),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
    ] {
        assert_eq!(response.header(name), Some(value), "{response}");
    }
}

#[tokio::test]
async fn a_browser_is_led_to_the_page() {
    let gateway = start_embedded(&[]).await;
    for method in ["GET", "HEAD"] {
        let answer = gateway.send(method, "/", &[PAGE], "").await;
        assert_eq!((answer.status, answer.header("Location")), (303, Some("/console")), "{answer}");
        assert_eq!((answer.header("Vary"), answer.header("Cache-Control")), (Some("Accept"), Some("no-store")));
    }
    let slash = get(&gateway, "/console/", &[PAGE]).await;
    assert_eq!((slash.status, slash.header("Location")), (308, Some("/console")));
    // Programs get the document as ever.
    assert!(body(&get(&gateway, "/", &[("Accept", "*/*")]).await)["neo4j_version"].is_string());
}

#[tokio::test]
async fn the_page_is_fetched_once() {
    // Not even a database that is not there is asked.
    let gateway = start_for_with("bolt://127.0.0.1:9", &[]).await;
    for path in ["/console", "/console/callback"] {
        let page = get(&gateway, path, &[PAGE]).await;
        is_protected(&page);
        assert_eq!((page.status, page.header("Content-Type")), (200, Some("text/html; charset=utf-8")));
        assert_eq!((page.header("Cache-Control"), page.header("Vary")), (Some("no-cache"), Some("Accept-Encoding")));
        let text = page.text();
        assert!(text.starts_with("<!doctype html>") && !text.contains("style=") && !text.contains("<style"), "{text}");
        let tag = page.header("ETag").expect("it has a tag");
        for known in [tag, "*", &format!("W/\"other\", {tag}")] {
            let again = get(&gateway, path, &[("If-None-Match", known)]).await;
            assert_eq!((again.status, again.header("ETag"), &again.body[..]), (304, Some(tag), &b""[..]), "{known}");
            is_protected(&again);
        }
        assert_eq!(get(&gateway, path, &[("If-None-Match", "W/\"other\"")]).await.status, 200);
        let head = gateway.send("HEAD", path, &[], "").await;
        assert_eq!((head.status, head.header("ETag"), &head.body[..]), (200, Some(tag), &b""[..]));
        assert_eq!(head.header("Content-Length"), page.header("Content-Length"));
    }
}

#[tokio::test]
async fn its_files_are_kept_for_a_year_and_compressed_beforehand() {
    let gateway = start_embedded(&[]).await;
    let files = assets(&get(&gateway, "/console", &[]).await.text());
    assert!(files.iter().any(|file| file.ends_with(".js")) && files.iter().any(|file| file.ends_with(".css")));
    for file in files {
        let plain = get(&gateway, &file, &[]).await;
        is_protected(&plain);
        assert_eq!((plain.status, plain.header("Content-Encoding")), (200, None), "{file}");
        assert_eq!(plain.header("Cache-Control"), Some("public, max-age=31536000, immutable"));
        let kind = plain.header("Content-Type").unwrap();
        let extension = file.rsplit('.').next().unwrap();
        let expected = match extension {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            other => panic!("{other}"),
        };
        assert_eq!(kind, expected, "{file}");
        for (accepted, coding) in
            [("gzip, deflate, br, zstd", Some("gzip")), ("gzip;q=0.5", Some("gzip")), ("gzip;q=0", None), ("br", None)]
        {
            let answer = get(&gateway, &file, &[("Accept-Encoding", accepted)]).await;
            assert_eq!(answer.header("Content-Encoding"), coding, "{file} {accepted}");
            assert_eq!(answer.header("Vary"), Some("Accept-Encoding"));
            let length = answer.body.len();
            assert_eq!(answer.header("Content-Length"), Some(&*length.to_string()));
            assert!(coding.is_none() || plain.body.len() < 1000 || length < plain.body.len(), "{file} {accepted}");
        }
        let head = gateway.send("HEAD", &file, &[("Accept-Encoding", "gzip")], "").await;
        assert_eq!((head.status, head.header("Content-Encoding"), head.body.len()), (200, Some("gzip"), 0));
    }
    gateway.reload(&[("http.compression", "false")]);
    let page = get(&gateway, "/console", &[("Accept-Encoding", "gzip")]).await;
    assert_eq!((page.header("Content-Encoding"), page.header("Vary")), (None, None), "{page}");
}

#[tokio::test]
async fn what_is_not_there_is_no_page() {
    let gateway = start_embedded(&[]).await;
    for path in ["/console/nothing", "/console/assets/index-00000000.js", "/console/assets", "/console/a/b/c"] {
        let answer = get(&gateway, path, &[PAGE]).await;
        is_protected(&answer);
        assert_eq!(answer.header("Content-Type"), Some("application/json"), "{path}");
        assert_eq!(refused(&answer).status, 404, "{path}");
    }
    for path in ["/console", "/console/callback", "/console/config.json", "/console/assets/x.js"] {
        let refused = gateway.send("POST", path, &[], "{}").await;
        assert_eq!((refused.status, refused.header("Allow")), (405, Some("HEAD,GET,OPTIONS")), "{path}");
    }
}

#[tokio::test]
async fn says_how_one_can_sign_in() {
    let gateway = start_embedded(&[]).await;
    let answer = get(&gateway, "/console/config.json", &[]).await;
    is_protected(&answer);
    assert_eq!(
        (answer.header("Content-Type"), answer.header("Cache-Control")),
        (Some("application/json"), Some("no-store"))
    );
    let expected = json!({
        "login": ["none", "basic", "token"], "oidc": null, "cypher": true, "version": env!("CARGO_PKG_VERSION"),
        "database": "neo4j",
    });
    assert_eq!(body(&answer), expected);
    gateway.reload(&[("auth.anonymous", "refuse"), ("auth.bearer", "refuse")]);
    assert_eq!(about(&gateway).await["login"], json!(["basic"]));
}

#[tokio::test]
async fn says_whether_the_caller_may_send_statements() {
    let gateway = start_embedded(&[("cypher.allow", "user:ada")]).await;
    assert_eq!(about(&gateway).await["cypher"], json!(false));
    for (user, allowed) in [("ada", true), ("bob", false)] {
        let credentials = basic(user, "secret");
        let answer = get(&gateway, "/console/config.json", &[("Authorization", &credentials)]).await;
        assert_eq!(body(&answer)["cypher"], json!(allowed), "{user}");
    }
    gateway.reload(&[("cypher.allow", "*")]);
    assert_eq!(about(&gateway).await["cypher"], json!(true));
}

#[tokio::test]
async fn names_the_issuer_and_nothing_that_is_secret() {
    let changes = [
        ("auth.issuers.idp.issuer", "https://idp.example:8443/realms/graph"),
        ("auth.issuers.idp.audience", "graph"),
        ("auth.issuers.idp.jwks_url", "https://idp.example:8443/keys"),
        ("console.oidc_issuer", "idp"),
        ("console.oidc_client_id", "console"),
        ("console.oidc_scopes", "openid, graph"),
    ];
    let gateway = start_for_with("bolt://127.0.0.1:9", &changes).await;
    let page = get(&gateway, "/console", &[]).await;
    let policy = page.header("Content-Security-Policy").unwrap();
    assert!(policy.contains("connect-src 'self' https://idp.example:8443; "), "{policy}");
    let about = about(&gateway).await;
    assert_eq!(about["login"], json!(["none", "basic", "token", "oidc"]));
    let issuer = "https://idp.example:8443/realms/graph";
    assert_eq!(about["oidc"], json!({"issuer": issuer, "clientId": "console", "scopes": ["openid", "graph"]}));
}

#[tokio::test]
async fn is_gone_when_it_is_switched_off() {
    let gateway = start_embedded(&[("console.enabled", "false")]).await;
    for path in ["/console", "/console/config.json", "/console/callback"] {
        assert_eq!(refused(&get(&gateway, path, &[]).await).status, 404, "{path}");
    }
    gateway.reload(&[("console.enabled", "true")]);
    assert_eq!(get(&gateway, "/console", &[]).await.status, 200);
}
