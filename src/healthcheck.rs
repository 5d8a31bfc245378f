//! The health check of containers: one `GET` to a running gateway.
//!
//! Promises a result within the time given. A response with a status in the 200s is healthy. Knows neither settings nor
//! routes.

use std::{fmt, io, net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

use hyper::{
    StatusCode,
    header::{self, HeaderValue},
};
use tokio::{
    net::UnixStream,
    runtime::Builder,
    time::{Instant, timeout_at},
};

use crate::{
    http_client::{self, Url},
    tls,
};

/// How the names of Unix sockets begin.
const UNIX: &str = "unix:";

/// What to check: `http://HOST[:PORT][/PATH]`, the same with `https://`, or `unix:PATH`, which is the root of what listens
/// at a Unix socket. Any certificate is good: the check is about whether the gateway runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    url: Url,
    /// Where to connect, if it is not the host of the URL.
    socket: Option<PathBuf>,
    /// The value of `Host`, where it is not that of the URL.
    host: Option<HeaderValue>,
}

/// Why the gateway counts as unhealthy, or the target is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HealthcheckError {
    /// The URL cannot be checked.
    #[error("{0}")]
    Url(&'static str),
    /// The check cannot run.
    #[error("cannot start the check: {0}")]
    Runtime(#[source] io::Error),
    /// There is no connection.
    #[error("cannot connect to {target}: {source}; is the gateway running?")]
    Connect {
        /// What was checked.
        target: String,
        /// The system's error.
        source: io::Error,
    },
    /// The answer is not HTTP.
    #[error("{target} does not speak HTTP/1; is the port right?")]
    NotHttp {
        /// What was checked.
        target: String,
    },
    /// The connection broke, or the time was up, before there was a complete head.
    #[error("{target} did not answer: {source}")]
    NoAnswer {
        /// What was checked.
        target: String,
        /// What happened.
        source: http_client::Error,
    },
    /// A status outside the 200s.
    #[error("{target} answered {status}")]
    Status {
        /// What was checked.
        target: String,
        /// The status of the answer.
        status: u16,
    },
}

impl Target {
    /// The root of what listens at an address.
    #[must_use]
    pub fn at(address: SocketAddr, encrypted: bool) -> Self {
        let url = Url::from(address);
        Self { url: if encrypted { url.encrypted() } else { url }, socket: None, host: None }
    }

    /// The root of what listens at a Unix socket.
    #[must_use]
    pub fn at_socket(path: PathBuf, encrypted: bool) -> Self {
        // The name by which this machine knows itself.
        let local = Self::at(([127, 0, 0, 1], 80).into(), encrypted);
        Self { socket: Some(path), host: Some(HeaderValue::from_static("localhost")), ..local }
    }

    /// Checks another path of the same target, which begins with a slash.
    #[must_use]
    pub fn with_path(self, path: &'static str) -> Self {
        Self { url: self.url.with_path(path), ..self }
    }

    /// Checks the same target under another name. A gateway refuses requests for a name that is not one of its own.
    ///
    /// # Errors
    /// [`HealthcheckError::Url`] if `host` cannot be the value of `Host`.
    pub fn with_host(self, host: &str) -> Result<Self, HealthcheckError> {
        let host = HeaderValue::from_str(host).map_err(|_| HealthcheckError::Url("the host is malformed"))?;
        Ok(Self { host: Some(host), ..self })
    }

    /// Requests the target and describes a good status in a line.
    ///
    /// # Errors
    /// [`HealthcheckError`] if no status in the 200s arrives within `timeout`.
    pub fn check(&self, timeout: Duration) -> Result<String, HealthcheckError> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(HealthcheckError::Runtime)?;
        let status = runtime.block_on(self.status(timeout));
        // Looking a name up cannot be interrupted; it must not hold up the result.
        runtime.shutdown_background();
        let target = || self.to_string();
        match status {
            Ok(status) if status.is_success() => Ok(format!("{self} answered {}", status.as_u16())),
            Ok(status) => Err(HealthcheckError::Status { target: target(), status: status.as_u16() }),
            Err(http_client::Error::Connect(source)) => Err(HealthcheckError::Connect { target: target(), source }),
            Err(http_client::Error::NotHttp(_)) => Err(HealthcheckError::NotHttp { target: target() }),
            Err(source) => Err(HealthcheckError::NoAnswer { target: target(), source }),
        }
    }

    async fn status(&self, timeout: Duration) -> Result<StatusCode, http_client::Error> {
        let agent = HeaderValue::from_static("boltgate-healthcheck");
        let mut headers = vec![(header::USER_AGENT, agent)];
        headers.extend(self.host.clone().map(|host| (header::HOST, host)));
        let deadline = Instant::now() + timeout;
        let tls = match self.url.is_https() {
            true => Some(tls::unverified().map_err(io::Error::other).map_err(http_client::Error::Connect)?),
            false => None,
        };
        let answer = match &self.socket {
            None => http_client::get(&self.url, tls.as_ref(), &headers, deadline).await?,
            Some(path) => {
                let connected = timeout_at(deadline, UnixStream::connect(path)).await.map_err(io::Error::from);
                let stream = connected.flatten().map_err(http_client::Error::Connect)?;
                http_client::get_over(stream, &self.url, tls.as_ref(), &headers, deadline).await?
            }
        };
        Ok(answer.status())
    }
}

