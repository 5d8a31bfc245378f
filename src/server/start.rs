//! Puts the rooms together: from settings to a running gateway.

use std::{io, sync::Arc};

use thiserror::Error;
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use super::{
    acceptor::Acceptor,
    admin_thread::AdminThread,
    connection::{HttpService, Protocols, Stop},
    handle::ServerHandle,
    reload::{Parts, Reloader},
    settings,
    tls::{Prepared, Tls, TlsFileError},
    unix::UnixSocketListener,
    workers::Workers,
};
use crate::{
    admin,
    auth::{Authenticator, token::SetupError},
    bolt::Endpoint,
    config::{self, Effective, ListenAddr, Settings, SocketMode},
    http::{self, Peer},
    live::Live,
    pool::Pool,
    query::Engine,
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
    #[error("cannot listen on {address} ({key}): {source}{}", advice(source, key))]
    Listen {
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

/// What to do about an address that is taken.
fn advice(error: &io::Error, key: &str) -> String {
    if error.kind() != io::ErrorKind::AddrInUse {
        return String::new();
    }
    let flag = if key == "admin.listen" { "--admin-listen" } else { "--listen" };
    format!("; stop the process that uses it, or choose another address with {flag}")
}

/// Returns the endpoint that the settings name.
///
/// # Errors
/// [`StartError::Tls`].
pub fn network_endpoint(database: &config::Database) -> Result<Endpoint, StartError> {
    Ok(settings::bolt::endpoint(database)?)
}

/// Reads everything that the settings name (certificate authorities, keys of issuers) as [`start`] does, and starts
/// nothing.
///
/// # Errors
/// [`StartError`].
pub fn check(settings: &Settings) -> Result<(), StartError> {
    parse_filter(&settings.log.filter)?;
    network_endpoint(&settings.database)?;
    settings::tls::settings(&settings.server.tls).map(Prepared::read).transpose()?;
    Authenticator::new(settings::auth::settings(&settings.auth), Arc::new(EventLog))?;
    settings::traces::settings(settings)?.map_or(Ok(()), otlp::check)?;
    Ok(())
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
    let pool_settings = settings::pool::settings(&settings.database, &settings.limits);
    let pool = Pool::new(dialer, pool_settings, Arc::clone(&observer));
    let scrape = Arc::new(Scrape::new(metrics, {
        let pool = pool.clone();
        move || settings::metrics::gauges(&pool.status())
    }));
    let engine = Engine::new(pool, settings::query::settings(settings, log.clone()));
    let prepared = settings::tls::settings(&settings.server.tls).map(Prepared::read).transpose()?;
    let tls = Tls::new(prepared, Arc::clone(&observer));
    let authenticator = Authenticator::new(settings::auth::settings(&settings.auth), Arc::clone(&observer))?;
    let listener = Bound::to(&settings.server.listen, settings.server.socket_mode, "server.listen").await?;
    let address = listener.address.clone();
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
    let http_settings = settings::http::settings(settings, bolt_port, work.clone(), tracer.clone());
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
        tracer,
    };
    let reloader = Reloader::new(parts, Arc::clone(&observer));
    listener.serve(acceptor, move |peer| service.for_peer(peer));
    tokio::spawn(tls.clone().watch());
    Ok(ServerHandle {
        address,
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

/// Starts the export of traces, if there is a collector.
fn traces(settings: &Settings, endpoint: &Endpoint, observer: &Arc<dyn Observer>) -> Result<Option<Traces>, OtlpError> {
    let Some(otlp) = settings::traces::settings(settings)? else { return Ok(None) };
    let sampling = Live::new(settings::traces::sampling(&settings.telemetry.otlp));
    otlp::start(otlp, sampling, settings::traces::database(endpoint), Arc::clone(observer)).map(Some)
}

/// A listener whose address is taken.
struct Bound {
    /// The port is the real one.
    address: ListenAddr,
    socket: Socket,
}

enum Socket {
    Tcp(TcpListener),
    Unix(UnixSocketListener),
}

impl Bound {
    /// Takes the address that the setting `key` names. The file of a Unix socket gets this mode.
    async fn to(wanted: &ListenAddr, mode: SocketMode, key: &'static str) -> Result<Self, StartError> {
        let bound = async {
            Ok(match wanted {
                ListenAddr::Tcp(address) => {
                    let listener = TcpListener::bind(address).await?;
                    Self { address: ListenAddr::Tcp(listener.local_addr()?), socket: Socket::Tcp(listener) }
                }
                ListenAddr::Unix(path) => {
                    let listener = UnixSocketListener::bind(path, mode.get()).await?;
                    Self { address: wanted.clone(), socket: Socket::Unix(listener) }
                }
            })
        };
        bound.await.map_err(|source| StartError::Listen { address: wanted.clone(), key, source })
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
