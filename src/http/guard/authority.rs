//! The host that a request is addressed to: `Host`, `:authority`, or the authority of an absolute target.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::{
    Version,
    request::Parts,
    uri::{Scheme, Uri},
};

use super::head::Head;

/// The default port of `http`.
pub(super) const HTTP_PORT: u16 = 80;
/// The default port of `https`.
pub(super) const HTTPS_PORT: u16 = 443;

/// A host with an optional port: `localhost`, `10.0.0.7:7474`, `[::1]:7474`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) struct Authority<'a> {
    /// The host as it was written, in ASCII. An IPv6 address keeps its brackets.
    pub(super) written: &'a [u8],
    pub(in crate::http) port: Option<u16>,
}

/// A host, parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Host<'a> {
    /// A name in ASCII, without the trailing dot that makes it absolute.
    Name(&'a [u8]),
    Address(IpAddr),
}

impl<'a> Authority<'a> {
    /// The longest host name, in bytes: the limit of DNS and a trailing dot.
    const MAX_LEN: usize = 254;

    /// Parses `HOST[:PORT]`; `None` if `value` is anything else.
    pub(in crate::http) fn parse(value: &'a [u8]) -> Option<Self> {
        let end = match value.strip_prefix(b"[") {
            Some(inside) => inside.iter().position(|&byte| byte == b']')? + 2,
            None => value.iter().position(|&byte| !is_name_byte(byte)).unwrap_or(value.len()),
        };
        let (host, port) = value.split_at_checked(end)?;
        let is_host = match host {
            [b'[', ..] => bracketed_ipv6(host).is_some(),
            b"" | b"." => false,
            _ => host.len() <= Self::MAX_LEN,
        };
        if !is_host {
            return None;
        }
        let port = match port {
            // A colon without a port is valid.
            [] | [b':'] => None,
            [b':', digits @ ..] => Some(digits.iter().try_fold(0_u16, |port, &digit| {
                let digit = char::from(digit).to_digit(10)?;
                port.checked_mul(10)?.checked_add(digit.try_into().ok()?)
            })?),
            _ => return None,
        };
        Some(Self { written: host, port })
    }

    /// Returns the authority of a request to `target`. Only HTTP/1.0 requests may lack one.
    ///
    /// # Errors
    /// A message if the authority is missing, ambiguous or malformed.
    pub(super) fn of_head(version: Version, target: &'a Uri, head: &Head<'a>) -> Result<Option<Self>, &'static str> {
        if head.repeats_host {
            return Err("the request has more than one Host header; send exactly one");
        }
        let host = match head.host.map(|host| Self::parse(host.as_bytes())) {
            Some(None) => return Err("the Host header is not HOST or HOST:PORT"),
            None if version == Version::HTTP_11 => return Err("the request has no Host header; send one"),
            host => host.flatten(),
        };
        let Some(authority) = target.authority() else {
            return match host {
                None if version > Version::HTTP_11 => Err("the request has no :authority"),
                host => Ok(host),
            };
        };
        let authority =
            Self::parse(authority.as_str().as_bytes()).ok_or("the request's target does not name a host")?;
        match host {
            Some(host) if !host.is_same(&authority, default_port(target)) => {
                Err("the Host header and the request's target name different hosts")
            }
            _ => Ok(Some(authority)),
        }
    }

    /// Returns the authority of a request that has passed the guard.
    pub(in crate::http) fn of(request: &'a Parts) -> Option<Self> {
        Self::of_head(request.version, &request.uri, &Head::of(&request.headers)).ok().flatten()
    }

    /// Returns the host as it was written. An IPv6 address keeps its brackets.
    pub(in crate::http) fn text(&self) -> &'a str {
        str::from_utf8(self.written).unwrap_or_default()
    }

    /// Parses the host.
    pub(super) fn host(&self) -> Host<'a> {
        let address = match self.written {
            [b'[', ..] => bracketed_ipv6(self.written).map(IpAddr::V6),
            // Most names do not end in a digit and need no attempt.
            [.., b'0'..=b'9'] => self.text().parse().ok().map(IpAddr::V4),
            _ => None,
        };
        address.map_or_else(|| Host::Name(self.written.strip_suffix(b".").unwrap_or(self.written)), Host::Address)
    }

    /// Whether both name the same host and port. A missing port means `default`.
    pub(super) fn is_same(&self, other: &Self, default: u16) -> bool {
        let hosts = match (self.host(), other.host()) {
            (Host::Name(one), Host::Name(other)) => one.eq_ignore_ascii_case(other),
            (one, other) => one == other,
        };
        hosts && self.port.unwrap_or(default) == other.port.unwrap_or(default)
    }
}

/// Whether `byte` may occur in a host name or an IPv4 address.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
}

fn bracketed_ipv6(host: &[u8]) -> Option<Ipv6Addr> {
    let inside = host.strip_prefix(b"[")?.strip_suffix(b"]")?;
    str::from_utf8(inside).ok()?.parse().ok()
}

fn default_port(target: &Uri) -> u16 {
    if target.scheme() == Some(&Scheme::HTTPS) { HTTPS_PORT } else { HTTP_PORT }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[test]
    fn host_and_port_are_separated() {
        let address = |of: &str| Host::Address(of.parse().unwrap());
        for (written, text, port, host) in [
            ("localhost", "localhost", None, Host::Name(b"localhost")),
            ("localhost:7474", "localhost", Some(7474), Host::Name(b"localhost")),
            ("graph_db-1.example:", "graph_db-1.example", None, Host::Name(b"graph_db-1.example")),
            ("h.example.:65535", "h.example.", Some(65535), Host::Name(b"h.example")),
            ("10.0.0.7:080", "10.0.0.7", Some(80), address("10.0.0.7")),
            ("[::1]:7474", "[::1]", Some(7474), address("::1")),
            ("[fe80::1]", "[fe80::1]", None, address("fe80::1")),
            // Programs disagree about which address this would be, so it is a name.
            ("127.1", "127.1", None, Host::Name(b"127.1")),
            ("0127.0.0.1", "0127.0.0.1", None, Host::Name(b"0127.0.0.1")),
        ] {
            let authority = Authority::parse(written.as_bytes()).expect(written);
            assert_eq!((authority.text(), authority.port, authority.host()), (text, port, host), "{written}");
        }
    }

    #[test]
    fn anything_else_is_rejected() {
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
            request = request.header("host", *host);
        }
        let request = request.body(()).unwrap();
        let named = Authority::of_head(version, request.uri(), &Head::of(request.headers()));
        named.map(|authority| authority.map(|authority| authority.text().to_owned()))
    }

    #[test]
    fn a_request_has_exactly_one_authority() {
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
