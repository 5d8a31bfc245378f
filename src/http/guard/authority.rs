//! The name that a request calls the gateway by: `Host`, `:authority`, or the authority of an absolute target.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use axum::{
    extract::Request,
    http::{Version, header, uri},
};

/// The default port of `http`.
pub(super) const HTTP_PORT: u16 = 80;
/// The default port of `https`.
pub(super) const HTTPS_PORT: u16 = 443;

/// A host, and a port if one is given: `localhost`, `10.0.0.7:7474`, `[::1]:7474`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) struct Authority<'a> {
    /// The host as it was written; an IPv6 address has its brackets.
    pub(in crate::http) text: &'a str,
    pub(super) host: Host<'a>,
    pub(in crate::http) port: Option<u16>,
}

/// What the text of a host stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Host<'a> {
    /// Without the dot at the end that makes it absolute.
    Name(&'a str),
    Address(IpAddr),
}

impl<'a> Authority<'a> {
    /// Longest name of a host, in bytes: that of DNS, and its dot.
    const LONGEST: usize = 254;

    /// Reads `HOST[:PORT]`; `None` if it is anything else.
    pub(in crate::http) fn parse(value: &'a [u8]) -> Option<Self> {
        let value = str::from_utf8(value).ok()?;
        let end = match value.strip_prefix('[') {
            Some(inside) => inside.find(']')? + 2,
            None => value.find(':').unwrap_or(value.len()),
        };
        let (text, rest) = value.split_at_checked(end)?;
        let port = match rest.strip_prefix(':') {
            None if rest.is_empty() => None,
            None => return None,
            // A colon with nothing behind it is valid, and says nothing.
            Some("") => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
            Some(_) => return None,
        };
        Some(Self { text, host: Host::parse(text)?, port })
    }

    /// The authority that `request` names, if it has to name one: only HTTP/1.0 leaves it out.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(in crate::http) fn of(request: &'a Request) -> Result<Option<Self>, &'static str> {
        let mut hosts = request.headers().get_all(header::HOST).iter();
        let host = hosts.next();
        if hosts.next().is_some() {
            return Err("there is more than one Host header; send one");
        }
        let host = match host.map(|host| Self::parse(host.as_bytes())) {
            Some(None) => return Err("the Host header is not HOST or HOST:PORT"),
            None if request.version() == Version::HTTP_11 => return Err("there is no Host header; send one"),
            host => host.flatten(),
        };
        let Some(target) = request.uri().authority() else {
            return match host {
                None if request.version() > Version::HTTP_11 => Err("there is no :authority"),
                host => Ok(host),
            };
        };
        let target = Self::parse(target.as_str().as_bytes()).ok_or("the request's target does not name a host")?;
        match host {
            Some(host) if !host.is(&target, default_port(request.uri())) => {
                Err("the Host header and the request's target name different hosts")
            }
            _ => Ok(Some(target)),
        }
    }

    /// Whether both name the same host and port, where no port means `default`.
    pub(super) fn is(&self, other: &Self, default: u16) -> bool {
        let hosts = match (self.host, other.host) {
            (Host::Name(one), Host::Name(other)) => one.eq_ignore_ascii_case(other),
            (one, other) => one == other,
        };
        hosts && self.port.unwrap_or(default) == other.port.unwrap_or(default)
    }
}

impl<'a> Host<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        if let Some(address) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
            return Some(Self::Address(address.parse::<Ipv6Addr>().ok()?.into()));
        }
        let fit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        let name = text.strip_suffix('.').unwrap_or(text);
        if name.is_empty() || text.len() > Authority::LONGEST || !text.bytes().all(fit) {
            return None;
        }
        let address = text.ends_with(|end: char| end.is_ascii_digit()).then(|| text.parse::<Ipv4Addr>().ok());
        Some(address.flatten().map_or(Self::Name(name), |address| Self::Address(address.into())))
    }
}

