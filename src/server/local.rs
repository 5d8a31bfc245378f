//! A gateway without listeners, for a client in the same process.
//!
//! Promises the same service as to clients from outside: it is asked in HTTP, over memory.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{DuplexStream, duplex},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service as _;

use super::{settings, start::engine, start_error::StartError};
use crate::{
    auth::Authenticator,
    bolt::Endpoint,
    config::Settings,
    http::{self, Peer},
    named::Queries,
    query::Engine,
    telemetry::{event_log::EventLog, logs::LogControl, observer::Observer},
};

/// The bytes that each direction of a connection buffers before the writer must wait.
const BUFFER: usize = 64 * 1024;
/// How long requests may take to end once their client is gone, and how long the connections to the database may take
/// to close: longer than a statement takes to be cancelled.
const CLOSING: Duration = Duration::from_secs(5);

/// A gateway for this process alone. Its connections run on the current runtime.
pub struct LocalGateway {
    service: http::Service,
    engine: Engine,
    connections: TaskTracker,
    /// What continues without its client.
    work: TaskTracker,
}

impl LocalGateway {
    /// Makes a gateway in front of `endpoint`, which need not be reachable yet. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`StartError`] if the settings of TLS or of authentication cannot be used.
    pub fn new(settings: &Settings, endpoint: Endpoint) -> Result<Self, StartError> {
        let observer: Arc<dyn Observer> = Arc::new(EventLog);
        let dialer = settings::bolt::dialer(settings, endpoint);
        let log = LogControl::detached(settings.log.clone());
        let engine = engine(settings, dialer, Arc::clone(&observer), log);
        let authenticator = Authenticator::new(settings::auth::settings(settings, &Queries::default()), observer)?;
        let work = TaskTracker::new();
        // Nothing here ends before its client does.
        let never = CancellationToken::new();
        let http_settings = settings::http::settings(settings, None, Queries::default(), work.clone(), never, None);
        let service = http::service(engine.clone(), authenticator, http_settings);
        Ok(Self { service, engine, connections: TaskTracker::new(), work })
    }

    /// Opens a connection for HTTP/1.1 and returns the client's end of it. Dropping that cancels what was asked on it.
    #[must_use]
    pub fn connect(&self) -> DuplexStream {
        let (client, server) = duplex(BUFFER);
        let service = self.service.for_peer(Peer { address: None, tls: false });
        let exchange = service_fn(move |request: Request<Incoming>| service.clone().call(request.map(Body::new)));
        self.connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(server), exchange));
        client
    }

    /// Waits until what was asked has ended or was cancelled in the database, and closes the connections to it. Takes
    /// ten seconds at most.
    pub async fn close(self) {
        self.connections.close();
        self.work.close();
        let _ = timeout(CLOSING, async { tokio::join!(self.connections.wait(), self.work.wait()) }).await;
        let _ = timeout(CLOSING, self.engine.close()).await;
    }
}
