//! The console's files, as they were built from `console/`.
//!
//! Promises that a name with a hash in it always means the same bytes, so that browsers may keep them for a year, and
//! that they are compressed once.

use std::{collections::HashMap, io::Write as _, sync::LazyLock};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use flate2::{Compression, write::GzEncoder};

use crate::http::{etag, media};

/// The page and all other files, by their names: written by the build of the console.
const PAGE: &[u8] = include_bytes!("../../../../console/dist/index.html");
const ASSETS: &[(&str, &[u8])] = include!("../../../../console/dist/assets.rs");

/// As long as a browser keeps anything.
const FOREVER: &str = "public, max-age=31536000, immutable";

static FILES: LazyLock<Files> = LazyLock::new(|| Files {
    tag: etag::tag(PAGE),
    page: File::new("index.html", PAGE),
    assets: ASSETS.iter().map(|(name, content)| (*name, File::new(name, content))).collect(),
});

struct Files {
    tag: HeaderValue,
    page: File,
    assets: HashMap<&'static str, File>,
}

struct File {
    kind: &'static str,
    plain: &'static [u8],
    /// In gzip; nothing if it could not be compressed.
    packed: Option<Bytes>,
}

/// Answers with the page, unless the client has it already.
pub(super) fn page(request: &HeaderMap, compression: bool) -> Response {
    let Files { tag, page, .. } = &*FILES;
    let headers = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
    if etag::is_known(request, tag) {
        return (StatusCode::NOT_MODIFIED, headers, vary(compression)).into_response();
    }
    (headers, page.answer(request, compression)).into_response()
}

/// Answers with the file of that name; `None` if it does not exist.
pub(super) fn asset(name: &str, request: &HeaderMap, compression: bool) -> Option<Response> {
    let file = FILES.assets.get(name)?;
    Some(([(header::CACHE_CONTROL, FOREVER)], file.answer(request, compression)).into_response())
}

impl File {
    fn new(name: &str, plain: &'static [u8]) -> Self {
        let kind = match name.rsplit_once('.') {
            Some((_, "html")) => "text/html; charset=utf-8",
            Some((_, "js")) => "text/javascript; charset=utf-8",
            Some((_, "css")) => "text/css; charset=utf-8",
            Some((_, "svg")) => "image/svg+xml",
            _ => "application/octet-stream",
        };
        Self { kind, plain, packed: packed(plain).ok() }
    }

    fn answer(&self, request: &HeaderMap, compression: bool) -> Response {
        let kind = [(header::CONTENT_TYPE, self.kind)];
        let packed = self.packed.as_ref().filter(|_| compression && media::accepts_gzip(request));
        match packed {
            Some(packed) => {
                let coding = [(header::CONTENT_ENCODING, "gzip")];
                (kind, coding, vary(compression), Body::from(packed.clone())).into_response()
            }
            None => (kind, vary(compression), Body::from(self.plain)).into_response(),
        }
    }
}

/// What an answer depends on.
fn vary(compression: bool) -> HeaderMap {
    let by = compression.then_some((header::VARY, HeaderValue::from_static("Accept-Encoding")));
    by.into_iter().collect()
}

fn packed(plain: &[u8]) -> std::io::Result<Bytes> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(plain)?;
    Ok(packer.finish()?.into())
}
