//! Whether a request comes from a page of another origin, according to the browser.

use axum::http::HeaderValue;

use super::{
    authority::{Authority, HTTP_PORT, HTTPS_PORT},
    head::Head,
};

/// Whether the request was sent by a page of another origin than `own`, the gateway's authority. Clients that are not
/// browsers send neither header.
pub(super) fn is_foreign(head: &Head<'_>, own: Option<&Authority<'_>>) -> bool {
    match head.sec_fetch_site {
        Some(site) => site != "same-origin" && site != "none",
        // Browsers omit it over plain HTTP, except to loopback.
        None => is_unknown(head, own),
    }
}

/// Whether the request names an origin other than `own`, whatever else the browser says.
pub(super) fn is_unknown(head: &Head<'_>, own: Option<&Authority<'_>>) -> bool {
    head.repeats_origin || head.origin.is_some_and(|origin| !own.is_some_and(|own| is_own(origin, own)))
}

/// Whether `origin` has the host and port of `own`. The scheme is ignored: TLS may end in front of the gateway.
fn is_own(origin: &HeaderValue, own: &Authority<'_>) -> bool {
    let Some((scheme, authority)) = origin.to_str().ok().and_then(|origin| origin.split_once("://")) else {
        return false;
    };
    let default = if scheme == "https" { HTTPS_PORT } else { HTTP_PORT };
    Authority::parse(authority.as_bytes()).is_some_and(|authority| authority.is_same(own, default))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName};

    use super::*;

    fn foreign(host: Option<&str>, headers: &[(&'static str, &str)]) -> bool {
        let own = host.map(|host| Authority::parse(host.as_bytes()).expect(host));
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).expect(value))
        };
        let headers: HeaderMap = headers.iter().map(pair).collect();
        is_foreign(&Head::of(&headers), own.as_ref())
    }

    #[test]
    fn sec_fetch_site_takes_precedence() {
        for (site, expected) in [
            ("same-origin", false),
            ("none", false),
            ("same-site", true),
            ("cross-site", true),
            ("Same-Origin", true),
            ("", true),
        ] {
            for origin in ["http://h", "http://evil.example", "null"] {
                let headers = [("sec-fetch-site", site), ("origin", origin)];
                assert_eq!(foreign(Some("h"), &headers), expected, "{site} {origin}");
            }
            assert_eq!(foreign(None, &[("sec-fetch-site", site)]), expected, "{site}");
        }
    }

    #[test]
    fn without_it_the_origin_must_match_the_host() {
        for (host, origin, expected) in [
            ("h:7474", "http://h:7474", false),
            ("H:7474", "http://h:7474", false),
            ("h", "http://h", false),
            ("h:80", "http://h", false),
            // TLS ends in front of the gateway.
            ("h", "https://h", false),
            ("h:443", "https://h", false),
            ("[::1]:7474", "http://[::1]:7474", false),
            ("h:7474", "http://h", true),
            ("h:80", "https://h", true),
            ("h:7474", "http://h:7475", true),
            ("h:7474", "http://x.h:7474", true),
            ("h:7474", "http://h:7474.evil.example", true),
            ("h", "null", true),
            ("h", "", true),
            ("h", "h", true),
            ("h", "http://h/", true),
            ("h", "http://evil@h", true),
        ] {
            assert_eq!(foreign(Some(host), &[("origin", origin)]), expected, "{host} {origin}");
        }
        assert!(foreign(None, &[("origin", "http://h")]));
    }

    #[test]
    fn a_request_without_either_header_is_not_foreign() {
        assert!(!foreign(Some("h"), &[]));
        assert!(!foreign(None, &[]));
    }
}
