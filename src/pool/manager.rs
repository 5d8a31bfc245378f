//! deadpool's side of a bucket: how a wire is opened, and when an idle one may be lent again.

use std::{sync::Arc, time::Duration};

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, timeout},
};

use super::{
    buckets::Idle,
    logins::Attempt,
    registry::{Place, Shared},
};
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
    pub(super) slot: OwnedSemaphorePermit,
}

impl managed::Manager for Manager {
    type Type = Wire;
    type Error = bolt::Error;

    async fn create(&self) -> Result<Wire, bolt::Error> {
        if let Some(wire) = self.take_over().await {
            return Ok(wire);
        }
        let attempt = self.shared.logins.admit(self.identity.key()).await.map_err(bolt::Error::Login)?;
        match self.shared.place(self.identity.key()).await {
            Place::Wire(mut wire) => {
                self.queue_login(&mut wire.connection, attempt);
                Ok(wire)
            }
            Place::Slot(slot) => Ok(Wire { connection: self.open(attempt).await?, slot }),
        }
    }

    async fn recycle(&self, wire: &mut Wire, metrics: &Metrics) -> RecycleResult<bolt::Error> {
        self.make_fit(wire, metrics.last_used()).await
    }
}

impl Manager {
    /// A wire of the identity that another runtime has left idle. Wires are dear, also where many threads share the work.
    async fn take_over(&self) -> Option<Wire> {
        while let Some(Idle { mut wire, unused }) = self.shared.buckets.take_elsewhere(self.identity.key()) {
            if self.make_fit(&mut wire, unused).await.is_ok() {
                wire.connection.move_here();
                return Some(wire);
            }
        }
        None
    }

    /// Makes sure that a wire that was idle for so long can be lent.
    async fn make_fit(&self, wire: &mut Wire, unused: Duration) -> RecycleResult<bolt::Error> {
        let settings = &self.shared.settings;
        let connection = &mut *wire.connection;
        if !connection.is_clean() {
            return Err(RecycleError::message("not clean"));
        }
        if connection.opened().elapsed() > settings.max_lifetime {
            return Err(RecycleError::message("too old"));
        }
        if self.identity.login_until().is_some_and(|end| end <= Instant::now()) {
            return Err(RecycleError::message("its token has expired"));
        }
        if connection.is_stale() {
            return Err(RecycleError::message("closed by the database"));
        }
        let rested = unused > settings.liveness_after;
        if self.shared.is_login_due(connection) {
            self.log_in_again(connection, rested).await
        } else if rested && !prove_alive(connection, settings.liveness_timeout).await {
            Err(RecycleError::message("no longer alive"))
        } else {
            Ok(())
        }
    }

    async fn open(&self, attempt: Attempt) -> Result<Box<Connection>, bolt::Error> {
        // Boxed, since it is seldom needed, and large: every request's future would hold it.
        let connection = Box::new(Box::pin(self.shared.log_in(&self.identity, attempt)).await?);
        tracing::debug!(
            version = %connection.version(),
            dialect = %connection.dialect(),
            agent = connection.agent(),
            "opened a connection to the database"
        );
        Ok(connection)
    }

    /// Has the login of an idle wire proved: together with the next statement, or at once where it also has to show
    /// that the wire is alive.
    async fn log_in_again(&self, connection: &mut Connection, rested: bool) -> RecycleResult<bolt::Error> {
        if !connection.can_log_in_again() {
            return Err(RecycleError::message("its login is too old"));
        }
        let attempt = self.shared.logins.admit(self.identity.key()).await.map_err(bolt::Error::Login)?;
        self.queue_login(connection, attempt);
        if rested {
            match timeout(self.shared.dialer.timeout, connection.settle_login()).await {
                Ok(settled) => settled?,
                Err(_) => return Err(RecycleError::message("no longer alive")),
            }
        }
        Ok(())
    }

    fn queue_login(&self, connection: &mut Connection, attempt: Attempt) {
        connection.queue_login(self.identity.token(), Box::new(move |outcome| attempt.ended(outcome)));
    }
}
