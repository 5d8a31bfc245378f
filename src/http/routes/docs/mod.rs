//! `GET /docs`: a page that renders the description of the API, and the files that it consists of.
//!
//! Promises that the page loads nothing from elsewhere. It needs no credentials and no database, and knows only what
//! `GET /openapi.json` says. Served with the console, whose headers it has.

use std::sync::Arc;

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};

use super::open;
use crate::http::{
    etag,
    gateway::Gateway,
    methods::Methods,
    path::{DOCS, DOCS_FILE},
    refusal::Refusal,
};

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The page.
const PAGE: File = File { kind: "text/html; charset=utf-8", content: include_str!("page.html") };
/// What it loads, by name.
const FILES: [(&str, File); 6] = [
    ("style.css", File { kind: "text/css; charset=utf-8", content: include_str!("style.css") }),
    ("app.js", File { kind: SCRIPT, content: include_str!("app.js") }),
    ("dom.js", File { kind: SCRIPT, content: include_str!("dom.js") }),
    ("operation.js", File { kind: SCRIPT, content: include_str!("operation.js") }),
    ("request.js", File { kind: SCRIPT, content: include_str!("request.js") }),
    ("schema.js", File { kind: SCRIPT, content: include_str!("schema.js") }),
];

struct File {
    kind: &'static str,
    content: &'static str,
}

/// The routes of the page.
pub(super) fn routes() -> Router<Arc<Gateway>> {
    Router::new().route(DOCS, open(Methods::Get).get(page)).route(DOCS_FILE, open(Methods::Get).get(file))
}

async fn page(headers: HeaderMap) -> Response {
    PAGE.answer(&headers)
}

async fn file(Path(name): Path<String>, uri: Uri, headers: HeaderMap) -> Result<Response, Refusal> {
    let found = FILES.iter().find(|(known, _)| *known == name);
    found.map(|(_, file)| file.answer(&headers)).ok_or_else(|| Refusal::not_found(uri.path()))
}

impl File {
    /// Answers with the file, unless the client has it already.
    fn answer(&self, request: &HeaderMap) -> Response {
        let tag = etag::tag(self.content.as_bytes());
        let is_known = etag::is_known(request, &tag);
        let headers = [(header::ETAG, tag), (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
        if is_known {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        (headers, [(header::CONTENT_TYPE, self.kind)], self.content).into_response()
    }
}
