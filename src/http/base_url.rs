//! The URL under which a client reached the gateway, for answers that contain URLs.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
};

use super::guard::Authority;

/// The connection that a request came by: an extension of every request in the table of routes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CameBy {
    /// A trusted proxy is at the other end.
    pub(super) proxied: bool,
    /// The connection is encrypted.
    pub(super) tls: bool,
}

impl CameBy {
    pub(super) fn of(parts: &Parts) -> Self {
        parts.extensions.get().copied().unwrap_or_default()
    }

    /// Whether the client's own connection, to the gateway or to the proxy, is encrypted.
    pub(super) fn is_https(self, headers: &HeaderMap) -> bool {
        let forwarded = self.forwarded(headers, "x-forwarded-proto");
        forwarded.map_or(self.tls, |scheme| scheme.eq_ignore_ascii_case(b"https"))
    }

    /// The host and port that the client asked for, as a trusted proxy forwards them.
    pub(super) fn forwarded_host(self, headers: &HeaderMap) -> Option<Authority<'_>> {
        self.forwarded(headers, "x-forwarded-host").and_then(Authority::parse)
    }

    /// The first value of a comma-separated header, if it is a trusted proxy's.
    fn forwarded<'a>(self, headers: &'a HeaderMap, name: &str) -> Option<&'a [u8]> {
        if !self.proxied {
            return None;
        }
        headers.get(name)?.as_bytes().split(|&byte| byte == b',').next().map(<[u8]>::trim_ascii)
    }
}

/// Scheme, host and port, as the client knows them. What a trusted proxy forwards takes precedence. An extractor.
#[derive(Debug)]
pub(super) struct BaseUrl {
    scheme: &'static str,
    /// An IPv6 address has its brackets.
    pub(super) host: String,
    port: Option<u16>,
}

impl BaseUrl {
    pub(super) fn of(parts: &Parts) -> Self {
        // Only a request in HTTP/1.0 may lack a host.
        let own = Authority::of(parts);
        let (host, port) = own.map_or(("localhost", None), |own| (own.text(), own.port));
        let came_by = CameBy::of(parts);
        let https = came_by.is_https(&parts.headers);
        let (host, port) = match came_by.forwarded_host(&parts.headers) {
            // A proxy that forwards no port is assumed to have kept it.
            Some(forwarded) => (forwarded.text(), forwarded.port.or(port)),
            None => (host, port),
        };
        Self { scheme: if https { "https" } else { "http" }, host: host.to_owned(), port }
    }

    /// The URL, without a trailing slash.
    pub(super) fn url(&self) -> String {
        let Self { scheme, host, port } = self;
        match port {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for BaseUrl {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn base_url(headers: &[(&str, &str)], proxied: bool) -> BaseUrl {
        let request = headers.iter().fold(Request::builder(), |request, (name, value)| request.header(*name, *value));
        BaseUrl::of(&request.extension(CameBy { proxied, tls: false }).body(()).unwrap().into_parts().0)
    }

    #[test]
    fn an_encrypted_connection_is_https_unless_a_trusted_proxy_says_otherwise() {
        for (proxied, forwarded, scheme) in [
            (false, None, "https"),
            (false, Some("http"), "https"),
            (true, None, "https"),
            (true, Some("http"), "http"),
        ] {
            let request = Request::builder().header("host", "h").extension(CameBy { proxied, tls: true });
            let request =
                forwarded.into_iter().fold(request, |request, value| request.header("x-forwarded-proto", value));
            let url = BaseUrl::of(&request.body(()).unwrap().into_parts().0).url();
            assert_eq!(url, format!("{scheme}://h"), "{proxied} {forwarded:?}");
        }
    }

    #[test]
    fn the_url_is_the_one_that_the_client_used() {
        for (headers, url, host) in [
            (&[("host", "h:7474")][..], "http://h:7474", "h"),
            (&[("host", "h")], "http://h", "h"),
            (&[("host", "[::1]:7474")], "http://[::1]:7474", "[::1]"),
            (
                &[("host", "h:7474"), ("x-forwarded-host", "ex.com, b"), ("x-forwarded-proto", "https, http")],
                "https://ex.com:7474",
                "ex.com",
            ),
            (&[("host", "h:7474"), ("x-forwarded-host", "ex.com:443")], "http://ex.com:443", "ex.com"),
            (
                &[("host", "h:7474"), ("x-forwarded-host", "[2001:db8::1]:443")],
                "http://[2001:db8::1]:443",
                "[2001:db8::1]",
            ),
            (
                &[("host", "h:7474"), ("x-forwarded-host", "evil\"><"), ("x-forwarded-proto", "javascript")],
                "http://h:7474",
                "h",
            ),
        ] {
            let base = base_url(headers, true);
            assert_eq!((base.url().as_str(), base.host.as_str()), (url, host));
        }
    }

    #[test]
    fn forwarded_headers_count_only_behind_a_trusted_proxy() {
        let headers = [("host", "h:7474"), ("x-forwarded-host", "ex.com"), ("x-forwarded-proto", "https")];
        assert_eq!(base_url(&headers, false).url(), "http://h:7474");
    }
}
