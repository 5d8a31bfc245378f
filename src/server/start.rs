//! Puts the rooms together: from settings to a running gateway.

use std::{io, net::SocketAddr, sync::Arc};

use thiserror::Error;
use tokio::net::{TcpListener, lookup_host};
use tokio_util::task::TaskTracker;

use super::{
    acceptor::Acceptor,
    admin_thread::AdminThread,
    connection::{HttpService, Protocols, Stop},
    handle::ServerHandle,
    named,
    reload::{Parts, Reloader},
    settings,
    tcp::TcpListeners,
    tls::{self, Prepared, Tls, TlsFileError},
    unix::UnixSocketListener,
    workers::Workers,
};
use crate::{
    admin,
    auth::{Authenticator, Identity, token::SetupError},
    bolt::{Dialer, Endpoint},
    config::{self, Effective, ListenAddr, NamedCheck, Settings, SocketMode},
    http::{self, Peer},
    live::Live,
    named::{FileError, Queries},
    pool::Pool,
    query::{self, Engine},
    telemetry::{
        event_log::EventLog,
        logs::{LogControl, LogsError, parse_filter},
        metrics::{Metrics, Scrape},
        observer::Observer,
        observers::Observers,
        otlp::{self, OtlpError, Traces},
    },
    tls::TlsConfigError,
};

/// Why the gateway cannot start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address is taken, or cannot be had.
    #[error("cannot listen on {address} ({key}): {source}{}", advice(source, address, key))]
    Listen {
        /// The address.
        address: ListenAddr,
        /// The setting.
        key: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// The name of the address means nothing to this machine.
    #[error(
        "cannot listen on {address} ({key}): cannot look up the name: {source}; write an IP address instead, such as 127.0.0.1"
    )]
    Lookup {
        /// The address.
        address: ListenAddr,
        /// The setting.
        key: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// The files for TLS to clients cannot be used.
    #[error(transparent)]
    ClientTls(#[from] TlsFileError),
    /// TLS to the database cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsConfigError),
    /// Traces cannot be exported.
    #[error(transparent)]
    Otlp(#[from] OtlpError),
    /// Tools for agents are wanted of a program that has none.
    #[cfg(not(feature = "mcp"))]
    #[error(
        "this program was built without the feature `mcp`, so that it has no tools for agents; set mcp.enabled = false"
    )]
    NoAgents,
    /// Files of named queries cannot be used.
    #[error("{}", lines(.0))]
    Named(Vec<FileError>),
    /// The database does not accept named queries.
    #[error("the database does not accept named queries (named.check = \"fail\"):\n  {}", .0.join("\n  "))]
    NamedRefused(Vec<String>),
    /// The database could not be asked whether it accepts the named queries.
    #[error(
        "cannot ask the database whether it accepts the named query {file} (named.check = \"fail\"): {error}; start the \
         database first, let auth.service_account log in to it, or set named.check = \"warn\""
    )]
    NamedUnchecked {
        /// The file of the query.
        file: String,
        /// What the database, or the way to it, says.
        error: query::Error,
    },
    /// Callers cannot be authenticated.
    #[error(transparent)]
    Auth(#[from] SetupError),
    /// The thread of the admin listener cannot be started.
    #[error("cannot start the thread of the admin listener (admin.listen): {0}")]
    Thread(#[from] io::Error),
    /// The log cannot be filtered as wanted.
    #[error(transparent)]
    Log(#[from] LogsError),
}

/// What is wrong with files, a line for each mistake.
fn lines(mistakes: &[FileError]) -> String {
    mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  ")
}

impl StartError {
    /// Whether named queries are at fault, so that another start will fail as well until they are mended.
    #[must_use]
    pub fn is_of_named_queries(&self) -> bool {
        matches!(self, Self::Named(_) | Self::NamedRefused(_))
    }
}

/// What to do about an address that cannot be had.
fn advice(error: &io::Error, address: &ListenAddr, key: &str) -> String {
    let flag = if key == "admin.listen" { "--admin-listen" } else { "--listen" };
    let is_path = matches!(address, ListenAddr::Unix(_));
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("; stop the process that uses it, or choose another address with {flag}")
        }
        io::ErrorKind::PermissionDenied if !is_path => format!(
            "; ports below 1024 need a privilege (AmbientCapabilities=CAP_NET_BIND_SERVICE in systemd): choose a higher \
             port with {flag}"
        ),
        io::ErrorKind::AddrNotAvailable => format!(
            "; no network of this machine has this address: choose one with {flag} that it has, or 0.0.0.0 for all"
        ),
        io::ErrorKind::AlreadyExists => format!("; remove the file, or choose another path with {flag}"),
        io::ErrorKind::NotFound if is_path => "; create the folder first".to_owned(),
        io::ErrorKind::PermissionDenied => format!("; choose a folder with {flag} that this user may write to"),
        _ => String::new(),
    }
}

