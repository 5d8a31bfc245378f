//! The console: a page for querying the database and exploring its graph.
//!
//! Owns its addresses and the headers that all of them have. Promises that the page runs only scripts from this address
//! and connects only to it and to the issuer that the operator named, and that nothing here needs a database or says
//! anything that is secret. Knows nothing of what the page does: it is a client of the Query API like any other.

mod about;
mod files;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse as _, Response},
    routing::any,
};

use super::{docs, open};
use crate::http::{
    ConsoleSettings,
    gateway::Gateway,
    methods::Methods,
    path::{CONSOLE, CONSOLE_ABOUT, CONSOLE_ASSET, CONSOLE_CALLBACK},
    refusal::Refusal,
};

/// Adds the console's addresses to the table of routes.
pub(super) fn add(router: Router<Arc<Gateway>>, settings: &ConsoleSettings) -> Router<Arc<Gateway>> {
    let console = Router::new()
        .route(CONSOLE, open(Methods::Get).get(page))
        .route("/console/", open(Methods::Get).get(to_page))
        .route(CONSOLE_CALLBACK, open(Methods::Get).get(page))
        .route(CONSOLE_ABOUT, open(Methods::Get).get(about::show))
        .route(CONSOLE_ASSET, open(Methods::Get).get(asset))
        .route("/console/{*other}", any(unknown))
        .merge(docs::routes())
        .layer(from_fn_with_state(policy(settings), protect));
    router.merge(console)
}

/// Sends a browser to the console.
pub(super) fn redirect() -> Response {
    let headers = [
        (header::LOCATION, HeaderValue::from_static(CONSOLE)),
        (header::VARY, HeaderValue::from_static("Accept")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

async fn page(headers: HeaderMap, State(gateway): State<Arc<Gateway>>) -> Response {
    files::page(&headers, gateway.compression)
}

async fn to_page() -> Response {
    (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, CONSOLE)]).into_response()
}

async fn asset(
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    State(gateway): State<Arc<Gateway>>,
) -> Result<Response, Refusal> {
    files::asset(&name, &headers, gateway.compression).ok_or_else(|| Refusal::not_found(uri.path()))
}

/// A file that is not there is no page either: a script in its place would be markup.
async fn unknown(uri: Uri) -> Refusal {
    Refusal::not_found(uri.path())
}

/// What the page may do. It has no nonce, since it has an `ETag`, and a nonce would outlive its answer.
fn policy(settings: &ConsoleSettings) -> HeaderValue {
    let issuer = settings.oidc.as_ref().and_then(|oidc| origin(&oidc.issuer));
    let issuer = issuer.map_or(String::new(), |issuer| format!(" {issuer}"));
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; \
         connect-src 'self'{issuer}; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    // An origin is what a URL's parser has accepted, so it fits into a header.
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// Scheme, host and port of a URL.
fn origin(url: &str) -> Option<String> {
    let url: Uri = url.parse().ok()?;
    Some(format!("{}://{}", url.scheme_str()?, url.authority()?))
}

async fn protect(State(policy): State<HeaderValue>, request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::ConsoleIssuer;

    #[test]
    fn the_policy_names_the_issuer_by_its_origin_alone() {
        let of = |issuer: &str| {
            let oidc = ConsoleIssuer { issuer: issuer.to_owned(), client_id: String::new(), scopes: Vec::new() };
            let policy = policy(&ConsoleSettings { oidc: Some(oidc) });
            policy.to_str().unwrap().split("; ").find(|rule| rule.starts_with("connect-src")).unwrap().to_owned()
        };
        assert_eq!(of("https://idp.example:8443/realms/a"), "connect-src 'self' https://idp.example:8443");
        for nonsense in ["", "idp.example", "https://a b", "https://idp.example; script-src *"] {
            assert_eq!(of(nonsense), "connect-src 'self'", "{nonsense}");
        }
    }
}
