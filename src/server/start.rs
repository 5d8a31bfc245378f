//! Putting the rooms together, from settings to a running gateway, and taking them apart again.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use thiserror::Error;
use tokio::{net::TcpListener, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    acceptor::Acceptor,
    connection::{Limits as TimerLimits, Timeouts},
    settings::{auth as auth_settings, guard},
    workers::Workers,
};
use crate::{
    admin,
    auth::{Authenticator, token::SetupError},
    bolt::{
        Dialer, Endpoint, Security, Uri,
        connection::Limits,
        dialect::{Dialect, MEMGRAPH, NEO4J, STRICT},
    },
    config::{self, Edition, Settings, UriScheme},
    http,
    pool::{self, Pool},
    query::{self, Alias, Aliases, Engine, Retry, TransactionSettings},
    telemetry::event_log::EventLog,
    tls::{self, TlsConfigError},
};

/// A server that waits for a bookmark may be silent for a minute longer.
const BOOKMARK_WAIT: Duration = Duration::from_secs(60);
/// How long an idle connection may take to prove that it is alive.
const LIVENESS_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the cancelling of an abandoned statement may take.
const RECOVERY: Duration = Duration::from_secs(2);
/// How long an abandoned statement may go on by itself where RESET does not interrupt it.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long the closing of connections to the database may take at the end.
const FAREWELL: Duration = Duration::from_secs(5);

