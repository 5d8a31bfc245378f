//! Pages for people who open the gateway in a browser: what it is, and that a path leads nowhere.
//!
//! Promises that a page runs no script, loads nothing, and can be used with any colours and width, and that no text of a
//! request becomes markup or part of a command. Knows nothing that needs credentials.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use crate::{
    auth::Accepted,
    http::{base_url::BaseUrl, gateway::Gateway, refusal::respond},
};

const SHELL: &str = include_str!("shell.html");
const STYLE: &str = include_str!("style.css");
const WELCOME: &str = include_str!("welcome.html");
const UNKNOWN: &str = include_str!("unknown.html");

/// Nothing but the style sheet in the page itself, by its hash. A test reports the new hash when the sheet has changed.
const POLICY: &str = "default-src 'none'; style-src 'sha256-8N9Bup3jrlLtVnd12ny5nN8lD8isqlSHd8iykbqLxmM='; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page at the gateway's own address.
pub(super) fn welcome(gateway: &Gateway, base: &BaseUrl) -> Response {
    let embedded = gateway.discovery.bolt_port.is_none();
    let dialect = gateway.engine.pool().dialect();
    let (database, name) = match dialect {
        _ if embedded => ("Embedded in this process", "neo4j"),
        Some("neo4j") => ("Neo4j", "neo4j"),
        Some("memgraph") => ("Memgraph", "memgraph"),
        Some(_) => ("A database that speaks Bolt", "neo4j"),
        None => ("Not connected yet", "neo4j"),
    };
    let path = format!("/db/{name}/query/v2");
    let queries = format!("{}{path}", base.url());
    let challenge = gateway.authenticator.challenge();
    let accepted = challenge.accepted();
    let asks = !embedded && accepted.basic;
    let credentials = match accepted {
        _ if embedded => "The database itself asks for none",
        Accepted { basic: true, bearer: true, .. } => "User and password, or a token",
        Accepted { basic: true, bearer: false, .. } => "User and password",
        Accepted { basic: false, bearer: true, .. } => "A token",
        Accepted { basic: false, bearer: false, .. } => "None are accepted",
    };
    let content = filled(
        WELCOME,
        &[
            ("database", database),
            ("credentials", credentials),
            ("version", env!("CARGO_PKG_VERSION")),
            ("password", if asks { PASSWORD } else { "" }),
            ("login", if asks { " -u USER" } else { "" }),
            ("queries", &queries),
            ("path", &path),
        ],
    );
    page(StatusCode::OK, "Boltgate", &content)
}

/// The page for a path that leads nowhere.
pub(super) fn unknown(path: &str) -> Response {
    page(StatusCode::NOT_FOUND, "There is no page here", &filled(UNKNOWN, &[("path", path)]))
}

/// The words before the commands, where one of them asks for a password.
const PASSWORD: &str =
    " Write your own name for USER; curl asks for the password. Leave out -u if the database has no users.";

fn page(status: StatusCode, title: &str, content: &str) -> Response {
    let html = SHELL.replace("{{title}}", title).replace("{{style}}", STYLE).replace("{{content}}", content);
    let headers = [
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::VARY, HeaderValue::from_static("Accept")),
        // The page depends on the request's own headers.
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, respond(status, "text/html; charset=utf-8", html.into())).into_response()
}

/// Puts values into the places `{{name}}` of a template, as text.
fn filled(template: &str, values: &[(&str, &str)]) -> String {
    let (mut html, mut rest) = (String::with_capacity(2 * template.len()), template);
    while let Some((before, (name, after))) =
        rest.split_once("{{").and_then(|(before, from)| Some((before, from.split_once("}}")?)))
    {
        html.push_str(before);
        let value = values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value);
        for sign in value.chars() {
            match sign {
                '&' => html.push_str("&amp;"),
                '<' => html.push_str("&lt;"),
                '>' => html.push_str("&gt;"),
                '"' => html.push_str("&quot;"),
                '\'' => html.push_str("&#39;"),
                other => html.push(other),
            }
        }
        rest = after;
    }
    html.push_str(rest);
    html
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;

    use super::*;

    #[test]
    fn the_policy_allows_the_style_sheet_and_nothing_else() {
        let sha256 = TLS13_AES_128_GCM_SHA256.tls13().expect("a suite of TLS 1.3").common.hash_provider;
        let hash = STANDARD.encode(sha256.hash(STYLE.as_bytes()));
        assert!(POLICY.contains(&format!("style-src 'sha256-{hash}'; ")), "write this hash into POLICY: {hash}");
    }

    #[test]
    fn what_a_request_says_is_text_and_never_markup() {
        let filled = filled("<p title=\"{{x}}\">{{x}} {{y}}</p>", &[("x", "<b>&'\"{{y}}"), ("y", "1")]);
        let text = "&lt;b&gt;&amp;&#39;&quot;{{y}}";
        assert_eq!(filled, format!("<p title=\"{text}\">{text} 1</p>"));
    }
}
