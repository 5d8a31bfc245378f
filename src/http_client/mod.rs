//! An HTTP/1 client for what the program itself asks and reports: one request, on a connection of its own.
//!
//! Owns URLs, the connection and its TLS. Promises that nothing but a streamed answer outlasts the caller's deadline. Follows no redirects,
//! uses no proxies, and sends no credentials but those in the caller's headers. Knows nothing of what it carries.

use std::{fmt, io, net::SocketAddr, str::FromStr, sync::Arc};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode, Uri,
    body::{Bytes, Incoming},
    client::conn::http1,
    header::{self, HeaderName, HeaderValue},
    http::uri::PathAndQuery,
};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, pki_types::ServerName};
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// An `http://` or `https://` URL without credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    is_https: bool,
    /// An IPv6 address comes without its brackets.
    host: String,
    port: u16,
    /// Host and port as they were written.
    authority: HeaderValue,
    /// Path and query. Begins with a slash.
    path: PathAndQuery,
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
    #[error("it holds credentials, which are not sent")]
    Credentials,
}

/// Why a request failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no connection, or no TLS on it.
    #[error("the connection failed: {0}")]
    Connect(#[source] io::Error),
    /// The answer is not HTTP/1.
    #[error("the answer is not HTTP/1: {0}")]
    NotHttp(#[source] hyper::Error),
    /// The connection broke before the answer was complete.
    #[error("the answer is incomplete: {0}")]
    Incomplete(#[source] hyper::Error),
    /// The deadline passed before the answer was complete.
    #[error("the answer did not arrive in time")]
    Timeout,
    /// The body is longer than the caller takes.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
}

/// An answer whose body has not been read.
#[derive(Debug)]
pub struct Answer {
    response: Response<Incoming>,
    deadline: Instant,
}

/// Sends a `GET` request for JSON to `url` and reads the head of the answer. `tls` is needed for `https://`. `headers` are
/// added to those of every request, or replace them.
///
/// # Errors
/// [`Error`](enum@Error); when the deadline passes before there is a connection, it is [`Error::Connect`].
pub async fn get(
    url: &Url,
    tls: Option<&Arc<ClientConfig>>,
    headers: &[(HeaderName, HeaderValue)],
    deadline: Instant,
) -> Result<Answer, Error> {
    get_over(connect(url, deadline).await?, url, tls, headers, deadline).await
}

/// As [`get`], over a connection that exists already.
///
/// # Errors
/// As [`get`].
pub async fn get_over(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    url: &Url,
    tls: Option<&Arc<ClientConfig>>,
    headers: &[(HeaderName, HeaderValue)],
    deadline: Instant,
) -> Result<Answer, Error> {
    let mut request = request(Method::GET, url, headers, Bytes::new());
    let json = || HeaderValue::from_static("application/json");
    request.headers_mut().entry(header::ACCEPT).or_insert_with(json);
    exchange(stream, url, tls, request, deadline).await
}

/// Sends a `POST` request with `body` to `url`, otherwise as [`get`] does.
///
/// # Errors
/// As [`get`].
pub async fn post(
    url: &Url,
    tls: Option<&Arc<ClientConfig>>,
    headers: &[(HeaderName, HeaderValue)],
    body: Bytes,
    deadline: Instant,
) -> Result<Answer, Error> {
    let request = request(Method::POST, url, headers, body);
    exchange(connect(url, deadline).await?, url, tls, request, deadline).await
}

/// Sends a `POST` request with `body` over a connection that exists already, and returns the answer as it arrives.
/// `deadline` is that of TLS: for the answer there is none, since it takes as long as what it waits for. Dropping the
/// answer, or this future, closes the connection.
///
/// # Errors
/// [`Error::Connect`], [`Error::NotHttp`], [`Error::Incomplete`].
pub async fn post_streaming(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    url: &Url,
    tls: Option<&Arc<ClientConfig>>,
    headers: &[(HeaderName, HeaderValue)],
    body: Bytes,
    deadline: Instant,
) -> Result<Response<Incoming>, Error> {
    let request = request(Method::POST, url, headers, body);
    if !url.is_https {
        return respond(stream, request).await;
    }
    respond(encrypt(stream, url, tls, deadline).await?, request).await
}

fn request(method: Method, url: &Url, headers: &[(HeaderName, HeaderValue)], body: Bytes) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method;
    *request.uri_mut() = Uri::from(url.path.clone());
    let fields = request.headers_mut();
    fields.insert(header::HOST, url.authority.clone());
    fields.insert(header::CONNECTION, HeaderValue::from_static("close"));
    for (name, value) in headers {
        fields.insert(name, value.clone());
    }
    request
}

/// Connects to the host of `url`, without TLS.
///
/// # Errors
/// [`Error::Connect`].
pub async fn connect(url: &Url, deadline: Instant) -> Result<TcpStream, Error> {
    let connected = timeout_at(deadline, TcpStream::connect((url.host.as_str(), url.port)));
    connected.await.map_err(io::Error::from).flatten().map_err(Error::Connect)
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    url: &Url,
    tls: Option<&Arc<ClientConfig>>,
    request: Request<Full<Bytes>>,
    deadline: Instant,
) -> Result<Answer, Error> {
    let responded = match url.is_https {
        false => timeout_at(deadline, respond(stream, request)).await,
        true => timeout_at(deadline, respond(encrypt(stream, url, tls, deadline).await?, request)).await,
    };
    let response = responded.map_err(|_| Error::Timeout)??;
    Ok(Answer { response, deadline })
}

/// Speaks TLS with the host of `url`.
async fn encrypt<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    url: &Url,
    tls: Option<&Arc<ClientConfig>>,
    deadline: Instant,
) -> Result<TlsStream<S>, Error> {
    let handshake = async {
        let tls = tls.ok_or_else(|| io::Error::new(io::ErrorKind::Unsupported, "https:// is not supported here"))?;
        let name = ServerName::try_from(url.host.clone()).map_err(io::Error::other)?;
        TlsConnector::from(Arc::clone(tls)).connect(name, stream).await
    };
    timeout_at(deadline, handshake).await.map_err(io::Error::from).flatten().map_err(Error::Connect)
}

async fn respond(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>, Error> {
    let exchange = async {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Ends with the answer.
        tokio::spawn(connection);
        sender.send_request(request).await
    };
    exchange.await.map_err(|error| if error.is_parse() { Error::NotHttp(error) } else { Error::Incomplete(error) })
}

impl Answer {
    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The header fields.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// Reads the body, which may have at most `limit` bytes.
    ///
    /// # Errors
    /// [`Error::Incomplete`], [`Error::Timeout`], [`Error::TooLong`].
    pub async fn read(self, limit: usize) -> Result<Bytes, Error> {
        let body = Limited::new(self.response.into_body(), limit).collect();
        match timeout_at(self.deadline, body).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) => match error.downcast::<hyper::Error>() {
                Ok(error) => Err(Error::Incomplete(*error)),
                Err(_) => Err(Error::TooLong(limit)),
            },
            Err(_) => Err(Error::Timeout),
        }
    }
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
