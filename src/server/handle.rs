//! A running gateway, and how it stops.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::time::timeout;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::workers::Workers;
use crate::query::Engine;

/// How long closing the connections to the database may take at the end.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// A running gateway. Dropping the handle ends its workers.
#[derive(Debug)]
pub struct ServerHandle {
    pub(super) address: SocketAddr,
    pub(super) admin_address: Option<SocketAddr>,
    pub(super) engine: Engine,
    pub(super) stop: CancellationToken,
    pub(super) connections: TaskTracker,
    pub(super) shutdown_timeout: Duration,
    /// Kept until the connections to the database are closed, which may need the workers for that.
    pub(super) _workers: Arc<Workers>,
}

impl ServerHandle {
    /// The address that serves clients. Its port is the real one even if the settings ask for port 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of the admin listener, if there is one.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin_address
    }

    /// The engine that runs the statements.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Writes a warning to the log if the database does not respond, so that the operator learns it at startup rather than
    /// with the first request.
    pub fn warn_if_unreachable(&self) -> impl Future<Output = ()> + use<> {
        let engine = self.engine.clone();
        async move {
            if let Err(error) = engine.probe().await {
                tracing::warn!(
                    "{}; requests get 503 until the database responds (to try Boltgate without one: boltgate serve \
                     --embedded)",
                    error.message
                );
            }
        }
    }

    /// Stops the gateway: accepts no more connections, lets requests in flight finish within `server.shutdown_timeout`,
    /// rolls back open transactions, and closes the connections to the database.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.connections.close();
        if timeout(self.shutdown_timeout, self.connections.wait()).await.is_err() {
            tracing::warn!(
                requests = self.connections.len(),
                "requests were still running at the end of server.shutdown_timeout; they are aborted"
            );
        }
        if timeout(CLOSE_TIMEOUT, self.engine.close()).await.is_err() {
            tracing::warn!("the connections to the database did not close in time; they are aborted");
        }
    }
}
