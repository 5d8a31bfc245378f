//! Owns the hosts that requests may name, networks of proxies, and origins of web pages, all in the form that requests
//! have.
//!
//! May not know how names are resolved.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

use ipnet::IpNet;

use super::text::{ParseValueError, serde_as_text};

/// A host that requests may name, without a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedHost {
    /// `*`: any.
    Any,
    /// An IP address, with or without the brackets of IPv6.
    Address(IpAddr),
    /// A name, in lower case.
    Name(String),
    /// `*.example.com`: every name below this one, in lower case.
    Below(String),
}

impl AllowedHost {
    /// Returns an example of an allowed host; `None` if any host is allowed.
    #[must_use]
    pub fn example(&self) -> Option<String> {
        match self {
            Self::Any => None,
            Self::Address(IpAddr::V6(address)) => Some(format!("[{address}]")),
            Self::Address(address) => Some(address.to_string()),
            Self::Name(name) => Some(name.clone()),
            Self::Below(name) => Some(format!("healthcheck.{name}")),
        }
    }
}

impl FromStr for AllowedHost {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        if let Ok(address) = bare.parse() {
            return Ok(Self::Address(address));
        }
        let domain = text.strip_prefix("*.");
        match domain.unwrap_or(text) {
            "*" if domain.is_none() => Ok(Self::Any),
            name if !is_name(name) => Err(ParseValueError(format!(
                "`{text}` is not a host; write a name or an IP address without a port, such as \"graph.example.com\", \
                 \"*.example.com\" for all names below, or \"*\" for any"
            ))),
            name if domain.is_some() => Ok(Self::Below(name.to_ascii_lowercase())),
            name => Ok(Self::Name(name.to_ascii_lowercase())),
        }
    }
}

impl fmt::Display for AllowedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => name.fmt(f),
            Self::Below(name) => write!(f, "*.{name}"),
        }
    }
}

/// A network of proxies: `10.0.0.0/8`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(IpNet);

impl Network {
    /// The network.
    #[must_use]
    pub const fn get(self) -> IpNet {
        self.0
    }
}

impl FromStr for Network {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let one = text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
        let network = one.or_else(|_| text.parse::<IpNet>()).map_err(|_| {
            ParseValueError(format!(
                "`{text}` is not an address or network; write one such as \"10.0.0.7\", \"10.0.0.0/8\" or \"fd00::/8\""
            ))
        })?;
        Ok(Self(network.trunc()))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An origin of web pages, as browsers write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedOrigin {
    /// `*`: any.
    Any,
    /// One origin, in lower case, without the port that the scheme implies.
    Exactly(String),
}

impl FromStr for AllowedOrigin {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "*" {
            return Ok(Self::Any);
        }
        if text == "null" {
            let reason = "\"null\" cannot be allowed, because every sandboxed page and every local file has this origin; \
                          remove it";
            return Err(ParseValueError(reason.to_owned()));
        }
        let origin = text.to_ascii_lowercase();
        let parts = origin.split_once("://").filter(|(scheme, _)| is_scheme(scheme));
        let host_and_port = parts.and_then(|(scheme, rest)| Some((scheme, split_port(rest)?)));
        match host_and_port {
            Some((scheme, (host, port))) if is_host(host) => Ok(Self::Exactly(match port {
                Some(port) if default_port(scheme) != Some(port) => format!("{scheme}://{host}:{port}"),
                _ => format!("{scheme}://{host}"),
            })),
            _ => Err(ParseValueError(format!(
                "`{text}` is not an origin; write a scheme, a host and an optional port, without a path, such as \
                 \"https://app.example.com\" or \"http://localhost:3000\", or \"*\" for any"
            ))),
        }
    }
}

impl fmt::Display for AllowedOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Exactly(origin) => origin.fmt(f),
        }
    }
}

serde_as_text!(AllowedHost, Network, AllowedOrigin);