/// Why the gateway does not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address is taken, or not ours.
    #[error("cannot listen on {address} ({key}): {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The setting.
        key: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// No TLS towards the database.
    #[error(transparent)]
    Tls(#[from] TlsConfigError),
    /// Callers could not be let in.
    #[error(transparent)]
    Auth(#[from] SetupError),
}

/// A gateway that serves.
#[derive(Debug)]
pub struct ServerHandle {
    address: SocketAddr,
    admin_address: Option<SocketAddr>,
    engine: Engine,
    stop: CancellationToken,
    connections: TaskTracker,
    grace: Duration,
    /// Live for as long as there are connections to the database, which may need them to say good-bye.
    _workers: Arc<Workers>,
}

/// The endpoint that the settings name.
///
/// # Errors
/// [`StartError::Tls`].
pub fn network_endpoint(settings: &config::Database) -> Result<Endpoint, StartError> {
    let (security, tls) = match settings.uri.scheme() {
        UriScheme::Bolt => (Security::Plain, None),
        UriScheme::BoltS => (Security::Verified, Some(tls::verified(settings.ca_file.as_deref())?)),
        UriScheme::BoltSsc => (Security::SelfSigned, Some(tls::unverified()?)),
    };
    let uri = Uri { security, host: settings.uri.host().to_owned(), port: settings.uri.port() };
    Ok(Endpoint::Network { uri, tls })
}

/// Reads all that the settings name (authorities, keys of issuers) as a start would, and starts nothing.
///
/// # Errors
/// [`StartError`].
pub fn check(settings: &Settings) -> Result<(), StartError> {
    network_endpoint(&settings.database)?;
    Authenticator::new(auth_settings::settings(&settings.auth))?;
    Ok(())
}

/// Starts serving `endpoint` with `workers`. The database need not be there yet. What belongs to no request (accepting, operators,
/// cleaning up) happens in the current runtime.
///
/// # Errors
/// [`StartError`].
pub async fn start(settings: &Settings, endpoint: Endpoint, workers: Workers) -> Result<ServerHandle, StartError> {
    let bolt_port = match &endpoint {
        Endpoint::Network { uri, .. } => uri.port,
        Endpoint::Memory(_) => settings.database.uri.port(),
    };
    let engine = engine(settings, endpoint);
    let (listener, address) = listen(settings.server.listen.get(), "server.listen").await?;
    let stop = CancellationToken::new();
    let connections = TaskTracker::new();
    let deadlines = Timeouts {
        pace: TimerLimits {
            head: settings.server.header_timeout.get(),
            idle: settings.server.idle_timeout.get(),
            age: settings.server.max_connection_age.get(),
        },
        write_stall: settings.server.write_stall_timeout.get(),
        half_close: settings.server.half_close_timeout.get(),
    };
    // The loops themselves end with `stop`; only connections are waited for, and what goes on without one.
    let door = |workers, max| Acceptor { workers, max, deadlines, stop: stop.clone(), tracker: connections.clone() };
    let workers = Arc::new(workers);
    let admin_address = match settings.admin.listen {
        None => None,
        Some(wanted) => {
            let (listener, address) = listen(wanted.get(), "admin.listen").await?;
            let door = door(Arc::new(Workers::here()), ADMIN_CONNECTIONS);
            let router = admin::router(engine.clone());
            tokio::spawn(door.accept(listener, move |_| router.clone()));
            Some(address)
        }
    };
    let authenticator = Authenticator::new(auth_settings::settings(&settings.auth))?;
    authenticator.warm_up();
    let http_settings = http_settings(settings, address.ip(), bolt_port, connections.clone());
    let service = http::service(engine.clone(), authenticator, http_settings);
    let door = door(Arc::clone(&workers), settings.server.max_connections.get());
    tokio::spawn(door.accept(listener, move |peer| service.for_peer(peer)));
    let grace = settings.server.shutdown_timeout.get();
    Ok(ServerHandle { address, admin_address, engine, stop, connections, grace, _workers: workers })
}

/// Enough for probes, and for a person or two.
const ADMIN_CONNECTIONS: usize = 32;

fn engine(settings: &Settings, endpoint: Endpoint) -> Engine {
    let database = &settings.database;
    let max_execution_time = database.max_execution_time.get();
    let termination_grace = database.termination_grace.get();
    let silence = max_execution_time + termination_grace + BOOKMARK_WAIT;
    let dialer = Dialer {
        endpoint,
        dialect: dialect(database.dialect).into(),
        timeout: database.connect_timeout.get(),
        limits: Limits { max_message: settings.limits.record.get(), silence },
    };
    let pool_settings = pool::Settings {
        max: database.max_connections.get(),
        acquire_timeout: database.acquire_timeout.get(),
        share: database.caller_share.of(database.max_connections.get()),
        max_lifetime: database.max_lifetime.get(),
        login_age: database.login_age.get(),
        liveness_after: database.liveness_after.get(),
        liveness_timeout: LIVENESS_TIMEOUT,
        recovery: RECOVERY,
        patience: PATIENCE,
    };
    let transactions = TransactionSettings {
        max: settings.transactions.max.get(),
        share: settings.transactions.caller_share.of(settings.transactions.max.get()),
        idle_timeout: settings.transactions.idle_timeout.get(),
        max_lifetime: settings.transactions.max_lifetime.get(),
        grace: termination_grace,
    };
    let alias = |alias: &config::DatabaseAlias| Alias { name: alias.name.clone(), target: alias.target.clone() };
    let aliases = Aliases::new(database.aliases.iter().map(alias).collect());
    Engine::new(
        Pool::new(dialer, pool_settings, Arc::new(EventLog)),
        query::Settings { max_execution_time, termination_grace, transactions, aliases },
    )
}

fn http_settings(settings: &Settings, listener: IpAddr, bolt_port: u16, work: TaskTracker) -> http::Settings {
    http::Settings {
        guard: guard::guard(settings, listener),
        body: settings.limits.body.get(),
        body_memory: settings.limits.body_memory.get(),
        body_timeout: settings.server.body_timeout.get(),
        line: settings.limits.line.get(),
        content: http::BodyLimits {
            statement: settings.limits.statement.get(),
            depth: settings.limits.depth.get(),
            packed: 2 * settings.limits.body.max(settings.limits.line).get(),
        },
        id_token_header: auth_settings::id_token_header(&settings.auth),
        statuses: match settings.http.statuses {
            config::Statuses::QueryApi => http::Statuses::QueryApi,
            config::Statuses::Precise => http::Statuses::Precise,
        },
        retry: Retry {
            max_time: settings.retry.max_time.get(),
            initial_delay: settings.retry.initial_delay.get(),
            multiplier: settings.retry.multiplier.get(),
            jitter: settings.retry.jitter.get(),
        },
        idempotency: http::IdempotencySettings {
            keep: settings.idempotency.keep.get(),
            max_answer: settings.idempotency.max_answer.get(),
            capacity: settings.idempotency.capacity.get(),
        },
        work,
        neo4j_version: settings.discovery.neo4j_version.as_str().to_owned(),
        neo4j_edition: match settings.discovery.neo4j_edition {
            Edition::Community => "community",
            Edition::Enterprise => "enterprise",
        },
        bolt_port,
    }
}

fn dialect(setting: config::Dialect) -> Option<&'static Dialect> {
    match setting {
        config::Dialect::Auto => None,
        config::Dialect::Neo4j => Some(&NEO4J),
        config::Dialect::Memgraph => Some(&MEMGRAPH),
        config::Dialect::Strict => Some(&STRICT),
    }
}

async fn listen(address: SocketAddr, key: &'static str) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { address, key, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

impl ServerHandle {
    /// Where clients are served; the port is the real one also when 0 was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where operators are served, if anywhere.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin_address
    }

    /// What serves the requests.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Stops: no new connections, what runs is finished within the grace, open transactions are rolled back, and
    /// the connections to the database are closed.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.connections.close();
        if timeout(self.grace, self.connections.wait()).await.is_err() {
            tracing::warn!(
                requests = self.connections.len(),
                "requests still ran at the end of server.shutdown_timeout; they are broken off"
            );
        }
        if timeout(FAREWELL, self.engine.close()).await.is_err() {
            tracing::warn!("the database did not let go in time; its connections are broken off");
        }
    }
}