fn default_port(target: &uri::Uri) -> u16 {
    if target.scheme() == Some(&uri::Scheme::HTTPS) { HTTPS_PORT } else { HTTP_PORT }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn hosts_and_ports_are_told_apart() {
        let name = |text, port| Some(Authority { text, host: Host::Name(text), port });
        let address = |text, of: &str, port| Some(Authority { text, host: Host::Address(of.parse().unwrap()), port });
        for (text, expected) in [
            ("localhost", name("localhost", None)),
            ("localhost:7474", name("localhost", Some(7474))),
            ("graph_db-1.example:", name("graph_db-1.example", None)),
            ("10.0.0.7:80", address("10.0.0.7", "10.0.0.7", Some(80))),
            ("[::1]:7474", address("[::1]", "::1", Some(7474))),
            ("[fe80::1]", address("[fe80::1]", "fe80::1", None)),
            // No address: programs would disagree about which.
            ("127.1", name("127.1", None)),
            ("0127.0.0.1", name("0127.0.0.1", None)),
        ] {
            assert_eq!(Authority::parse(text.as_bytes()), expected, "{text}");
        }
        let absolute = Authority::parse(b"h.example.:1").unwrap();
        assert_eq!((absolute.text, absolute.host), ("h.example.", Host::Name("h.example")));
    }

    #[test]
    fn what_is_no_authority() {
        let long = "x".repeat(255);
        for text in [
            "", ":80", ".", "a b", "a b<>\"", "a,b", "user@h", "h:x", "h:+1", "h:65536", "h:1:2", "::1", "[::1", "[x]",
            "[::1]x", "[]", "h/", "h?x", "h\\", "ä", "%41", &long,
        ] {
            assert_eq!(Authority::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(Authority::parse(b"h\xff"), None);
    }

    fn of(version: Version, target: &str, hosts: &[&str]) -> Result<Option<String>, &'static str> {
        let mut request = Request::builder().version(version).uri(target);
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        let request = request.body(Body::empty()).unwrap();
        Authority::of(&request).map(|authority| authority.map(|authority| authority.text.to_owned()))
    }

    #[test]
    fn a_request_names_exactly_one() {
        let named = |host: &str| Ok(Some(host.to_owned()));
        assert_eq!(of(Version::HTTP_11, "/", &["h"]), named("h"));
        assert_eq!(of(Version::HTTP_10, "/", &[]), Ok(None));
        assert_eq!(of(Version::HTTP_10, "/", &["h:1"]), named("h"));
        assert_eq!(of(Version::HTTP_11, "http://h/", &["H:80"]), named("h"));
        assert_eq!(of(Version::HTTP_11, "https://h/", &["h:443"]), named("h"));
        assert_eq!(of(Version::HTTP_11, "http://[::1]/", &["[0:0:0:0:0:0:0:1]"]), named("[::1]"));
        assert_eq!(of(Version::HTTP_2, "http://h:1/", &[]), named("h"));
        assert_eq!(of(Version::HTTP_2, "http://h:1/", &["h:1"]), named("h"));
        for (version, target, hosts) in [
            (Version::HTTP_11, "/", &[][..]),
            (Version::HTTP_11, "http://h/", &[]),
            (Version::HTTP_11, "/", &["h", "h"]),
            (Version::HTTP_11, "/", &["h,h"]),
            (Version::HTTP_11, "/", &[""]),
            (Version::HTTP_11, "http://other/", &["h"]),
            (Version::HTTP_11, "http://h:81/", &["h"]),
            (Version::HTTP_11, "http://h:443/", &["h"]),
            (Version::HTTP_11, "http://user@h/", &["h"]),
            (Version::HTTP_10, "/", &["h", "h"]),
            (Version::HTTP_2, "/", &[]),
            (Version::HTTP_2, "http://h/", &["other"]),
        ] {
            assert!(of(version, target, hosts).is_err(), "{version:?} {target} {hosts:?}");
        }
    }
}
