//! Owns addresses: where to listen, and where the database is.
//!
//! Promises that they hold no credentials. May not know sockets, or how names are resolved.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use super::text::{ParseValueError, serde_as_text};

/// What to listen on: an IP address or a name and a port, such as `127.0.0.1:7474`, `[::]:7474` or `localhost:7474`, or
/// a Unix socket, such as `unix:/run/boltgate/http.sock`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenAddr {
    /// An IP address and a port.
    Tcp(SocketAddr),
    /// A port on every address that a name has.
    Name {
        /// The name, which has not been looked up.
        host: String,
        /// The port.
        port: u16,
    },
    /// The path of a Unix socket.
    Unix(PathBuf),
}

/// How addresses of Unix sockets begin.
const UNIX: &str = "unix:";
/// The longest path of a Unix socket in bytes. The system allows 107, and the listener first binds a name beside it.
const MAX_UNIX_PATH: usize = 103;

impl ListenAddr {
    pub(in crate::config) const fn loopback(port: u16) -> Self {
        Self::Tcp(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
    }

    /// Whether only this machine can reach the listener.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().to_canonical().is_loopback(),
            // By definition (RFC 6761).
            Self::Name { host, .. } => {
                let host = host.to_ascii_lowercase();
                host == "localhost" || host.ends_with(".localhost")
            }
            Self::Unix(_) => true,
        }
    }

    /// Whether the system chooses the port.
    pub fn is_any_port(&self) -> bool {
        match self {
            Self::Tcp(address) => address.port() == 0,
            Self::Name { port, .. } => *port == 0,
            Self::Unix(_) => false,
        }
    }

    /// The address at which this machine reaches the listener. A wildcard becomes loopback.
    #[must_use]
    pub fn reachable(&self) -> Self {
        match self {
            Self::Tcp(address) if address.ip().is_unspecified() => {
                let ip = match address {
                    SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
                    SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
                };
                Self::Tcp(SocketAddr::new(ip, address.port()))
            }
            other => other.clone(),
        }
    }
}

impl FromStr for ListenAddr {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some(path) = text.strip_prefix(UNIX) else {
            return parse_host_and_port(text);
        };
        if path.is_empty() || path.ends_with('/') || path.contains('\0') {
            return refuse("must name a file after `unix:`, such as \"unix:/run/boltgate/http.sock\"");
        }
        if path.len() > MAX_UNIX_PATH {
            return refuse(&format!("has a path of {} bytes; a Unix socket takes {MAX_UNIX_PATH}", path.len()));
        }
        Ok(Self::Unix(path.into()))
    }
}

impl fmt::Display for ListenAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Name { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

/// Whether and how connections to the database are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UriScheme {
    /// `bolt`: no TLS.
    Bolt,
    /// `bolt+s`: TLS, certificate verified.
    BoltS,
    /// `bolt+ssc`: TLS, any certificate (self-signed).
    BoltSsc,
}

impl UriScheme {
    /// The scheme as it is written in a URI.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bolt => "bolt",
            Self::BoltS => "bolt+s",
            Self::BoltSsc => "bolt+ssc",
        }
    }
}

/// Where the database is: `bolt://HOST[:PORT]`, `bolt+s://…` or `bolt+ssc://…`.
///
/// Holds no user name or password; callers send their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseUri {
    scheme: UriScheme,
    host: String,
    port: u16,
}

impl DatabaseUri {
    const DEFAULT_PORT: u16 = 7687;

    pub(in crate::config) fn loopback() -> Self {
        let host = Ipv4Addr::LOCALHOST.to_string();
        Self { scheme: UriScheme::Bolt, host, port: Self::DEFAULT_PORT }
    }

    /// Whether and how connections are encrypted.
    pub const fn scheme(&self) -> UriScheme {
        self.scheme
    }

    /// The host name or the IP address; an IPv6 address has no brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The TCP port; 7687 if the URI has none.
    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl FromStr for DatabaseUri {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // First, so that no later message can print a password.
        if text.contains('@') {
            return refuse("must not hold a user name or password; callers send their own");
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return refuse("must be a URI such as \"bolt://127.0.0.1:7687\"");
        };
        let scheme = parse_scheme(scheme)?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#']) {
            return refuse("must end after the port; remove the path or query");
        }
        let (host, port) = split_port(authority)?;
        let port = match port {
            None => Self::DEFAULT_PORT,
            Some(port) => parse_port(port)?,
        };
        Ok(Self { scheme, host: host.to_owned(), port })
    }
}

impl fmt::Display for DatabaseUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, host, port } = self;
        if host.contains(':') {
            return write!(f, "{}://[{host}]:{port}", scheme.as_str());
        }
        write!(f, "{}://{host}:{port}", scheme.as_str())
    }
}

serde_as_text!(ListenAddr, DatabaseUri);

