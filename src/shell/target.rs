//! Where the statement is sent: to a gateway on the network, or to one in this process that is in front of a database.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use hyper::{
    Response,
    body::{Bytes, Incoming},
    header::{HOST, HeaderName, HeaderValue},
};
use rustls::ClientConfig;
use tokio::{
    net::UnixStream,
    time::{Instant, timeout_at},
};

use super::failure::Failure;
use crate::{
    bolt::Endpoint,
    cli::QueryArgs,
    config::{Effective, Override, Settings, Sources},
    http_client::{self, Error, Url, UrlError},
    server::{self, LocalGateway},
    tls,
};

/// Opens the embedded database in a file, or one that is discarded at the end. An error is a text for people.
pub type OpenEmbedded = fn(Option<&Path>) -> Result<Endpoint, String>;

/// Where a gateway listens by default.
const DEFAULT: &str = "http://127.0.0.1:7474";
/// The name by which a machine knows itself.
const LOCAL: &str = "http://localhost";
/// How the names of Unix sockets begin.
const UNIX: &str = "unix:";
/// The name of the database, unless another one is given.
const DATABASE: &str = "neo4j";
/// How long TCP and TLS may take.
const CONNECTING: Duration = Duration::from_secs(10);

/// What the command line says about where to send the statement.
#[derive(Debug)]
pub(super) enum Target {
    /// A gateway on the network.
    Gateway {
        url: Url,
        /// Where to connect, if it is not the host of the URL.
        socket: Option<PathBuf>,
        /// Whether this is the default URL, and not one that was given.
        is_default: bool,
    },
    /// A database on the network.
    Database(Box<Settings>),
    /// The embedded database.
    Embedded(Option<PathBuf>),
}

impl Target {
    /// # Errors
    /// [`Failure::Usage`] for a malformed address.
    pub(super) fn new(args: &QueryArgs) -> Result<Self, Failure> {
        match (&args.url, &args.database_uri, &args.embedded) {
            (Some(url), ..) => Self::at(url, false),
            (None, Some(uri), _) => Self::database(uri, args),
            (None, None, Some(file)) => Ok(Self::Embedded(file.clone())),
            (None, None, None) => Self::at(DEFAULT, true),
        }
    }

    fn at(text: &str, is_default: bool) -> Result<Self, Failure> {
        let (url, socket) = match text.strip_prefix(UNIX) {
            Some(path) if !path.is_empty() => (LOCAL, Some(path.into())),
            _ => (text, None),
        };
        let wrong = |error| match error {
            UrlError::Credentials => Failure::Usage(
                "--url: it contains a password, which others can see in the list of processes; leave it out and set \
                 BOLTGATE_USER and BOLTGATE_PASSWORD"
                    .to_owned(),
            ),
            _ => Failure::Usage(format!(
                "--url: {error}; write one such as {DEFAULT}, https://HOST or unix:PATH; a database's address, bolt://…, \
                 takes --database-uri"
            )),
        };
        Ok(Self::Gateway { url: url.parse().map_err(wrong)?, socket, is_default })
    }

    /// The settings of a gateway in front of the database. Of the configuration only what is about the database counts.
    fn database(uri: &str, args: &QueryArgs) -> Result<Self, Failure> {
        let mut flags = vec![Override { key: "database.uri", flag: "--database-uri", value: uri.to_owned() }];
        if let Some(timeout) = args.timeout {
            let value = timeout.to_string();
            flags.push(Override { key: "database.max_execution_time", flag: "--timeout", value });
        }
        if args.database.is_none() {
            let value = format!("{DATABASE} ->");
            flags.push(Override { key: "database.aliases", flag: "--database", value });
        }
        let sources = Sources::from_process(None, flags).map_err(|error| Failure::Usage(error.to_string()))?;
        let read = Effective::load(&sources).map_err(|mistakes| Failure::Usage(mistakes.to_string()))?;
        let database = read.settings.database;
        Ok(Self::Database(Box::new(Settings { database, ..Settings::default() })))
    }

    /// Whether it could refuse somebody.
    pub(super) fn needs_credentials(&self) -> bool {
        !matches!(self, Self::Embedded(_))
    }

    /// The database behind the gateway that this process will have; `None` if the gateway is somewhere else. Blocks.
    ///
    /// # Errors
    /// [`Failure::Unreachable`] if it cannot be opened, [`Failure::Usage`] if its certificates cannot be read.
    pub(super) fn endpoint(&self, open: OpenEmbedded) -> Result<Option<Endpoint>, Failure> {
        match self {
            Self::Gateway { .. } => Ok(None),
            Self::Database(settings) => {
                let endpoint = server::network_endpoint(&settings.database);
                endpoint.map(Some).map_err(|error| Failure::Usage(error.to_string()))
            }
            Self::Embedded(file) => open(file.as_deref()).map(Some).map_err(Failure::Unreachable),
        }
    }