impl FromStr for Target {
    type Err = HealthcheckError;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        const FORMS: HealthcheckError =
            HealthcheckError::Url("must be http://HOST[:PORT][/PATH], https://HOST[:PORT][/PATH] or unix:PATH");
        match url.strip_prefix(UNIX) {
            Some("") => Err(FORMS),
            Some(path) => Ok(Self::at_socket(path.into(), false)),
            None => Ok(Self { url: url.parse().map_err(|_| FORMS)?, socket: None, host: None }),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.socket {
            None => self.url.fmt(f),
            Some(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::TcpListener,
        thread,
    };

    use super::*;

    /// Far longer than any test needs; reached only when a test has failed.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// A server that reads one request head, sends `answer` and closes; joins to the head.
    fn server(answer: &'static [u8]) -> (Target, thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
        let target = Target::at(listener.local_addr().expect("is bound"), false);
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
        let head = server.join().expect("ends").to_ascii_lowercase();
        assert!(head.starts_with("get / http/1.1\r\n"), "{head}");
        let host = target.to_string().replace("http://", "host: ").replace('/', "\r\n");
        for field in [host.as_str(), "connection: close\r\n", "user-agent: boltgate-healthcheck\r\n"] {
            assert!(head.contains(field), "{field}: {head}");
        }
    }

    #[test]
    fn another_host_can_be_named() {
        let (target, server) = server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        target.with_host("graph.example").expect("is a host").check(PATIENCE).expect("is healthy");
        let head = server.join().expect("ends").to_ascii_lowercase();
        assert_eq!(head.matches("host:").count(), 1, "{head}");
        assert!(head.contains("host: graph.example\r\n"), "{head}");
    }

    #[test]
    fn any_other_answer_is_unhealthy() {
        assert_eq!(refusal(b"HTTP/1.1 503 Service Unavailable\r\n\r\n"), "IT answered 503");
        assert_eq!(refusal(b"HTTP/1.0 302 Found\r\n\r\n"), "IT answered 302");
        for incomplete in [&b""[..], b"HTTP/1.0 302\r\n"] {
            let refusal = refusal(incomplete);
            assert!(refusal.starts_with("IT did not answer: the answer is incomplete"), "{refusal}");
        }
        for answer in [&b"SSH-2.0-OpenSSH_9.2\r\n"[..], b"HTTP/1.1 2000 OK\r\n", &[b'x'; 1024], b"\0\0\x01\xff"] {
            assert_eq!(refusal(answer), "IT does not speak HTTP/1; is the port right?");
        }
    }

    #[test]
    fn a_port_without_listener_is_told_from_a_silent_one() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
        let target = Target::at(listener.local_addr().expect("is bound"), false);
        // The kernel accepts the connection; no one ever reads it.
        let silent = target.check(Duration::from_secs(2)).expect_err("no answer");
        assert!(matches!(silent, HealthcheckError::NoAnswer { .. }), "{silent}");
        // Bound, so that nobody else gets it, and without a listener.
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.bind(([127, 0, 0, 1], 0).into()).expect("binds");
        let refused =
            Target::at(socket.local_addr().expect("is bound"), false).check(PATIENCE).expect_err("no listener");
        assert!(matches!(refused, HealthcheckError::Connect { .. }), "{refused}");
    }

    #[test]
    fn targets_are_urls_of_http_and_sockets() {
        let target: Target = "http://localhost:7475/ready?x=1".parse().expect("is a target");
        assert_eq!(target.to_string(), "http://localhost:7475/ready?x=1");
        for (text, printed) in [("https://h", "https://h:443/"), ("unix:/run/b.sock", "unix:/run/b.sock")] {
            assert_eq!(text.parse::<Target>().expect(text).to_string(), printed);
        }
        for url in ["", "unix:", "ftp://h", "h:80", "http://", "http:///x", "http://u:p@h", "http://h/\r\nX: y"] {
            assert!(url.parse::<Target>().is_err(), "{url}");
        }
    }
}
