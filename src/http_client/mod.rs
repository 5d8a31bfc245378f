//! An HTTP/1 client for what the program itself asks and reports: one request, on a connection of its own.
//!
//! Owns URLs, the connection and its TLS. Promises that nothing but a streamed answer outlasts the caller's deadline. Follows no redirects,
//! uses no proxies, and sends no credentials but those in the caller's headers. Knows nothing of what it carries.

mod url;

use std::{io, sync::Arc};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode, Uri,
    body::{Bytes, Incoming},
    client::conn::http1,
    header::{self, HeaderName, HeaderValue},
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

pub use url::{Url, UrlError};

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
