//! Puts the rooms together: from settings to a running gateway.

use std::{io, net::SocketAddr, sync::Arc};

use thiserror::Error;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{acceptor::Acceptor, handle::ServerHandle, settings, workers::Workers};
use crate::{
    admin,
    auth::{Authenticator, token::SetupError},
    bolt::Endpoint,
    config::{self, Settings},
    http,
    pool::Pool,
    query::Engine,
    telemetry::event_log::EventLog,
    tls::TlsConfigError,
};

/// The most connections to the admin listener: enough for probes and a few people.
const ADMIN_CONNECTIONS: usize = 32;

/// Why the gateway cannot start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address is taken, or does not belong to this machine.
    #[error("cannot listen on {address} ({key}): {source}{}", advice(source, key))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The setting.
        key: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// TLS to the database cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsConfigError),
    /// Callers cannot be authenticated.
    #[error(transparent)]
    Auth(#[from] SetupError),
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
    network_endpoint(&settings.database)?;
    Authenticator::new(settings::auth::settings(&settings.auth))?;
    Ok(())
}

/// Starts a gateway in front of `endpoint`, whose connections `workers` serve. The database need not be reachable yet.
/// Whatever belongs to no request (accepting, the admin listener, cleaning up) runs on the current runtime.
///
/// # Errors
/// [`StartError`].
pub async fn start(settings: &Settings, endpoint: Endpoint, workers: Workers) -> Result<ServerHandle, StartError> {
    let bolt_port = match &endpoint {
        Endpoint::Network { uri, .. } => uri.port,
        Endpoint::Memory(_) => settings.database.uri.port(),
    };
    let dialer = settings::bolt::dialer(settings, endpoint);
    let pool = Pool::new(dialer, settings::pool::settings(&settings.database), Arc::new(EventLog));
    let engine = Engine::new(pool, settings::query::settings(settings));
    let (listener, address) = listen(settings.server.listen.get(), "server.listen").await?;
    let stop = CancellationToken::new();
    let connections = TaskTracker::new();
    let timeouts = settings::connection::timeouts(&settings.server);
    // The accept loops end with `stop`. Only connections are waited for, and the work that outlives them.
    let acceptor = |workers, max_connections| Acceptor {
        workers,
        max_connections,
        timeouts,
        stop: stop.clone(),
        tracker: connections.clone(),
    };
    let workers = Arc::new(workers);
    let admin_address = match settings.admin.listen {
        None => None,
        Some(wanted) => {
            let (listener, address) = listen(wanted.get(), "admin.listen").await?;
            let acceptor = acceptor(Arc::new(Workers::here()), ADMIN_CONNECTIONS);
            let router = admin::router(engine.clone());
            tokio::spawn(acceptor.run(listener, move |_| router.clone()));
            Some(address)
        }
    };
    let authenticator = Authenticator::new(settings::auth::settings(&settings.auth))?;
    authenticator.warm_up();
    let http_settings = settings::http::settings(settings, address.ip(), bolt_port, connections.clone());
    let service = http::service(engine.clone(), authenticator, http_settings);
    let acceptor = acceptor(Arc::clone(&workers), settings.server.max_connections.get());
    tokio::spawn(acceptor.run(listener, move |peer| service.for_peer(peer)));
    let shutdown_timeout = settings.server.shutdown_timeout.get();
    Ok(ServerHandle { address, admin_address, engine, stop, connections, shutdown_timeout, _workers: workers })
}

async fn listen(address: SocketAddr, key: &'static str) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { address, key, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}
