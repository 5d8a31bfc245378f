//! The page that renders the description of the API, and the tags by which browsers keep it.
#![cfg(all(feature = "console", feature = "embedded"))]

use crate::support::{
    gateway::{Gateway, start_embedded},
    http::Response,
    query::refused,
};

async fn get(gateway: &Gateway, path: &str, headers: &[(&str, &str)]) -> Response {
    gateway.send("GET", path, headers, "").await
}

/// The addresses that a text loads or imports, relative to the page.
fn loaded(page: &str) -> Vec<String> {
    let quoted = |text: &str| text.split('"').next().unwrap_or_default().to_owned();
    let of_page = [" src=\"", "rel=\"stylesheet\" href=\""];
    let mut loaded: Vec<_> = of_page.iter().flat_map(|attribute| page.split(attribute).skip(1).map(quoted)).collect();
    loaded.extend(page.split(" from \"./").skip(1).map(|rest| format!("docs/{}", quoted(rest))));
    loaded
}

#[tokio::test]
async fn the_page_loads_its_own_files_and_nothing_else() {
    let gateway = start_embedded(&[]).await;
    let mut wanted = vec!["docs".to_owned()];
    let mut seen = Vec::new();
    while let Some(path) = wanted.pop() {
        if seen.contains(&path) {
            continue;
        }
        let response = get(&gateway, &format!("/{path}"), &[]).await;
        assert_eq!(response.status, 200, "{path}: {response}");
        let kind = response.header("Content-Type").expect("has a type");
        let expected = match path.rsplit('.').next() {
            Some("css") => "text/css; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            _ => "text/html; charset=utf-8",
        };
        assert_eq!(kind, expected, "{path}");
        let policy = response.header("Content-Security-Policy").expect("has a policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"), "{policy}");
        for (name, value) in [
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Cache-Control", "no-cache"),
        ] {
            assert_eq!(response.header(name), Some(value), "{path}");
        }
        let text = response.text();
        for foreign in ["http://", "https://", "style=\"", "innerHTML", "eval("] {
            assert!(!text.contains(foreign), "{foreign} in {path}");
        }
        wanted.extend(loaded(&text));
        seen.push(path);
    }
    assert_eq!(seen.len(), 7, "{seen:?}");
    assert_eq!(refused(&get(&gateway, "/docs/other.js", &[]).await).status, 404);
    assert_eq!(gateway.send("POST", "/docs", &[], "").await.header("Allow"), Some("HEAD,GET,OPTIONS"));
}

#[tokio::test]
async fn what_a_client_has_already_is_not_sent_again() {
    let gateway = start_embedded(&[]).await;
    for path in ["/openapi.json", "/docs", "/docs/app.js", "/console"] {
        let first = get(&gateway, path, &[]).await;
        let tag = first.header("ETag").unwrap_or_else(|| panic!("{first}")).to_owned();
        for known in [tag.as_str(), &tag.replace("W/", ""), "*", &format!("\"x\", {tag}")] {
            for method in ["GET", "HEAD"] {
                let again = gateway.send(method, path, &[("If-None-Match", known)], "").await;
                assert_eq!((again.status, &again.body[..], again.header("ETag")), (304, &b""[..], Some(tag.as_str())));
                assert_eq!(again.header("Cache-Control"), Some("no-cache"));
            }
        }
        let changed = get(&gateway, path, &[("If-None-Match", "W/\"0\"")]).await;
        assert_eq!((changed.status, changed.body), (200, first.body), "{path}");
        let packed = get(&gateway, path, &[("Accept-Encoding", "gzip")]).await;
        assert_eq!((packed.header("Content-Encoding"), packed.header("ETag")), (Some("gzip"), Some(tag.as_str())));
    }
}

#[tokio::test]
async fn without_the_console_there_is_no_page() {
    let gateway = start_embedded(&[("console.enabled", "false")]).await;
    for path in ["/docs", "/docs/app.js"] {
        assert_eq!(refused(&get(&gateway, path, &[]).await).status, 404, "{path}");
    }
    assert_eq!(get(&gateway, "/openapi.json", &[]).await.status, 200);
}