fn parse_host_and_port(text: &str) -> Result<ListenAddr, ParseValueError> {
    if let Ok(address) = text.parse() {
        return Ok(ListenAddr::Tcp(address));
    }
    let advice = "write HOST:PORT, such as \"127.0.0.1:7474\" or \"localhost:7474\", or unix:PATH";
    if text.contains("://") {
        return refuse(&format!("`{text}` is a URL, not an address to listen on; {advice}"));
    }
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return refuse(&format!("`{text}` has no host; {}", for_whom(text)));
    }
    if text.is_empty() {
        return refuse(&format!("is empty; {advice}"));
    }
    if let Some((host, port)) = text.rsplit_once(':')
        && host.parse::<Ipv6Addr>().is_ok()
    {
        return refuse(&format!("`{text}` has an IPv6 address without brackets; write \"[{host}]:{port}\""));
    }
    if let Some(port) = text.strip_prefix(':').or_else(|| text.strip_prefix("*:")) {
        parse_port(port)?;
        return refuse(&format!("`{text}` has no host; {}", for_whom(port)));
    }
    let (host, port) = split_port(text)?;
    let Some(port) = port else {
        return refuse(&format!("`{text}` has no port; {advice}"));
    };
    let port = if port == "0" { 0 } else { parse_port(port)? };
    if host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return refuse(&format!("`{host}` is neither an IP address nor a name; {advice}"));
    }
    Ok(ListenAddr::Name { host: host.to_owned(), port })
}

/// Which hosts there are to choose from. The choice is about who gets in, so nothing is assumed.
fn for_whom(port: &str) -> String {
    format!(
        "write \"127.0.0.1:{port}\" for clients on this machine, or \"0.0.0.0:{port}\" (or \"[::]:{port}\") for those on \
         every network"
    )
}

fn parse_scheme(scheme: &str) -> Result<UriScheme, ParseValueError> {
    let known = [UriScheme::Bolt, UriScheme::BoltS, UriScheme::BoltSsc];
    match known.into_iter().find(|known| scheme.eq_ignore_ascii_case(known.as_str())) {
        Some(scheme) => Ok(scheme),
        None if scheme.starts_with("neo4j") => refuse(&format!(
            "scheme `{scheme}` asks for routing, which is not supported yet; name one server with {} instead",
            scheme.replacen("neo4j", "bolt", 1)
        )),
        None if scheme.starts_with("http") => {
            refuse(&format!("scheme `{scheme}` is HTTP, but the database must speak Bolt; write bolt://HOST:7687"))
        }
        None => refuse(&format!("scheme `{scheme}` is unknown; use bolt, bolt+s or bolt+ssc")),
    }
}

