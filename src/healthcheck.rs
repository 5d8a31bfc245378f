//! Owns the sign of life: one `GET` to a running gateway, for container health checks.
//!
//! Promises an answer within the time given, without an async runtime. A response in the 200s is
//! healthy. May not know settings, routes or what the body says.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::str::FromStr;
use std::time::{Duration, Instant};

/// Longest start of a response that is read in search of its status.
const MAX_STATUS_LINE: usize = 1024;

/// What to ask: `http://HOST[:PORT][/PATH]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Host and port to connect to.
    authority: String,
    path: String,
    /// The `Host` header, where it is not the authority.
    host: Option<String>,
}

/// Why the gateway counts as unhealthy, or the target is none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HealthcheckError {
    /// The URL is not one that can be asked.
    #[error("{0}")]
    Url(&'static str),
    /// No connection.
    #[error("cannot connect to {target}: {source}; is the gateway running?")]
    Connect {
        /// What was asked.
        target: Target,
        /// What the operating system said.
        source: io::Error,
    },
    /// The connection broke or time ran out before the status arrived.
    #[error("{target} did not answer: {source}")]
    Exchange {
        /// What was asked.
        target: Target,
        /// What the operating system said.
        source: io::Error,
    },
    /// An answer that is not HTTP.
    #[error("{target} does not speak HTTP/1; is the port right?")]
    NotHttp {
        /// What was asked.
        target: Target,
    },
    /// A status outside the 200s.
    #[error("{target} answered {status}")]
    Status {
        /// What was asked.
        target: Target,
        /// The status it gave.
        status: u16,
    },
}

impl Target {
    /// The same, asked for by another name: a gateway does not answer to all.
    #[must_use]
    pub fn asked_as(self, host: String) -> Self {
        Self { host: Some(host), ..self }
    }

    /// Asks for its status and describes a good one in a line.
    ///
    /// # Errors
    ///
    /// [`HealthcheckError`] if no status in the 200s arrives within `timeout`.
    pub fn check(&self, timeout: Duration) -> Result<String, HealthcheckError> {
        let deadline = Instant::now() + timeout;
        let target = || self.clone();
        let mut stream =
            self.connect(deadline).map_err(|source| HealthcheckError::Connect { target: target(), source })?;
        let line = self
            .exchange(&mut stream, deadline)
            .map_err(|source| HealthcheckError::Exchange { target: target(), source })?;
        match parse_status(&line) {
            None => Err(HealthcheckError::NotHttp { target: target() }),
            Some(status @ 200..=299) => Ok(format!("{self} answered {status}")),
            Some(status) => Err(HealthcheckError::Status { target: target(), status }),
        }
    }

    /// Tries every address of the host in turn.
    fn connect(&self, deadline: Instant) -> io::Result<TcpStream> {
        let mut failure = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for address in self.authority.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, remaining(deadline)?) {
                Ok(stream) => return Ok(stream),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Sends the request and reads up to the end of the status line.
    fn exchange(&self, stream: &mut TcpStream, deadline: Instant) -> io::Result<Vec<u8>> {
        let Self { authority, path, host } = self;
        let host = host.as_ref().unwrap_or(authority);
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: boltgate-healthcheck\r\n\
             Accept: application/json\r\nConnection: close\r\n\r\n"
        );
        stream.set_write_timeout(Some(remaining(deadline)?))?;
        stream.write_all(head.as_bytes())?;
        let mut line = Vec::new();
        let mut byte = [0];
        while line.len() < MAX_STATUS_LINE && !line.ends_with(b"\r\n") {
            stream.set_read_timeout(Some(remaining(deadline)?))?;
            if stream.read(&mut byte)? == 0 {
                if line.is_empty() {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                break;
            }
            line.extend(byte);
        }
        Ok(line)
    }
}

impl From<SocketAddr> for Target {
    /// The root of what listens there.
    fn from(address: SocketAddr) -> Self {
        Self { authority: address.to_string(), path: "/".to_owned(), host: None }
    }
}

impl FromStr for Target {
    type Err = HealthcheckError;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        let Some(rest) = url.strip_prefix("http://") else {
            return Err(HealthcheckError::Url("must begin with http://"));
        };
        if !rest.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(HealthcheckError::Url("must be visible ASCII without spaces"));
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.is_empty() || authority.contains(['@', '?', '#']) {
            return Err(HealthcheckError::Url("must be http://HOST[:PORT][/PATH]"));
        }
        // A colon inside an IPv6 address's brackets is no port's.
        let has_port = authority.rsplit(']').next().is_some_and(|tail| tail.contains(':'));
        let port = if has_port { "" } else { ":80" };
        let path = if path.is_empty() { "/" } else { path };
        Ok(Self { authority: format!("{authority}{port}"), path: path.to_owned(), host: None })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority, self.path)
    }
}