/// A host name: labels with dots between them. A last label of digits would make it an address, which it is not.
fn is_name(text: &str) -> bool {
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let mut labels = text.split('.');
    let is_address = text.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    text.len() <= 253 && labels.all(|label| !label.is_empty() && label.bytes().all(fit)) && !is_address
}

fn is_host(text: &str) -> bool {
    let inside = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let is_address = |text: &str| text.parse::<std::net::Ipv4Addr>().is_ok();
    inside.map_or_else(|| is_name(text) || is_address(text), |text| text.parse::<Ipv6Addr>().is_ok())
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// The host, with the brackets of IPv6, and the port; `None` where a colon is followed by no port.
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let end = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    let colon = authority.get(end..)?.find(':');
    let Some(colon) = colon else {
        return Some((authority, None));
    };
    let (host, port) = authority.split_at_checked(end + colon)?;
    let port = port.strip_prefix(':').filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some((host, Some(port.parse().ok()?)))
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal<T: FromStr<Err = ParseValueError> + fmt::Debug>(text: &str) -> String {
        text.parse::<T>().expect_err(text).to_string()
    }

    #[test]
    fn hosts_are_read_and_printed() {
        for (text, host, printed) in [
            ("*", AllowedHost::Any, "*"),
            ("Graph.Example.com", AllowedHost::Name("graph.example.com".into()), "graph.example.com"),
            ("boltgate_1", AllowedHost::Name("boltgate_1".into()), "boltgate_1"),
            ("*.Example.com", AllowedHost::Below("example.com".into()), "*.example.com"),
            ("10.0.0.7", AllowedHost::Address("10.0.0.7".parse().unwrap()), "10.0.0.7"),
            ("[::1]", AllowedHost::Address("::1".parse().unwrap()), "::1"),
            ("0:0::1", AllowedHost::Address("::1".parse().unwrap()), "::1"),
        ] {
            let read: AllowedHost = text.parse().expect(text);
            assert_eq!((read.to_string().as_str(), read), (printed, host), "{text}");
        }
        for text in [
            "", ".", "h:80", "[::1]:80", "http://h", "h/", "a b", "*.*.h", "a.*", "*.", "h.", "a..b", "1.2.3", "*.1",
            "\u{e4}",
        ] {
            assert!(refusal::<AllowedHost>(text).contains("without a port"), "{text}");
        }
    }

    #[test]
    fn networks_are_read_and_printed() {
        for (text, printed) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("10.1.2.3", "10.1.2.3/32"),
            ("fd00::/8", "fd00::/8"),
            ("::1", "::1/128"),
            ("::ffff:10.0.0.7", "10.0.0.7/32"),
        ] {
            assert_eq!(text.parse::<Network>().expect(text).to_string(), printed);
        }
        for text in ["", "*", "proxy.example", "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "10.0.0.7:80"] {
            assert!(refusal::<Network>(text).contains("is not an address or network"), "{text}");
        }
    }

    #[test]
    fn origins_are_read_as_browsers_write_them() {
        for (text, printed) in [
            ("*", "*"),
            ("https://app.example.com", "https://app.example.com"),
            ("HTTPS://App.Example.com:443", "https://app.example.com"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://h:443", "http://h:443"),
            ("http://127.0.0.1:80", "http://127.0.0.1"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("capacitor://localhost", "capacitor://localhost"),
        ] {
            let origin: AllowedOrigin = text.parse().expect(text);
            assert_eq!(origin.to_string(), printed, "{text}");
        }
        for text in [
            "",
            "app.example.com",
            "https://",
            "https://h/",
            "https://h/path",
            "https://h?x",
            "https://u@h",
            "https://*.h",
            "https://h:",
            "https://h:x",
            "https://h:65536",
            "https://::1",
            "https://[::1",
            "://h",
            "1http://h",
            "h:80",
        ] {
            assert!(refusal::<AllowedOrigin>(text).contains("is not an origin"), "{text}");
        }
        assert!(refusal::<AllowedOrigin>("null").contains("cannot be allowed"));
    }
}