    /// The gateway. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`Failure::Usage`] if TLS cannot be set up.
    pub(super) fn gateway(&self, endpoint: Option<Endpoint>) -> Result<Gateway, Failure> {
        let usage = |error: &dyn std::error::Error| Failure::Usage(error.to_string());
        match (self, endpoint) {
            (Self::Gateway { url, socket, is_default }, _) => {
                let tls = url.is_https().then(|| tls::verified(None)).transpose().map_err(|error| usage(&error))?;
                let (url, socket) = (url.clone(), socket.clone());
                Ok(Gateway { url, way: Way::Network { socket, tls, is_default: *is_default } })
            }
            (Self::Database(settings), Some(endpoint)) => Self::local(settings, endpoint),
            (Self::Embedded(_), Some(endpoint)) => Self::local(&Settings::default(), endpoint),
            (Self::Database(_) | Self::Embedded(_), None) => unreachable!("a gateway in this process has a database"),
        }
    }

    fn local(settings: &Settings, endpoint: Endpoint) -> Result<Gateway, Failure> {
        let name = endpoint.to_string();
        let local = LocalGateway::new(settings, endpoint).map_err(|error| Failure::Usage(error.to_string()))?;
        let url = LOCAL.parse().map_err(|error: UrlError| Failure::Usage(error.to_string()))?;
        Ok(Gateway { url, way: Way::Local { local, name } })
    }
}

/// The name of the database that `args` name.
pub(super) fn database(args: &QueryArgs) -> &str {
    args.database.as_deref().unwrap_or(DATABASE)
}

/// A gateway that can be asked.
pub(super) struct Gateway {
    url: Url,
    way: Way,
}

enum Way {
    Network { socket: Option<PathBuf>, tls: Option<Arc<ClientConfig>>, is_default: bool },
    Local { local: LocalGateway, name: String },
}

impl Gateway {
    /// What people call it.
    pub(super) fn name(&self) -> String {
        match &self.way {
            Way::Network { socket: Some(path), .. } => format!("{UNIX}{}", path.display()),
            Way::Network { socket: None, .. } => self.url.to_string(),
            Way::Local { name, .. } => name.clone(),
        }
    }

    /// Sends a request to `path`, on a connection of its own, and waits for the head of the answer. Dropping the
    /// answer, or this future, closes the connection, and by that cancels what was asked.
    ///
    /// # Errors
    /// [`Failure::Unreachable`], [`Failure::BrokeOff`].
    pub(super) async fn post(
        &self,
        path: &str,
        mut headers: Vec<(HeaderName, HeaderValue)>,
        body: Bytes,
    ) -> Result<Response<Incoming>, Failure> {
        let url = self.url.clone().join(path).map_err(|error| Failure::Usage(format!("--url: {error}")))?;
        let deadline = Instant::now() + CONNECTING;
        let answer = match &self.way {
            Way::Network { socket: None, tls, .. } => match http_client::connect(&url, deadline).await {
                Ok(stream) => http_client::post_streaming(stream, &url, tls.as_ref(), &headers, body, deadline).await,
                Err(error) => Err(error),
            },
            Way::Network { socket: Some(path), .. } => {
                headers.push((HOST, HeaderValue::from_static("localhost")));
                let stream = timeout_at(deadline, UnixStream::connect(path)).await.map_err(io::Error::from).flatten();
                match stream {
                    Ok(stream) => http_client::post_streaming(stream, &url, None, &headers, body, deadline).await,
                    Err(error) => Err(Error::Connect(error)),
                }
            }
            Way::Local { local, .. } => {
                http_client::post_streaming(local.connect(), &url, None, &headers, body, deadline).await
            }
        };
        answer.map_err(|error| self.failure(error))
    }

    fn failure(&self, error: Error) -> Failure {
        let name = self.name();
        match error {
            Error::Connect(source) => {
                Failure::Unreachable(format!("cannot connect to {name}: {source}{}", self.advice(&source)))
            }
            Error::NotHttp(_) => Failure::Unreachable(format!(
                "{name} does not speak HTTP/1; is the port right? A database's own port takes --database-uri"
            )),
            error => Failure::BrokeOff(format!(
                "the connection to {name} broke before the response: {error}; it is unknown whether the statement took \
                 effect (this also happens if the port does not speak HTTP)"
            )),
        }
    }

    /// What to do about a connection that cannot be opened.
    fn advice(&self, error: &io::Error) -> &'static str {
        let is_default = matches!(self.way, Way::Network { is_default: true, .. });
        match error.kind() {
            io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound if is_default => {
                "; start a gateway there with `boltgate serve`, name another one with --url, a database with \
                 --database-uri, or try --embedded"
            }
            io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => {
                "; is the gateway running, and the address right?"
            }
            io::ErrorKind::InvalidData => {
                "; if the certificate is from your own authority, set SSL_CERT_FILE to its PEM file; if the port \
                 speaks no TLS, write http://"
            }
            io::ErrorKind::TimedOut => "; is the address right, and does a firewall let it through?",
            _ => "",
        }
    }

    /// Waits until everything that was asked has ended in the database, if the gateway is in this process.
    pub(super) async fn close(self) {
        if let Way::Local { local, .. } = self.way {
            local.close().await;
        }
    }
}
