//! Dialing: from an endpoint to a logged-in connection, under one deadline.

use std::{fmt, io, sync::Arc, time::Duration};

use rustls::{CertificateError, ClientConfig, pki_types::ServerName};
use socket2::{SockRef, TcpKeepalive};
use tokio::{io::DuplexStream, net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    auth::AuthToken,
    connection::{Connection, Limits, Transport},
    dialect::Dialect,
    error::Error,
    handshake::negotiate,
    socket::Socket,
    uri::Uri,
    version::Version,
};

/// Load balancers forget silent connections after some minutes.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Where connections lead.
#[derive(Clone)]
pub enum Endpoint {
    /// A server on the network.
    Network {
        /// Its address.
        uri: Uri,
        /// With TLS, unless `None`.
        tls: Option<Arc<ClientConfig>>,
    },
    /// A server in this process: each call gives the client's end of a new stream.
    Memory(Arc<dyn Fn() -> DuplexStream + Send + Sync>),
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network { uri, .. } => uri.fmt(f),
            Self::Memory(_) => f.write_str("the embedded database"),
        }
    }
}

/// Opens connections to one endpoint.
#[derive(Debug, Clone)]
pub struct Dialer {
    /// Where to.
    pub endpoint: Endpoint,
    /// What the operator says of the server; `None` to go by what it says itself.
    pub dialect: Option<&'static Dialect>,
    /// For TCP, TLS, handshake and login together.
    pub timeout: Duration,
    /// See [`Limits`].
    pub limits: Limits,
}

impl Dialer {
    /// Opens a connection and logs in as `auth`.
    ///
    /// # Errors
    /// As [`Connection::open`], [`Error::Connect`], [`Error::Tls`], and [`Error::Silent`] past the deadline.
    pub async fn dial(&self, auth: &AuthToken) -> Result<Connection, Error> {
        let opening = async {
            let io = self.transport().await?;
            Connection::open(io, auth, self.dialect, self.limits).await
        };
        timeout(self.timeout, opening).await.unwrap_or(Err(Error::Silent(self.timeout)))
    }

    /// Finds out whether a Bolt server is there, without logging in.
    ///
    /// # Errors
    /// As [`Dialer::dial`], save for what concerns the login.
    pub async fn probe(&self) -> Result<Version, Error> {
        let probing = async {
            let mut io = self.transport().await?;
            Ok(negotiate(&mut io).await?.version)
        };
        timeout(self.timeout, probing).await.unwrap_or(Err(Error::Silent(self.timeout)))
    }

    async fn transport(&self) -> Result<Box<dyn Transport>, Error> {
        match &self.endpoint {
            Endpoint::Memory(connect) => Ok(Box::new(connect())),
            Endpoint::Network { uri, tls: None } => Ok(Box::new(Socket::new(connect(uri).await?))),
            Endpoint::Network { uri, tls: Some(config) } => {
                let refused = |source: io::Error| {
                    let source = match advice(&source) {
                        Some(advice) => io::Error::new(source.kind(), format!("{source}; {advice}")),
                        None => source,
                    };
                    Error::Tls { address: uri.to_string(), source }
                };
                let name = ServerName::try_from(uri.host.clone())
                    .map_err(|error| refused(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
                let stream = Socket::new(connect(uri).await?);
                let stream = TlsConnector::from(Arc::clone(config)).connect(name, stream).await.map_err(refused)?;
                Ok(Box::new(stream))
            }
        }
    }
}

impl Transport for Socket {
    fn move_here(&mut self) {
        Self::move_here(self);
    }
}

impl Transport for TlsStream<Socket> {
    fn move_here(&mut self) {
        self.get_mut().0.move_here();
    }
}

async fn connect(uri: &Uri) -> Result<TcpStream, Error> {
    let failed = |source| Error::Connect { address: format!("{}:{}", uri.host, uri.port), source };
    let stream = TcpStream::connect((uri.host.as_str(), uri.port)).await.map_err(failed)?;
    stream.set_nodelay(true).map_err(failed)?;
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE);
    SockRef::from(&stream).set_tcp_keepalive(&keepalive).map_err(failed)?;
    Ok(stream)
}

/// What to tell the operator beside rustls's own words, when it is the certificate that is at fault.
fn advice(error: &io::Error) -> Option<&'static str> {
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    match error {
        // A bad signature is what an issuer's successor of the same name leaves.
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            Some("name the issuer's certificate in database.ca_file, or use bolt+ssc:// to accept any certificate")
        }
        rustls::Error::InvalidMessage(_) => Some("the port may not speak TLS: try bolt://"),
        _ => None,
    }
}
