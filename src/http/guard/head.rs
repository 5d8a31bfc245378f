//! What a request's head says of the gateway's name and of the page that sends it.

use axum::http::{HeaderMap, HeaderValue};

/// The headers that browsers set by themselves, and by which pages are told apart.
#[derive(Debug, Default)]
pub(super) struct Head<'a> {
    /// The last `Host`.
    pub(super) host: Option<&'a HeaderValue>,
    /// Whether there are more.
    pub(super) more_hosts: bool,
    pub(super) origin: Option<&'a HeaderValue>,
    pub(super) sec_fetch_site: Option<&'a HeaderValue>,
    /// `X-Ajax-Browser-Auth: true`: the page asks for a password itself.
    pub(super) prompts_itself: bool,
}

impl<'a> Head<'a> {
    /// Finds all of it in one pass: a search for each name costs a small request three times as much.
    pub(super) fn of(headers: &'a HeaderMap) -> Self {
        let mut head = Self::default();
        for (name, value) in headers {
            match name.as_str() {
                "host" => {
                    head.more_hosts = head.host.is_some();
                    head.host = Some(value);
                }
                "origin" => head.origin = Some(value),
                "sec-fetch-site" => head.sec_fetch_site = Some(value),
                "x-ajax-browser-auth" => head.prompts_itself = value == "true",
                _ => {}
            }
        }
        head
    }
}
