//! URLs, taken apart as a request needs them.

use std::{fmt, net::SocketAddr, str::FromStr};

use hyper::{Uri, header::HeaderValue, http::uri::PathAndQuery};
use thiserror::Error;

/// An `http://` or `https://` URL without credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    pub(super) is_https: bool,
    /// An IPv6 address comes without its brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// Host and port as they were written.
    pub(super) authority: HeaderValue,
    /// Path and query. Begins with a slash.
    pub(super) path: PathAndQuery,
}

/// Why a text is not a [`Url`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UrlError {
    /// The text is malformed.
    #[error("it is not a URL")]
    Malformed,
    /// The scheme is neither `http` nor `https`.
    #[error("it does not begin with https:// or http://")]
    Scheme,
    /// There is no host.
    #[error("it has no host")]
    Host,
    /// The port is out of range.
    #[error("its port is not a number from 0 to 65535")]
    Port,
    /// A user name or a password stands before the host.
    #[error("it contains credentials, which are not sent")]
    Credentials,
}

impl Url {
    /// Whether the scheme is `https`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// The same address with another path, which begins with a slash.
    #[must_use]
    pub fn with_path(self, path: &'static str) -> Self {
        Self { path: PathAndQuery::from_static(path), ..self }
    }

    /// The same address with `path` behind its own. `path` begins with a slash.
    ///
    /// # Errors
    /// [`UrlError::Malformed`] if the result is not a path.
    pub fn join(self, path: &str) -> Result<Self, UrlError> {
        let joined = format!("{}{path}", self.path.path().trim_end_matches('/'));
        Ok(Self { path: joined.parse().map_err(|_| UrlError::Malformed)?, ..self })
    }

    /// The same URL with the scheme `https`.
    #[must_use]
    pub fn encrypted(self) -> Self {
        Self { is_https: true, ..self }
    }
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let uri: Uri = text.parse().map_err(|_| UrlError::Malformed)?;
        let is_https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(UrlError::Scheme),
        };
        let authority = uri.authority().ok_or(UrlError::Host)?;
        if authority.as_str().contains('@') {
            return Err(UrlError::Credentials);
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(UrlError::Host);
        }
        let port = match authority.port_u16() {
            Some(port) => port,
            None if authority.as_str() != authority.host() => return Err(UrlError::Port),
            None if is_https => 443,
            None => 80,
        };
        let authority = HeaderValue::from_str(authority.as_str()).map_err(|_| UrlError::Malformed)?;
        let path = match uri.path_and_query() {
            None => PathAndQuery::from_static("/"),
            Some(path) if path.as_str().starts_with('/') => path.clone(),
            Some(query) => format!("/{}", query.as_str()).parse().map_err(|_| UrlError::Malformed)?,
        };
        Ok(Self { is_https, host, port, authority, path })
    }
}

impl From<SocketAddr> for Url {
    /// The root of what listens at `address`.
    fn from(address: SocketAddr) -> Self {
        let authority = address.to_string();
        let host = authority.rsplit_once(':').map_or("", |(host, _)| host);
        // With the scope of IPv6, which is not a part of the IP address alone.
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let Ok(authority) = HeaderValue::try_from(authority) else {
            unreachable!("addresses are visible ASCII");
        };
        Self { is_https: false, host, port: address.port(), authority, path: PathAndQuery::from_static("/") }
    }
}

impl fmt::Display for Url {
    /// Writes the port also where the scheme implies it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { is_https, host, port, path, .. } = self;
        let scheme = if *is_https { "https" } else { "http" };
        let (open, close) = if host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{scheme}://{open}{host}{close}:{port}{path}")
    }
}

#[cfg(test)]
mod tests {
    use std::net::ToSocketAddrs as _;

    use super::*;

    #[test]
    fn urls_are_completed_with_port_and_path() {
        for (text, completed) in [
            ("http://localhost", "http://localhost:80/"),
            ("https://i.example/keys", "https://i.example:443/keys"),
            ("http://localhost:7475/ready?x=1", "http://localhost:7475/ready?x=1"),
            ("http://h?x", "http://h:80/?x"),
            ("http://[::1]", "http://[::1]:80/"),
            ("https://[::1]:8443/keys", "https://[::1]:8443/keys"),
        ] {
            assert_eq!(text.parse::<Url>().expect(text).to_string(), completed);
        }
    }

    #[test]
    fn a_path_is_put_behind_that_of_the_url() {
        for (base, joined) in [
            ("http://h", "http://h:80/db/x"),
            ("http://h/", "http://h:80/db/x"),
            ("http://h/graph/?y", "http://h:80/graph/db/x"),
        ] {
            let url: Url = base.parse().expect(base);
            assert_eq!(url.join("/db/x").expect(base).to_string(), joined);
        }
        let url: Url = "http://h".parse().expect("is a URL");
        assert_eq!(url.join("/a b"), Err(UrlError::Malformed));
    }

    #[test]
    fn addresses_are_urls() {
        for text in ["127.0.0.1:7474", "[::1]:80", "[fe80::1%3]:7474"] {
            let address: SocketAddr = text.parse().expect(text);
            let url = Url::from(address);
            assert_eq!(url.to_string(), format!("http://{text}/"));
            assert_eq!(url.authority, text);
            let resolved = (url.host.as_str(), url.port).to_socket_addrs().expect(text);
            assert_eq!(resolved.collect::<Vec<_>>(), [address]);
        }
    }

    #[test]
    fn texts_that_are_not_urls_are_refused() {
        for (text, reason) in [
            ("", UrlError::Malformed),
            ("http://", UrlError::Malformed),
            ("http://a b/", UrlError::Malformed),
            ("http://h/\r\nX: y", UrlError::Malformed),
            ("ftp://h", UrlError::Scheme),
            ("/keys", UrlError::Scheme),
            ("h:80", UrlError::Scheme),
            ("http://u:p@h", UrlError::Credentials),
            ("http://u@h", UrlError::Credentials),
            ("http://:80/", UrlError::Host),
            ("http://h:", UrlError::Port),
            ("http://h:65536", UrlError::Port),
        ] {
            assert_eq!(text.parse::<Url>(), Err(reason), "{text}");
        }
    }
}