fn remaining(deadline: Instant) -> io::Result<Duration> {
    match deadline.saturating_duration_since(Instant::now()) {
        Duration::ZERO => Err(io::ErrorKind::TimedOut.into()),
        left => Ok(left),
    }
}

/// The status of `HTTP/1.1 200 OK`.
fn parse_status(line: &[u8]) -> Option<u16> {
    let line = std::str::from_utf8(line).ok()?;
    let (version, rest) = line.split_once(' ')?;
    let status = rest.split([' ', '\r']).next()?;
    (version.starts_with("HTTP/1.") && status.len() == 3).then(|| status.parse().ok())?
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Far longer than any test needs; reached only when a test has failed.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// A server that reads one request head, gives `answer` and closes; joins to the head.
    fn server(answer: &'static [u8]) -> (Target, thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
        let target = Target::from(listener.local_addr().expect("is bound"));
        let serve = move || {
            let (mut stream, _) = listener.accept().expect("accepts");
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).expect("reads") > 0 {
                head.extend(byte);
            }
            stream.write_all(answer).expect("writes");
            String::from_utf8(head).expect("is text")
        };
        (target, thread::spawn(serve))
    }

    fn refusal(answer: &'static [u8]) -> String {
        let (target, server) = server(answer);
        let refusal = target.check(PATIENCE).expect_err("must be refused").to_string();
        server.join().expect("ends");
        refusal.replace(&target.to_string(), "IT")
    }

    #[test]
    fn a_status_in_the_200s_is_healthy() {
        let (target, server) = server(b"HTTP/1.1 204 No Content\r\n\r\n");
        let line = target.check(PATIENCE).expect("is healthy");
        assert_eq!(line, format!("{target} answered 204"));
        let head = server.join().expect("ends");
        assert!(head.starts_with("GET / HTTP/1.1\r\n"), "{head}");
        assert!(head.contains(&format!("\r\nHost: {}\r\n", target.authority)), "{head}");
    }

    #[test]
    fn any_other_answer_is_not() {
        assert_eq!(refusal(b"HTTP/1.1 503 Service Unavailable\r\n\r\n"), "IT answered 503");
        assert_eq!(refusal(b"HTTP/1.0 302\r\n"), "IT answered 302");
        assert_eq!(refusal(b""), "IT did not answer: unexpected end of file");
        let not_http = "IT does not speak HTTP/1; is the port right?";
        assert_eq!(refusal(b"SSH-2.0-OpenSSH_9.2\r\n"), not_http);
        assert_eq!(refusal(b"HTTP/1.1 2000 OK\r\n"), not_http);
        assert_eq!(refusal(&[b'x'; MAX_STATUS_LINE]), not_http);
        assert_eq!(refusal(b"\0\0\x01\xff"), not_http);
    }

    #[test]
    fn nobody_listening_is_told_from_nobody_answering() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
        let target = Target::from(listener.local_addr().expect("is bound"));
        // The kernel accepts the connection; no one ever reads it.
        let silent = target.check(Duration::from_millis(100)).expect_err("no answer");
        assert!(matches!(silent, HealthcheckError::Exchange { .. }), "{silent}");
        drop(listener);
        let refused = target.check(PATIENCE).expect_err("no listener");
        assert!(matches!(refused, HealthcheckError::Connect { .. }), "{refused}");
    }

    #[test]
    fn urls_are_completed_with_port_and_path() {
        for (url, completed) in [
            ("http://localhost", "http://localhost:80/"),
            ("http://localhost:7475/ready?x=1", "http://localhost:7475/ready?x=1"),
            ("http://[::1]", "http://[::1]:80/"),
            ("http://[::1]:9", "http://[::1]:9/"),
        ] {
            assert_eq!(url.parse::<Target>().expect(url).to_string(), completed);
        }
    }

    #[test]
    fn urls_that_cannot_be_asked_are_refused() {
        for url in ["", "https://h", "h:80", "http://", "http:///x", "http://u:p@h", "http://h?x"] {
            assert!(url.parse::<Target>().is_err(), "{url}");
        }
        assert!("http://h/\r\nX: y".parse::<Target>().is_err());
    }
}