/// Splits `host:port` or `[v6]:port`; the port is optional.
fn split_port(authority: &str) -> Result<(&str, Option<&str>), ParseValueError> {
    if let Some(rest) = authority.strip_prefix('[') {
        let Some((host, rest)) = rest.split_once(']') else {
            return refuse("has an opening bracket without a closing one; write an IPv6 address as [::1]");
        };
        if host.parse::<Ipv6Addr>().is_err() {
            return refuse(&format!("`{host}` in brackets is not an IPv6 address; write a host name without brackets"));
        }
        return match (rest.strip_prefix(':'), rest.is_empty()) {
            (Some(port), _) => Ok((host, Some(port))),
            (None, true) => Ok((host, None)),
            (None, false) => refuse("must have `:PORT` or nothing after the closing bracket"),
        };
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if host.is_empty() || !host.chars().all(is_name) {
        return refuse(&format!("`{host}` is not a host name or IP address; write an IPv6 address in brackets"));
    }
    Ok((host, port))
}

fn parse_port(port: &str) -> Result<u16, ParseValueError> {
    match port.parse() {
        // `parse` alone would take a leading plus sign.
        Ok(number) if number > 0 && !port.starts_with('+') => Ok(number),
        _ => refuse(&format!("`{port}` is not a port; write a number from 1 to 65535")),
    }
}

fn refuse<T>(message: &str) -> Result<T, ParseValueError> {
    Err(ParseValueError(message.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn database_uris_are_read_in_all_their_spellings() {
        for (text, scheme, host, port, printed) in [
            ("bolt://db", UriScheme::Bolt, "db", 7687, "bolt://db:7687"),
            ("BOLT+S://g.example:443/", UriScheme::BoltS, "g.example", 443, "bolt+s://g.example:443"),
            ("bolt+ssc://[::1]:1", UriScheme::BoltSsc, "::1", 1, "bolt+ssc://[::1]:1"),
            ("bolt://[fe80::2]", UriScheme::Bolt, "fe80::2", 7687, "bolt://[fe80::2]:7687"),
        ] {
            let uri: DatabaseUri = text.parse().expect(text);
            assert_eq!((uri.scheme(), uri.host(), uri.port()), (scheme, host, port), "{text}");
            assert_eq!(uri.to_string(), printed);
        }
    }

    #[test]
    fn database_uris_that_mean_nothing_are_refused_with_the_reason() {
        for (text, reason) in [
            ("127.0.0.1:7687", "must be a URI"),
            ("neo4j+s://db", "with bolt+s instead"),
            ("http://db", "the database must speak Bolt"),
            ("ftp://db", "scheme `ftp` is unknown"),
            ("bolt://", "`` is not a host name"),
            ("bolt://:7687", "`` is not a host name"),
            ("bolt://a b", "`a b` is not a host name"),
            ("bolt://::1", "write an IPv6 address in brackets"),
            ("bolt://[::1", "without a closing one"),
            ("bolt://[x]", "`x` in brackets"),
            ("bolt://[::1]7687", "after the closing bracket"),
            ("bolt://db:0", "`0` is not a port"),
            ("bolt://db:65536", "`65536` is not a port"),
            ("bolt://db:+1", "`+1` is not a port"),
            ("bolt://db/neo4j", "path or query"),
            ("bolt://db?policy=x", "path or query"),
        ] {
            let refusal = text.parse::<DatabaseUri>().expect_err(text).to_string();
            assert!(refusal.contains(reason), "{text}: {refusal}");
        }
    }

    #[test]
    fn a_password_in_the_uri_is_refused_and_not_repeated() {
        for text in ["bolt://neo4j:hunter2@db:7687", "neo4j:hunter2@db", "x:hunter2@://"] {
            let refusal = text.parse::<DatabaseUri>().expect_err(text).to_string();
            assert!(refusal.contains("must not hold a user name or password"), "{refusal}");
            assert!(!refusal.contains("hunter2"), "{refusal}");
        }
    }

    #[test]
    fn listen_addresses_need_a_host_and_a_port() {
        for (text, reason) in [
            ("127.0.0.1", "`127.0.0.1` has no port; write HOST:PORT"),
            ("localhost", "`localhost` has no port; write HOST:PORT"),
            ("::1:80", "`::1:80` has an IPv6 address without brackets; write \"[::1]:80\""),
            ("[::1]", "`[::1]` has no port"),
            (":8080", "`:8080` has no host; write \"127.0.0.1:8080\" for clients on this machine, or \"0.0.0.0:8080\""),
            ("*:8080", "`*:8080` has no host; write \"127.0.0.1:8080\""),
            ("8080", "`8080` has no host; write \"127.0.0.1:8080\""),
            ("", "is empty; write HOST:PORT"),
            ("localhost:x", "`x` is not a port"),
            ("127.0.0.1:65536", "`65536` is not a port"),
            ("256.0.0.1:80", "`256.0.0.1` is neither an IP address nor a name"),
            ("http://localhost:80", "is a URL"),
            ("a b:80", "`a b` is not a host name"),
        ] {
            let refusal = text.parse::<ListenAddr>().expect_err(text).to_string();
            assert!(refusal.contains(reason), "{text}: {refusal}");
        }
    }

    #[test]
    fn names_are_kept_as_they_are() {
        for (text, local, any_port) in [
            ("localhost:7474", true, false),
            ("Graph.localhost:0", true, true),
            ("graph.example:80", false, false),
            ("notlocalhost:80", false, false),
        ] {
            let listen: ListenAddr = text.parse().expect(text);
            assert_eq!(listen.to_string(), text);
            assert_eq!((listen.is_local(), listen.is_any_port()), (local, any_port), "{text}");
            assert_eq!(listen.reachable(), listen);
        }
    }

    #[test]
    fn a_unix_socket_is_a_path() {
        let listen: ListenAddr = "unix:/run/a b.sock".parse().expect("is an address");
        assert_eq!(listen, ListenAddr::Unix("/run/a b.sock".into()));
        assert_eq!(listen.to_string(), "unix:/run/a b.sock");
        assert!(listen.is_local() && !listen.is_any_port() && listen.reachable() == listen);
        let longest = format!("unix:{}", "x".repeat(MAX_UNIX_PATH));
        assert!(longest.parse::<ListenAddr>().is_ok());
        for (text, reason) in
            [("unix:", "must name a file"), ("unix:/run/", "must name a file"), (&format!("{longest}x"), "104 bytes")]
        {
            let refusal = text.parse::<ListenAddr>().expect_err(text).to_string();
            assert!(refusal.contains(reason), "{text}: {refusal}");
        }
    }

    #[test]
    fn only_loopback_is_local() {
        for (listen, local) in [
            ("127.0.0.1:1", true),
            ("[::1]:1", true),
            ("[::ffff:127.0.0.1]:1", true),
            ("0.0.0.0:1", false),
            ("10.0.0.7:1", false),
        ] {
            assert_eq!(listen.parse::<ListenAddr>().expect(listen).is_local(), local, "{listen}");
        }
    }

    #[test]
    fn a_wildcard_is_reached_at_loopback() {
        for (listen, reached) in
            [("0.0.0.0:80", "127.0.0.1:80"), ("[::]:80", "[::1]:80"), ("10.0.0.7:80", "10.0.0.7:80")]
        {
            let listen: ListenAddr = listen.parse().expect(listen);
            assert_eq!(listen.reachable().to_string(), reached);
        }
    }
}
