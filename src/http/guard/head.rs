//! The headers by which the guard judges a request.

use axum::http::{HeaderMap, HeaderValue};

/// The request's headers for its host and its origin, most of which browsers set themselves.
#[derive(Debug, Default)]
pub(super) struct Head<'a> {
    /// The last `Host` header.
    pub(super) host: Option<&'a HeaderValue>,
    /// Whether `Host` is repeated.
    pub(super) repeats_host: bool,
    /// The last `Origin` header.
    pub(super) origin: Option<&'a HeaderValue>,
    /// Whether `Origin` is repeated, which no browser does.
    pub(super) repeats_origin: bool,
    /// Whether there is an `Upgrade` header.
    pub(super) upgrades: bool,
    pub(super) sec_fetch_site: Option<&'a HeaderValue>,
    /// `X-Ajax-Browser-Auth: true`: the page prompts for a password itself.
    pub(super) prompts_itself: bool,
}

impl<'a> Head<'a> {
    /// Collects the headers in one pass. A lookup per name costs a small request three times as much.
    pub(super) fn of(headers: &'a HeaderMap) -> Self {
        let mut head = Self::default();
        for (name, value) in headers {
            match name.as_str() {
                "host" => {
                    head.repeats_host = head.host.is_some();
                    head.host = Some(value);
                }
                "origin" => {
                    head.repeats_origin = head.origin.is_some();
                    head.origin = Some(value);
                }
                "upgrade" => head.upgrades = true,
                "sec-fetch-site" => head.sec_fetch_site = Some(value),
                "x-ajax-browser-auth" => head.prompts_itself = value == "true",
                _ => {}
            }
        }
        head
    }
}
