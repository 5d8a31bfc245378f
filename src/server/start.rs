//! Puts the rooms together: from settings to a running gateway.

use std::{io, sync::Arc};

use tokio_util::task::TaskTracker;

use super::{
    acceptor::Acceptor,
    admin_thread::AdminThread,
    bound::Bound,
    connection::{Protocols, Stop},
    handle::ServerHandle,
    named,
    reload::{Parts, Reloader},
    settings,
    start_error::StartError,
    tls::{Prepared, Tls},
    workers::Workers,
};
use crate::{
    admin,
    auth::{Authenticator, Identity},
    bolt::{Dialer, Endpoint},
    config::{self, Effective, ListenAddr, NamedCheck, Settings, SocketMode},
    http,
    live::Live,
    named::Queries,
    pool::Pool,
    query::Engine,
    telemetry::{
        logs::LogControl,
        metrics::{Metrics, Scrape},
        observer::Observer,
        observers::Observers,
        otlp::{self, OtlpError, Traces},
    },
};

/// Returns the endpoint that the settings name.
///
/// # Errors
/// [`StartError::Tls`].
pub fn network_endpoint(database: &config::Database) -> Result<Endpoint, StartError> {
    Ok(settings::bolt::endpoint(database)?)
}

/// Reads the files of the named queries.
///
/// # Errors
/// [`StartError::Named`].
pub fn named_queries(settings: &Settings) -> Result<Queries, StartError> {
    settings::named::load(settings).map_err(StartError::Named)
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

    let admin = match settings.admin.listen.clone() {
        None => None,
        Some(wanted) => {
            let service = admin::Service::new(admin::Parts {
                engine: engine.clone(),
                settings: live.clone(),
                log: log.clone(),
                scrape,
                on_unix_socket: matches!(wanted, ListenAddr::Unix(_)),
            });
            Some(serve_admin(wanted, settings.admin.socket_mode, service).await?)
        }
    };

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

/// Serves the admin listener on a thread of its own. Returns its address, whose port is the real one.
async fn serve_admin(
    wanted: ListenAddr,
    mode: SocketMode,
    service: admin::Service,
) -> Result<(ListenAddr, AdminThread), StartError> {
    let thread = AdminThread::start()?;
    let acceptor = thread.acceptor();
    let serving = thread.spawn(async move {
        let listener = Bound::to(&wanted, mode, "admin.listen").await?;
        let address = listener.address.clone();
        listener.serve(acceptor, move |peer| service.for_peer(peer.address));
        Ok::<_, StartError>(address)
    });
    Ok((serving.await.map_err(io::Error::from)??, thread))
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