/// Returns the endpoint that the settings name.
///
/// # Errors
/// [`StartError::Tls`].
pub fn network_endpoint(database: &config::Database) -> Result<Endpoint, StartError> {
    Ok(settings::bolt::endpoint(database)?)
}

/// Reads everything that the settings name (certificates, keys of issuers) as [`start`] does, and starts nothing. Returns
/// what is wrong with it: a text for each mistake, with the origin of the setting.
#[must_use]
pub fn check(effective: &Effective) -> Vec<String> {
    let settings = &effective.settings;
    let mut mistakes = Vec::new();
    let mut add = |key: &str, error: StartError| mistakes.push(format!("{}: {error}", effective.origin(key)));
    if let Err(error) = parse_filter(&settings.log.filter) {
        add("log.filter", error.into());
    }
    if let Err(error) = network_endpoint(&settings.database) {
        add("database.ca_file", error);
    }
    for error in settings::tls::settings(&settings.server.tls).iter().flat_map(tls::check) {
        add(error.setting(), error.into());
    }
    for (name, issuer) in &settings.auth.issuers {
        if issuer.issuer.is_empty() {
            // `Effective::read` has said so.
            continue;
        }
        // One at a time, so that all mistakes are found.
        let issuers = [(name.clone(), issuer.clone())].into();
        let only = Settings { auth: config::Auth { issuers, ..settings.auth.clone() }, ..settings.clone() };
        if let Err(error) = Authenticator::new(settings::auth::settings(&only, &Queries::default()), Arc::new(EventLog))
        {
            let key = format!("auth.issuers.{name}.{}", error.setting());
            add(&key, error.into());
        }
    }
    #[cfg(not(feature = "mcp"))]
    if settings.mcp.enabled {
        add("mcp.enabled", StartError::NoAgents);
    }
    let traces = settings::traces::settings(settings);
    if let Err(error) = traces.and_then(|traces| traces.map_or(Ok(()), otlp::check)) {
        add("telemetry.otlp.endpoint", error.into());
    }
    mistakes
}

/// Reads the files of the named queries.
///
/// # Errors
/// [`StartError::Named`].
pub fn named_queries(settings: &Settings) -> Result<Queries, StartError> {
    settings::named::load(settings).map_err(StartError::Named)
}

/// Reads the files of the named queries, and starts nothing. Returns what is wrong with them: a text for each mistake.
#[must_use]
pub fn check_named(effective: &Effective) -> Vec<String> {
    let mistakes = settings::named::load(&effective.settings).err().unwrap_or_default();
    mistakes.iter().map(ToString::to_string).collect()
}

