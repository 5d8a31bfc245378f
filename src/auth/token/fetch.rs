//! GET, and nothing more: one connection, no redirects, no proxies, a document that is not large, within a few seconds.

use std::{io, sync::Arc, time::Duration};

use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::{
    Method, Request, Response, StatusCode, Uri,
    body::{Bytes, Incoming},
    client::conn::http1,
    header,
};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, pki_types::ServerName};
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_rustls::TlsConnector;

/// For everything that it takes to get an issuer's keys: connecting, TLS, and all answers.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);
/// In bytes.
const LARGEST: usize = 256 * 1024;

/// Fetches documents of one issuer.
#[derive(Clone)]
pub(super) struct Fetcher {
    pub(super) tls: Arc<ClientConfig>,
    pub(super) allow_http: bool,
}

/// What was fetched.
pub(super) struct Document {
    pub(super) body: Bytes,
    /// How long it may be kept, if the server says so.
    pub(super) max_age: Option<Duration>,
}

/// Why nothing was fetched.
#[derive(Debug, Error)]
pub(super) enum FetchError {
    #[error("{0}")]
    Address(&'static str),
    #[error("there was no answer within {TIMEOUT:?}")]
    Timeout,
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    #[error("the answer is not HTTP: {0}")]
    Http(#[from] hyper::Error),
    #[error("the answer is a redirect ({0}), which is not followed; name the address that it leads to")]
    Redirect(StatusCode),
    #[error("the answer is {0}")]
    Status(StatusCode),
    #[error("the answer is longer than {LARGEST} bytes")]
    TooLong,
    #[error("the answer broke off")]
    BrokenOff,
}

impl Fetcher {
    /// Fetches the document at `address`, or gives up at `deadline`.
    ///
    /// # Errors
    /// [`FetchError`].
    pub(super) async fn get(&self, address: &str, deadline: Instant) -> Result<Document, FetchError> {
        timeout_at(deadline, self.get_patiently(address)).await.unwrap_or(Err(FetchError::Timeout))
    }

    /// Whether something could be fetched from there.
    ///
    /// # Errors
    /// [`FetchError::Address`].
    pub(super) fn check(&self, address: &str) -> Result<Target, FetchError> {
        let uri: Uri = address.parse().map_err(|_| FetchError::Address("it is no URL"))?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if self.allow_http => false,
            Some("http") => return Err(FetchError::Address("it is not https:// (set allow_http if that is meant)")),
            _ => return Err(FetchError::Address("it does not begin with https://")),
        };
        let authority = uri.authority().ok_or(FetchError::Address("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(FetchError::Address("it holds a user, and no credentials are sent"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(FetchError::Address("it names no host"));
        }
        let port = match authority.port_u16() {
            Some(port) => port,
            None if authority.as_str() == authority.host() => {
                if tls {
                    443
                } else {
                    80
                }
            }
            None => return Err(FetchError::Address("its port is none")),
        };
        Ok(Target { uri, tls, host, port })
    }

    async fn get_patiently(&self, address: &str) -> Result<Document, FetchError> {
        let Target { uri, tls, host, port } = self.check(address)?;
        let stream = TcpStream::connect((host.as_str(), port)).await?;
        let response = if tls {
            let name = ServerName::try_from(host).map_err(|_| FetchError::Address("it names no host"))?;
            ask(TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream).await?, &uri).await?
        } else {
            ask(stream, &uri).await?
        };
        read(response).await
    }
}

/// Where a document is.
pub(super) struct Target {
    uri: Uri,
    tls: bool,
    host: String,
    port: u16,
}

async fn ask(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    uri: &Uri,
) -> Result<Response<Incoming>, FetchError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends with the response.
    tokio::spawn(connection);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::builder()
        .method(Method::GET)
        .uri(path)
        .header(header::HOST, uri.authority().map_or("", |authority| authority.as_str()))
        .header(header::ACCEPT, "application/json")
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|_| FetchError::Address("it cannot be sent"))?;
    Ok(sender.send_request(request).await?)
}

async fn read(response: Response<Incoming>) -> Result<Document, FetchError> {
    match response.status() {
        StatusCode::OK => {}
        status if status.is_redirection() => return Err(FetchError::Redirect(status)),
        status => return Err(FetchError::Status(status)),
    }
    let cache_control = response.headers().get(header::CACHE_CONTROL);
    let max_age = cache_control.and_then(|value| max_age(value.as_bytes()));
    match Limited::new(response.into_body(), LARGEST).collect().await {
        Ok(body) => Ok(Document { body: body.to_bytes(), max_age }),
        Err(error) if error.is::<LengthLimitError>() => Err(FetchError::TooLong),
        Err(_) => Err(FetchError::BrokenOff),
    }
}

/// `max-age` of a `Cache-Control`. What cannot be read says nothing.
fn max_age(value: &[u8]) -> Option<Duration> {
    let directives = str::from_utf8(value).ok()?.split(',').map(str::trim);
    directives
        .filter_map(|directive| directive.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("max-age"))
        .and_then(|(_, seconds)| seconds.trim().trim_matches('"').parse().ok())
        .map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_of_a_document() {
        for (value, age) in [
            ("max-age=60", Some(60)),
            ("public, Max-Age = \"7\", must-revalidate", Some(7)),
            ("no-cache", None),
            ("max-age", None),
            ("max-age=", None),
            ("max-age=-1", None),
            ("max-age=99999999999999999999", None),
            ("s-maxage=5", None),
            (",,=,=;", None),
        ] {
            assert_eq!(max_age(value.as_bytes()), age.map(Duration::from_secs), "{value}");
        }
        assert_eq!(max_age(b"\xff"), None);
    }

    #[test]
    fn addresses_that_may_be_asked() {
        let fetcher = |allow_http| Fetcher { tls: crate::tls::unverified().unwrap(), allow_http };
        let target = |address: &str, allow| fetcher(allow).check(address).ok().map(|at| (at.tls, at.host, at.port));
        assert_eq!(target("https://i.example/keys", false), Some((true, "i.example".into(), 443)));
        assert_eq!(target("https://[::1]:8443/keys", false), Some((true, "::1".into(), 8443)));
        assert_eq!(target("http://i.example", true), Some((false, "i.example".into(), 80)));
        for address in
            ["http://i.example", "ftp://i.example", "/keys", "i.example", "https://u:p@i.example/", "https://", ""]
        {
            assert_eq!(target(address, false), None, "{address}");
        }
    }
}
