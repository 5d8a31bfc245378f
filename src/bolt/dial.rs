//! Dialing: opens a connection to an endpoint and logs in, under one deadline.

use std::{fmt, io, sync::Arc, time::Duration};

use rustls::{ClientConfig, pki_types::ServerName};
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    io::DuplexStream,
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    auth::AuthToken,
    connection::{Connection, Limits, Transport},
    error::Error,
    handshake::negotiate,
    recognise::Recognition,
    socket::Socket,
    tls_failure,
    traffic::{Metered, Traffic},
    uri::Uri,
    version::Version,
};

/// The interval of keep-alives on idle connections: load balancers drop silent ones after some minutes.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// After this time without an acknowledgement, of data or of a keep-alive, a connection is considered dead.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);

/// What connections are opened to.
#[derive(Clone)]
pub enum Endpoint {
    /// A server on the network.
    Network {
        /// Its address.
        uri: Uri,
        /// TLS settings; `None` for plain TCP.
        tls: Option<Arc<ClientConfig>>,
    },
    /// A server in this process: each call returns the client's end of a new stream.
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
    /// The endpoint.
    pub endpoint: Endpoint,
    /// How the server's dialect is determined.
    pub dialect: Recognition,
    /// The time limit for TCP, TLS, handshake and login together.
    pub timeout: Duration,
    /// See [`Limits`].
    pub limits: Limits,
    /// Counts the bytes of all its connections.
    pub traffic: Arc<Traffic>,
}

impl Dialer {
    /// Opens a connection and logs in as `auth`.
    ///
    /// # Errors
    /// As [`Connection::open`], [`Error::Connect`], [`Error::Tls`], and [`Error::Silent`] past the deadline.
    pub async fn dial(&self, auth: &AuthToken) -> Result<Connection, Error> {
        let since = Instant::now();
        let opening = async {
            let io = self.transport().await?;
            let mut connection = Connection::open(io, auth, self.dialect.clone(), self.limits).await?;
            connection.dialed_since(since);
            Ok(connection)
        };
        timeout(self.timeout, opening).await.unwrap_or(Err(Error::Silent(self.timeout)))
    }

    /// Checks that a Bolt server answers, without a login, and returns the version that it negotiates.
    ///
    /// # Errors
    /// As [`Dialer::dial`], except those of the login.
    pub async fn probe(&self) -> Result<Version, Error> {
        let probing = async {
            let mut io = self.transport().await?;
            Ok(negotiate(&mut io).await?.version)
        };
        timeout(self.timeout, probing).await.unwrap_or(Err(Error::Silent(self.timeout)))
    }

    /// Opens a byte stream to the server, without handshake and login.
    ///
    /// # Errors
    /// As [`Dialer::dial`], except those of handshake and login.
    pub async fn stream(&self) -> Result<Box<dyn Transport>, Error> {
        timeout(self.timeout, self.transport()).await.unwrap_or(Err(Error::Silent(self.timeout)))
    }

    async fn transport(&self) -> Result<Box<dyn Transport>, Error> {
        match &self.endpoint {
            Endpoint::Memory(connect) => Ok(self.metered(connect())),
            Endpoint::Network { uri, tls: None } => Ok(self.metered(Socket::new(connect(uri).await?))),
            Endpoint::Network { uri, tls: Some(config) } => {
                let failed = |source| Error::Tls { address: uri.to_string(), source };
                let name =
                    ServerName::try_from(uri.host.clone()).map_err(|_| failed(tls_failure::of_host(&uri.host)))?;
                let stream = Socket::new(connect(uri).await?);
                let connecting = TlsConnector::from(Arc::clone(config)).connect(name, stream);
                let stream = connecting.await.map_err(|error| failed(tls_failure::in_words(error)))?;
                Ok(self.metered(stream))
            }
        }
    }

    fn metered(&self, io: impl Transport + 'static) -> Box<dyn Transport> {
        Box::new(Metered::new(io, Arc::clone(&self.traffic)))
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
    notice_death(SockRef::from(&stream)).map_err(failed)?;
    Ok(stream)
}

/// Lets the system detect that the other side is gone without a word.
fn notice_death(socket: SockRef<'_>) -> io::Result<()> {
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE / 3))?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::{super::uri::Security, *};

    #[tokio::test]
    async fn the_system_watches_every_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let stream = connect(&Uri { security: Security::Plain, host: "127.0.0.1".into(), port }).await.unwrap();
        let socket = SockRef::from(&stream);
        #[cfg(target_os = "linux")]
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(UNACKNOWLEDGED));
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), KEEPALIVE);
    }
}