/// Starts a gateway in front of `endpoint`, whose connections `workers` serve. `log` is the log of the process, which the
/// settings change when they are reloaded. The database need not be reachable yet.
/// Whatever belongs to no request (accepting, cleaning up) runs on the current runtime.
///
/// # Errors
/// [`StartError`].
pub async fn start(
    effective: &Effective,
    log: LogControl,
    endpoint: Endpoint,
    workers: Workers,
) -> Result<ServerHandle, StartError> {
    let settings = &effective.settings;
    let live = Live::new(effective.clone());
    let bolt_port = match &endpoint {
        Endpoint::Network { uri, .. } => Some(uri.port),
        Endpoint::Memory(_) => None,
    };
    let dialer = settings::bolt::dialer(settings, endpoint);
    let metrics = Arc::new(Metrics::default());
    let observer: Arc<dyn Observer> = Arc::new(Observers::new(dialer.endpoint.to_string(), Arc::clone(&metrics)));
    let traces = traces(settings, &dialer.endpoint, &observer)?;
    let tracer = traces.as_ref().map(|traces| traces.tracer().clone());
    let engine = engine(settings, dialer, Arc::clone(&observer), log.clone());
    let scrape = Arc::new(Scrape::new(metrics, {
        let pool = engine.pool().clone();
        move || settings::metrics::gauges(&pool.status())
    }));
    let prepared = settings::tls::settings(&settings.server.tls).map(Prepared::read).transpose()?;
    let tls = Tls::new(prepared, Arc::clone(&observer));
    let queries = named_queries(settings)?;
    let auth_settings = settings::auth::settings(settings, &queries);
    let authenticator = Authenticator::new(auth_settings, Arc::clone(&observer))?;
    check_queries(&queries, settings.named.check, &engine, authenticator.own_account()).await?;
    let listener = Bound::to(&settings.server.listen, settings.server.socket_mode, "server.listen").await?;
    let (address, is_local) = (listener.address.clone(), listener.is_local);
    let protocols = Live::new(Protocols::new(settings::connection::timeouts(&settings.server)));
    let workers = Arc::new(workers);

    let mut admin = None;
    if let Some(wanted) = settings.admin.listen.clone() {
        let service = admin::Service::new(admin::Parts {
            engine: engine.clone(),
            settings: live.clone(),
            log: log.clone(),
            scrape,
            on_unix_socket: matches!(wanted, ListenAddr::Unix(_)),
        });
        let thread = AdminThread::start()?;
        let (acceptor, mode) = (thread.acceptor(), settings.admin.socket_mode);
        let serving = thread.spawn(async move {
            let listener = Bound::to(&wanted, mode, "admin.listen").await?;
            let address = listener.address.clone();
            listener.serve(acceptor, move |peer| service.for_peer(peer.address));
            Ok::<_, StartError>(address)
        });
        admin = Some((serving.await.map_err(io::Error::from)??, thread));
    }

    authenticator.warm_up();
    let (stop, connections, work) = (Stop::default(), TaskTracker::new(), TaskTracker::new());
    let (work_of_http, at_once) = (work.clone(), stop.at_once.clone());
    let http_settings = settings::http::settings(settings, bolt_port, queries, work_of_http, at_once, tracer.clone());
    let service = http::service(engine.clone(), authenticator.clone(), http_settings);
    let acceptor = Acceptor {
        workers: Arc::clone(&workers),
        max_connections: settings.server.max_connections.get(),
        protocols: protocols.clone(),
        tls: Some(tls.clone()),
        drain: engine.drain().clone(),
        stop: stop.clone(),
        tracker: connections.clone(),
        observer: Arc::clone(&observer),
    };
    let parts = Parts {
        settings: live.clone(),
        log,
        protocols,
        tls: tls.clone(),
        authenticator,
        engine: engine.clone(),
        service: service.clone(),
        bolt_port,
        work: work.clone(),
        at_once: stop.at_once.clone(),
        tracer,
    };
    let reloader = Reloader::new(parts, Arc::clone(&observer));
    listener.serve(acceptor, move |peer| service.for_peer(peer));
    tokio::spawn(tls.clone().watch());
    Ok(ServerHandle {
        address,
        is_local,
        admin,
        engine,
        observer,
        tls,
        stop,
        connections,
        work,
        traces,
        settings: live,
        reloader,
        workers,
    })
}

