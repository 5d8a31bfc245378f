//! deadpool's side of a bucket: how a wire is opened, and when an idle one may be lent again.

use std::sync::Arc;

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use tokio::sync::OwnedSemaphorePermit;

use super::registry::Shared;
use crate::{
    auth::Identity,
    bolt::{self, Connection, recover::prove_alive},
};

/// Opens the wires of one identity.
pub(super) struct Manager {
    pub(super) shared: Arc<Shared>,
    pub(super) identity: Identity,
}

/// A connection, and its place under the cap.
pub(super) struct Wire {
    // Boxed: buckets reserve room for as many wires as the cap allows.
    pub(super) connection: Box<Connection>,
    _slot: OwnedSemaphorePermit,
}

impl managed::Manager for Manager {
    type Type = Wire;
    type Error = bolt::Error;

    async fn create(&self) -> Result<Wire, bolt::Error> {
        let slot = self.shared.open_slot(self.identity.key()).await;
        let connection = Box::new(self.shared.dialer.dial(self.identity.token()).await?);
        tracing::debug!(
            version = %connection.version(),
            dialect = %connection.dialect(),
            agent = connection.agent(),
            "opened a connection to the database"
        );
        Ok(Wire { connection, _slot: slot })
    }

    async fn recycle(&self, wire: &mut Wire, metrics: &Metrics) -> RecycleResult<bolt::Error> {
        let settings = &self.shared.settings;
        let connection = &mut wire.connection;
        if !connection.is_clean() {
            return Err(RecycleError::message("not clean"));
        }
        if connection.opened().elapsed() > settings.max_lifetime {
            return Err(RecycleError::message("too old"));
        }
        if connection.is_stale() {
            return Err(RecycleError::message("closed by the database"));
        }
        if metrics.last_used() > settings.liveness_after && !prove_alive(connection, settings.liveness_timeout).await {
            return Err(RecycleError::message("no longer alive"));
        }
        Ok(())
    }
}
