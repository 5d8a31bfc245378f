//! The key that a client gives its request, and what tells the request from others.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts};

use crate::query::{Error, OFFLOAD_ABOVE, offload};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Longest key, in bytes.
const LONGEST: usize = 255;
/// Headers that begin so say how a request is to be carried out.
const OURS: &str = "boltgate-";

/// What a client calls a request, so that it is known again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::http) struct Key(Arc<str>);

impl Key {
    /// In bytes.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Some key.
    #[cfg(test)]
    pub(super) fn sample(text: &str) -> Self {
        Self(text.into())
    }
}

/// The key in the headers, if there is one.
///
/// # Errors
/// When it is given twice, or is none.
pub(in crate::http) fn key(headers: &HeaderMap) -> Result<Option<Key>, Error> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Error::bad_request("there are two headers Idempotency-Key; send one"));
    }
    let is_key = |text: &&str| (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    match value.to_str().ok().filter(is_key) {
        Some(text) => Ok(Some(Key(text.into()))),
        None => Err(Error::bad_request(&format!(
            "the header Idempotency-Key is not 1 to {LONGEST} visible ASCII characters without spaces"
        ))),
    }
}

/// Equal for requests that ask for the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) struct Fingerprint([u8; blake3::OUT_LEN]);

/// Of all of a request that decides on its answer, but who is asking.
pub(in crate::http) async fn fingerprint(parts: &Parts, body: &Bytes) -> Fingerprint {
    let mut hasher = Hasher(blake3::Hasher::new());
    hasher.part(parts.method.as_str().as_bytes());
    hasher.part(parts.uri.path().as_bytes());
    hasher.list(parts.uri.query().into_iter().map(str::as_bytes));
    let mut ours: Vec<_> = parts.headers.keys().filter(|name| name.as_str().starts_with(OURS)).collect();
    // Headers of different names may be sent in any order.
    ours.sort_unstable_by_key(|name| name.as_str());
    for name in [&header::ACCEPT, &header::CONTENT_TYPE].into_iter().chain(ours) {
        hasher.part(name.as_str().as_bytes());
        hasher.list(parts.headers.get_all(name).iter().map(HeaderValue::as_bytes));
    }
    if body.len() <= OFFLOAD_ABOVE {
        hasher.part(body);
    } else {
        let body = body.clone();
        hasher = offload(move || {
            hasher.part(&body);
            hasher
        })
        .await;
    }
    Fingerprint(hasher.0.finalize().into())
}

/// Lengths in front keep what ends one part out of the next.
struct Hasher(blake3::Hasher);

impl Hasher {
    fn part(&mut self, part: &[u8]) {
        self.0.update(&part.len().to_le_bytes());
        self.0.update(part);
    }

    fn list<'a>(&mut self, parts: impl Iterator<Item = &'a [u8]>) {
        let parts: Vec<_> = parts.collect();
        self.0.update(&parts.len().to_le_bytes());
        parts.into_iter().for_each(|part| self.part(part));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use axum::http::Request;
    use futures_util::FutureExt as _;

    use super::*;

    fn read(values: &[&[u8]]) -> Result<Option<Key>, Error> {
        let value = |bytes: &&[u8]| (IDEMPOTENCY_KEY, HeaderValue::from_bytes(bytes).unwrap());
        let mut headers = HeaderMap::new();
        for (name, value) in values.iter().map(value) {
            headers.append(name, value);
        }
        key(&headers)
    }

    #[test]
    fn a_key_is_visible_ascii() {
        assert_eq!(read(&[]), Ok(None));
        let longest = [b'x'; LONGEST];
        for good in [&b"a"[..], b"!~", b"\"8e03978e-40d5-43dd-bc93-6894a57f9324\"", &longest] {
            assert_eq!(read(&[good]), Ok(Some(Key::sample(str::from_utf8(good).unwrap()))));
        }
        for bad in [&b""[..], b"a b", b"a\tb", b"\x80", "\u{e9}".as_bytes(), &[b'x'; LONGEST + 1]] {
            let error = read(&[bad]).unwrap_err();
            assert!(error.message.ends_with("is not 1 to 255 visible ASCII characters without spaces"), "{error}");
        }
        assert!(read(&[b"a", b"a"]).unwrap_err().message.contains("two headers"));
    }

    fn of(method: &str, uri: &str, headers: &[(&str, &str)], body: &str) -> Fingerprint {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        fingerprint(&parts, &Bytes::copy_from_slice(body.as_bytes())).now_or_never().unwrap()
    }

    #[test]
    fn what_asks_for_something_else_is_told_apart() {
        let different = [
            of("POST", "/db/a", &[], "{}"),
            of("DELETE", "/db/a", &[], "{}"),
            of("POST", "/db/b", &[], "{}"),
            of("POST", "/db/a?", &[], "{}"),
            of("POST", "/db/a?x", &[], "{}"),
            of("POST", "/db/a", &[("accept", "x")], "{}"),
            of("POST", "/db/a", &[("accept", "x"), ("accept", "y")], "{}"),
            of("POST", "/db/a", &[("accept", "y"), ("accept", "x")], "{}"),
            of("POST", "/db/a", &[("accept", "xy"), ("accept", "z")], "{}"),
            of("POST", "/db/a", &[("accept", "x"), ("accept", "yz")], "{}"),
            of("POST", "/db/a", &[("content-type", "x")], "{}"),
            of("POST", "/db/a", &[("boltgate-statuses", "precise")], "{}"),
            of("POST", "/db/a", &[("boltgate-statuse", "sprecise")], "{}"),
            of("POST", "/db/a", &[("boltgate-impersonated-user", "precise")], "{}"),
            of("POST", "/db/a", &[], "{} "),
            of("POST", "/db/a{", &[], "}"),
        ];
        let apart: HashSet<_> = different.iter().map(|fingerprint| fingerprint.0).collect();
        assert_eq!(apart.len(), different.len());
    }

    #[test]
    fn what_asks_for_the_same_is_the_same() {
        let first = of("POST", "/db/a", &[("boltgate-a", "1"), ("boltgate-b", "2"), ("date", "x")], "{}");
        let second =
            of("POST", "http://x/db/a", &[("boltgate-b", "2"), ("user-agent", "y"), ("boltgate-a", "1")], "{}");
        assert_eq!(first, second);
    }
}
