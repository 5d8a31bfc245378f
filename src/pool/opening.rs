//! Opening connections, and logging in on them.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    events::{connect_failure, login_denied, login_ended},
    logins::Attempt,
    pooled::PooledConnection,
    shared::Shared,
    slots::ConnectionSlot,
};
use crate::{
    auth::Identity,
    bolt::{self, Connection, Failure},
    telemetry::observer::{ConnectFailed, Connected, Purpose},
};

/// Who learns that a queued login was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Learns {
    /// The caller that waits for a connection.
    Pool,
    /// The borrower of the connection, from its first reply.
    Borrower,
}

impl Shared {
    /// Opens a connection in `slot`.
    ///
    /// # Errors
    /// As [`Dialer::dial`](bolt::Dialer::dial).
    pub(super) async fn dial(
        &self,
        identity: &Identity,
        attempt: Attempt,
        slot: ConnectionSlot,
    ) -> Result<PooledConnection, bolt::Error> {
        let connection = self.log_in(identity, attempt, Purpose::Pool).await?;
        Ok(PooledConnection::new(connection, slot, identity.key()))
    }

    /// Opens a connection, and records how its login ended.
    pub(super) async fn log_in(
        &self,
        identity: &Identity,
        attempt: Attempt,
        purpose: Purpose,
    ) -> Result<Connection, bolt::Error> {
        let opened = self.connect(identity, purpose).await;
        match &opened {
            Ok(_) => attempt.ended(Ok(())),
            Err(bolt::Error::Login(failure)) => attempt.ended(Err(failure)),
            // The attempt failed without a verdict; the next one is free to try.
            Err(_) => {}
        }
        opened
    }

    /// Opens a connection, and reports the outcome.
    pub(super) async fn connect(&self, identity: &Identity, purpose: Purpose) -> Result<Connection, bolt::Error> {
        let began = Instant::now();
        let opened = self.dialer.snapshot().dial(identity.token()).await;
        let took = began.elapsed();
        match &opened {
            Ok(connection) => {
                let (version, dialect, agent) = (&connection.version(), connection.dialect(), connection.agent());
                self.dialect.set(Some(dialect));
                self.observer.connected(&Connected { purpose, took, version, dialect, agent });
                login_ended(&*self.observer, identity, Ok(()));
            }
            Err(error) => {
                let reason = connect_failure(error);
                self.observer.connect_failed(&ConnectFailed { purpose, took, reason, error });
                if let bolt::Error::Login(failure) = error {
                    login_ended(&*self.observer, identity, Err(failure));
                }
            }
        }
        opened
    }

    /// Queues a login as `identity`; its outcome is recorded and reported.
    pub(super) fn queue_login(
        &self,
        connection: &mut Connection,
        identity: &Identity,
        attempt: Attempt,
        learns: Learns,
    ) {
        let (observer, who) = (Arc::clone(&self.observer), identity.clone());
        let ended = move |outcome: Result<(), &Failure>| {
            login_ended(&*observer, &who, outcome);
            if let (Err(failure), Learns::Borrower) = (outcome, learns) {
                login_denied(&*observer, &who, failure);
            }
            attempt.ended(outcome);
        };
        connection.queue_login(identity.token(), Box::new(ended));
    }
}
