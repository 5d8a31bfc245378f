//! Fetches the documents of an issuer: its discovery document and its keys.

use std::{sync::Arc, time::Duration};

use hyper::{StatusCode, body::Bytes, header};
use rustls::ClientConfig;
use thiserror::Error;
use tokio::time::Instant;

use crate::http_client::{self, Url, UrlError};

/// The time for everything that it takes to get an issuer's keys: connecting, TLS, and all answers.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);
/// The longest document, in bytes.
const MAX_DOCUMENT: usize = 256 * 1024;

/// Fetches documents of one issuer.
#[derive(Clone)]
pub(super) struct Fetcher {
    pub(super) tls: Arc<ClientConfig>,
    pub(super) allow_http: bool,
}

/// A document that was fetched.
pub(super) struct Document {
    pub(super) body: Bytes,
    /// How long it may be kept, if the server says so.
    pub(super) max_age: Option<Duration>,
}

/// Why a document could not be fetched.
#[derive(Debug, Error)]
pub(super) enum FetchError {
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error("it is not https:// (set allow_http to allow that)")]
    NotHttps,
    #[error(transparent)]
    Http(#[from] http_client::Error),
    #[error("the answer is a redirect ({0}), which is not followed; set the address that it leads to")]
    Redirect(StatusCode),
    #[error("the answer is {0}")]
    Status(StatusCode),
}

impl Fetcher {
    /// Fetches the document at `address`.
    ///
    /// # Errors
    /// [`FetchError`], no later than `deadline`.
    pub(super) async fn get(&self, address: &str, deadline: Instant) -> Result<Document, FetchError> {
        let url = self.check(address)?;
        let answer = http_client::get(&url, Some(&self.tls), &[], deadline).await?;
        match answer.status() {
            StatusCode::OK => {}
            status if status.is_redirection() => return Err(FetchError::Redirect(status)),
            status => return Err(FetchError::Status(status)),
        }
        let cache_control = answer.headers().get(header::CACHE_CONTROL);
        let max_age = cache_control.and_then(|value| max_age(value.as_bytes()));
        Ok(Document { body: answer.read(MAX_DOCUMENT).await?, max_age })
    }

    /// Parses `address`, if documents may be fetched from there.
    ///
    /// # Errors
    /// [`FetchError::Url`], [`FetchError::NotHttps`].
    pub(super) fn check(&self, address: &str) -> Result<Url, FetchError> {
        let url: Url = address.parse()?;
        if url.is_https() || self.allow_http { Ok(url) } else { Err(FetchError::NotHttps) }
    }
}

/// Reads `max-age` from the value of `Cache-Control`. A malformed one counts as absent.
fn max_age(value: &[u8]) -> Option<Duration> {
    let directives = str::from_utf8(value).ok()?.split(',').map(str::trim);
    directives
        .filter_map(|directive| directive.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("max-age"))
        .and_then(|(_, seconds)| seconds.trim().trim_matches('"').parse().ok())
        .map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_of_a_document() {
        for (value, age) in [
            ("max-age=60", Some(60)),
            ("public, Max-Age = \"7\", must-revalidate", Some(7)),
            ("no-cache", None),
            ("max-age", None),
            ("max-age=", None),
            ("max-age=-1", None),
            ("max-age=99999999999999999999", None),
            ("s-maxage=5", None),
            (",,=,=;", None),
        ] {
            assert_eq!(max_age(value.as_bytes()), age.map(Duration::from_secs), "{value}");
        }
        assert_eq!(max_age(b"\xff"), None);
    }

    #[test]
    fn addresses_are_https_unless_http_is_allowed() {
        let fetcher = |allow_http| Fetcher { tls: crate::tls::unverified().unwrap(), allow_http };
        for allow_http in [false, true] {
            let allows = |address| fetcher(allow_http).check(address).is_ok();
            assert!(allows("https://i.example/keys"));
            assert_eq!(allows("http://i.example/keys"), allow_http);
            assert!(!allows("ftp://i.example/keys"));
        }
    }
}
