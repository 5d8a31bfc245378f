//! The name that a request calls the gateway by: `Host`, `:authority`, or the authority of an absolute target.

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

/// A host, and a port if one is given: `localhost`, `10.0.0.7:7474`, `[::1]:7474`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) struct Authority<'a> {
    /// The host as it was written, in ASCII; an IPv6 address has its brackets.
    pub(super) written: &'a [u8],
    pub(in crate::http) port: Option<u16>,
}

/// What the text of a host stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Host<'a> {
    /// In ASCII, without the dot at the end that makes it absolute.
    Name(&'a [u8]),
    Address(IpAddr),
}

impl<'a> Authority<'a> {
    /// Longest name of a host, in bytes: that of DNS, and its dot.
    const LONGEST: usize = 254;

    /// Reads `HOST[:PORT]`; `None` if it is anything else.
    pub(in crate::http) fn parse(value: &'a [u8]) -> Option<Self> {
        let end = match value.strip_prefix(b"[") {
            Some(inside) => inside.iter().position(|&byte| byte == b']')? + 2,
            None => value.iter().position(|&byte| !is_of_names(byte)).unwrap_or(value.len()),
        };
        let (host, port) = value.split_at_checked(end)?;
        let is_host = match host {
            [b'[', ..] => in_brackets(host).is_some(),
            b"" | b"." => false,
            _ => host.len() <= Self::LONGEST,
        };
        if !is_host {
            return None;
        }
        let port = match port {
            // A colon with nothing behind it is valid, and says nothing.
            [] | [b':'] => None,
            [b':', digits @ ..] => Some(digits.iter().try_fold(0_u16, |port, &digit| {
                let digit = char::from(digit).to_digit(10)?;
                port.checked_mul(10)?.checked_add(digit.try_into().ok()?)
            })?),
            _ => return None,
        };
        Some(Self { written: host, port })
    }

    /// The authority that a request to `target` names, if it has to name one: only HTTP/1.0 leaves it out.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn named(version: Version, target: &'a Uri, head: &Head<'a>) -> Result<Option<Self>, &'static str> {
        if head.more_hosts {
            return Err("there is more than one Host header; send one");
        }
        let host = match head.host.map(|host| Self::parse(host.as_bytes())) {
            Some(None) => return Err("the Host header is not HOST or HOST:PORT"),
            None if version == Version::HTTP_11 => return Err("there is no Host header; send one"),
            host => host.flatten(),
        };
        let Some(authority) = target.authority() else {
            return match host {
                None if version > Version::HTTP_11 => Err("there is no :authority"),
                host => Ok(host),
            };
        };
        let authority =
            Self::parse(authority.as_str().as_bytes()).ok_or("the request's target does not name a host")?;
        match host {
            Some(host) if !host.is(&authority, default_port(target)) => {
                Err("the Host header and the request's target name different hosts")
            }
            _ => Ok(Some(authority)),
        }
    }

    /// The authority that a request names which has passed the guard.
    pub(in crate::http) fn of(request: &'a Parts) -> Option<Self> {
        Self::named(request.version, &request.uri, &Head::of(&request.headers)).ok().flatten()
    }

    /// The host as it was written; an IPv6 address has its brackets.
    pub(in crate::http) fn text(&self) -> &'a str {
        str::from_utf8(self.written).unwrap_or_default()
    }

    /// What the host stands for.
    pub(super) fn host(&self) -> Host<'a> {
        let address = match self.written {
            [b'[', ..] => in_brackets(self.written).map(IpAddr::V6),
            // Most names do not end so.
            [.., b'0'..=b'9'] => self.text().parse().ok().map(IpAddr::V4),
            _ => None,
        };
        address.map_or_else(|| Host::Name(self.written.strip_suffix(b".").unwrap_or(self.written)), Host::Address)
    }

    /// Whether both name the same host and port, where no port means `default`.
    pub(super) fn is(&self, other: &Self, default: u16) -> bool {
        let hosts = match (self.host(), other.host()) {
            (Host::Name(one), Host::Name(other)) => one.eq_ignore_ascii_case(other),
            (one, other) => one == other,
        };
        hosts && self.port.unwrap_or(default) == other.port.unwrap_or(default)
    }
}

/// Whether a name, or an IPv4 address, can have this byte.
fn is_of_names(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
}

fn in_brackets(host: &[u8]) -> Option<Ipv6Addr> {
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
    fn hosts_and_ports_are_told_apart() {
        let address = |of: &str| Host::Address(of.parse().unwrap());
        for (written, text, port, host) in [
            ("localhost", "localhost", None, Host::Name(b"localhost")),
            ("localhost:7474", "localhost", Some(7474), Host::Name(b"localhost")),
            ("graph_db-1.example:", "graph_db-1.example", None, Host::Name(b"graph_db-1.example")),
            ("h.example.:65535", "h.example.", Some(65535), Host::Name(b"h.example")),
            ("10.0.0.7:080", "10.0.0.7", Some(80), address("10.0.0.7")),
            ("[::1]:7474", "[::1]", Some(7474), address("::1")),
            ("[fe80::1]", "[fe80::1]", None, address("fe80::1")),
            // No address: programs would disagree about which.
            ("127.1", "127.1", None, Host::Name(b"127.1")),
            ("0127.0.0.1", "0127.0.0.1", None, Host::Name(b"0127.0.0.1")),
        ] {
            let authority = Authority::parse(written.as_bytes()).expect(written);
            assert_eq!((authority.text(), authority.port, authority.host()), (text, port, host), "{written}");
        }
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
            request = request.header("host", *host);
        }
        let request = request.body(()).unwrap();
        let named = Authority::named(version, request.uri(), &Head::of(request.headers()));
        named.map(|authority| authority.map(|authority| authority.text().to_owned()))
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