/// The engine over a pool of connections that `dialer` opens.
pub(super) fn engine(settings: &Settings, dialer: Dialer, observer: Arc<dyn Observer>, log: LogControl) -> Engine {
    let pool = Pool::new(dialer, settings::pool::settings(&settings.database, &settings.limits), observer);
    Engine::new(pool, settings::query::settings(settings, log))
}

/// Has the database explain the named queries. Only a gateway that is to fail with them waits for that.
async fn check_queries(
    queries: &Queries,
    check: NamedCheck,
    engine: &Engine,
    account: Identity,
) -> Result<(), StartError> {
    if queries.count() == 0 {
        return Ok(());
    }
    tracing::info!(count = queries.count(), "named queries loaded");
    let asking = named::check(queries.clone(), check, engine.clone(), account);
    match check {
        NamedCheck::Off => Ok(()),
        NamedCheck::Warn => {
            tokio::spawn(asking);
            Ok(())
        }
        NamedCheck::Fail => asking.await,
    }
}

/// Starts the export of traces, if there is a collector.
fn traces(settings: &Settings, endpoint: &Endpoint, observer: &Arc<dyn Observer>) -> Result<Option<Traces>, OtlpError> {
    let Some(otlp) = settings::traces::settings(settings)? else { return Ok(None) };
    let sampling = Live::new(settings::traces::sampling(&settings.telemetry.otlp));
    otlp::start(otlp, sampling, settings::traces::database(endpoint), Arc::clone(observer)).map(Some)
}

/// Takes all addresses of a name. One that this machine does not have, such as `::1` without IPv6, is left out as long as
/// there is another one. The system chooses a port once, for all.
async fn bind_all(addresses: Vec<SocketAddr>) -> Result<Vec<TcpListener>, (SocketAddr, io::Error)> {
    let mut listeners: Vec<TcpListener> = Vec::new();
    let mut missing = None;
    for mut address in addresses {
        let bound = listeners.iter().filter_map(|listener| listener.local_addr().ok());
        let bound: Vec<SocketAddr> = bound.collect();
        if let Some(first) = bound.first()
            && address.port() == 0
        {
            address.set_port(first.port());
        }
        if bound.contains(&address) {
            // Some systems know the same address by several sockets' types.
            continue;
        }
        match TcpListener::bind(address).await {
            Ok(listener) => listeners.push(listener),
            Err(error) if matches!(error.raw_os_error(), Some(libc::EADDRNOTAVAIL | libc::EAFNOSUPPORT)) => {
                missing = Some((address, error));
            }
            Err(error) => return Err((address, error)),
        }
    }
    match missing {
        Some(missing) if listeners.is_empty() => Err(missing),
        _ => Ok(listeners),
    }
}

/// A listener whose address is taken.
struct Bound {
    /// The port is the real one.
    address: ListenAddr,
    /// Whether only this machine can reach it.
    is_local: bool,
    socket: Socket,
}

enum Socket {
    Tcp(TcpListeners),
    Unix(UnixSocketListener),
}

impl Bound {
    /// Takes the address that the setting `key` names. The file of a Unix socket gets this mode.
    async fn to(wanted: &ListenAddr, mode: SocketMode, key: &'static str) -> Result<Self, StartError> {
        let refused = |address: &ListenAddr, source| StartError::Listen { address: address.clone(), key, source };
        match wanted {
            ListenAddr::Tcp(address) => Self::to_tcp(*address).await.map_err(|source| refused(wanted, source)),
            ListenAddr::Name { host, port } => {
                let looked_up = lookup_host((host.as_str(), *port)).await;
                let addresses = looked_up.map(Iterator::collect).map_err(|source| StartError::Lookup {
                    address: wanted.clone(),
                    key,
                    source,
                })?;
                let listeners = bind_all(addresses).await;
                let listeners = listeners.map_err(|(address, source)| refused(&ListenAddr::Tcp(address), source))?;
                Self::to_name(host, listeners).map_err(|source| refused(wanted, source))
            }
            ListenAddr::Unix(path) => {
                let listener = UnixSocketListener::bind(path, mode.get()).await;
                let listener = listener.map_err(|source| refused(wanted, source))?;
                Ok(Self { address: wanted.clone(), is_local: true, socket: Socket::Unix(listener) })
            }
        }
    }

