//! The gateway in a browser, without the console: a page that says what it is, and one for paths that lead nowhere.

use crate::support::{
    gateway::{Gateway, start_embedded, start_for_with},
    http::Response,
    query::{body, refused},
};

const BROWSER: (&str, &str) =
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8");

const NO_CONSOLE: [(&str, &str); 1] = [("console.enabled", "false")];

async fn visit(gateway: &Gateway, path: &str) -> Response {
    gateway.send("GET", path, &[BROWSER], "").await
}

/// A page that needs nothing but itself, and runs nothing.
fn is_page(response: &Response, status: u16) {
    assert_eq!((response.status, response.header("Content-Type")), (status, Some("text/html; charset=utf-8")));
    let policy = response.header("Content-Security-Policy").expect("it has a policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(response.header("Vary"), Some("Accept, Accept-Encoding"));
    assert_eq!(response.header("X-Content-Type-Options"), Some("nosniff"));
    let text = response.text();
    for foreign in ["<script", "style=\"", "{{", "src=", "<link"] {
        assert!(!text.contains(foreign), "{foreign} in {text}");
    }
}

#[tokio::test]
async fn says_what_it_is_with_commands_for_this_very_address() {
    let gateway = start_embedded(&NO_CONSOLE).await;
    let page = visit(&gateway, "/").await;
    is_page(&page, 200);
    let text = page.text();
    assert!(text.contains("Embedded in this process"), "{text}");
    assert!(text.contains(&format!("\"{}/db/neo4j/query/v2\"", gateway.base_url())), "{text}");
    assert!(!text.contains(" -u USER"), "an embedded database has no users: {text}");
    assert!(text.contains("<a href=\"/openapi.json\">"), "{text}");
}

#[tokio::test]
async fn names_the_kind_of_credentials_but_not_where_the_database_is() {
    let gateway = start_for_with("bolt://127.0.0.1:9", &[NO_CONSOLE[0], ("auth.bearer", "refuse")]).await;
    let page = visit(&gateway, "/").await;
    is_page(&page, 200);
    let text = page.text();
    assert!(text.contains("Not connected yet") && text.contains("<dd>User and password</dd>"), "{text}");
    assert!(text.contains("curl -u USER"), "{text}");
    assert!(!text.contains("127.0.0.1:9/") && !text.contains("bolt://"), "{text}");
}

#[tokio::test]
async fn programs_get_the_document_as_ever() {
    let gateway = start_embedded(&NO_CONSOLE).await;
    let plain = gateway.send("GET", "/", &[], "").await;
    assert!(body(&plain)["neo4j_version"].is_string());
    let java = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2";
    for accept in ["*/*", "application/json", "application/json, text/plain, */*", "text/html;q=0.5, */*", java] {
        let response = gateway.send("GET", "/", &[("Accept", accept)], "").await;
        assert_eq!((response.status, response.header("Vary")), (200, Some("Accept")), "{accept}");
        assert_eq!(response.body, plain.body, "{accept}");
    }
}

#[tokio::test]
async fn says_that_a_path_leads_nowhere() {
    let gateway = start_embedded(&NO_CONSOLE).await;
    for path in ["/favicon.ico", "/console", "/docs", "/browser/", "//"] {
        let page = visit(&gateway, path).await;
        is_page(&page, 404);
        assert!(page.text().contains(&format!("<code>{path}</code>")), "{page}");
        assert_eq!(refused(&gateway.send("GET", path, &[("Accept", "*/*")], "").await).status, 404);
    }
    let page = visit(&gateway, "/%3Cb%3E'&\"<i>").await;
    assert!(page.status == 400 || !page.text().contains("<i>"), "{page}");
    // The API's own answers stay JSON.
    assert_eq!(refused(&visit(&gateway, "/db/neo4j/query").await).status, 404);
}