    async fn to_tcp(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = ListenAddr::Tcp(listener.local_addr()?);
        Ok(Self { is_local: address.is_local(), address, socket: Socket::Tcp(TcpListeners(vec![listener])) })
    }

    fn to_name(host: &str, listeners: Vec<TcpListener>) -> io::Result<Self> {
        let addresses = listeners.iter().map(TcpListener::local_addr).collect::<io::Result<Vec<_>>>()?;
        Ok(Self {
            address: ListenAddr::Name { host: host.to_owned(), port: addresses.first().map_or(0, SocketAddr::port) },
            is_local: addresses.iter().all(|address| ListenAddr::Tcp(*address).is_local()),
            socket: Socket::Tcp(TcpListeners(listeners)),
        })
    }

    /// Serves what `acceptor` accepts, in a task that is tracked like a connection: a stop waits until the last one was
    /// accepted and the address is free.
    fn serve<S: HttpService>(self, acceptor: Acceptor, service: impl Fn(Peer) -> S + Send + Sync + 'static) {
        let tracker = acceptor.tracker.clone();
        match self.socket {
            Socket::Tcp(listener) => tracker.spawn(acceptor.run(listener, service)),
            Socket::Unix(listener) => tracker.spawn(acceptor.run(listener, service)),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::listener::Listener;

    #[test]
    fn an_address_that_needs_a_privilege_is_explained() {
        let address: ListenAddr = "127.0.0.1:80".parse().unwrap();
        let refused = |key, address: &ListenAddr| StartError::Listen {
            address: address.clone(),
            key,
            source: io::ErrorKind::PermissionDenied.into(),
        };
        assert_eq!(
            refused("server.listen", &address).to_string(),
            "cannot listen on 127.0.0.1:80 (server.listen): permission denied; ports below 1024 need a privilege \
             (AmbientCapabilities=CAP_NET_BIND_SERVICE in systemd): choose a higher port with --listen"
        );
        let path = "unix:/run/b.sock".parse().unwrap();
        let said = refused("admin.listen", &path).to_string();
        assert!(said.ends_with("; choose a folder with --admin-listen that this user may write to"), "{said}");
    }

    #[tokio::test]
    async fn a_name_is_served_at_all_of_its_addresses_with_one_port() {
        let local = |text: &str| text.parse::<SocketAddr>().unwrap();
        let listeners = bind_all(vec![local("127.0.0.1:0"), local("127.0.0.2:0"), local("192.0.2.1:0")]).await.unwrap();
        let addresses: Vec<_> = listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
        assert_eq!(addresses.len(), 2, "this machine does not have the third");
        assert_eq!(addresses[0].port(), addresses[1].port());
        let listeners = TcpListeners(listeners);
        for address in addresses.iter().rev() {
            let _client = tokio::net::TcpStream::connect(address).await.unwrap();
            Listener::accept(&listeners).await.unwrap();
        }
        let (refused, _) = bind_all(addresses).await.unwrap_err();
        assert_eq!(refused, listeners.0[0].local_addr().unwrap(), "an address in use is not left out");
        let (missing, _) = bind_all(vec![local("192.0.2.1:0")]).await.unwrap_err();
        assert_eq!(missing, local("192.0.2.1:0"));
    }
}
