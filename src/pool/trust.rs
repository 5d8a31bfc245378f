//! Which logins are still trusted, and how others are proved.

use std::sync::{MutexGuard, PoisonError};

use tokio::time::{Instant, timeout_at};

use super::{
    logins::Attempt,
    registry::{Pool, PoolError, Shared},
};
use crate::{
    auth::Identity,
    bolt::{self, Connection},
};

impl Pool {
    /// Whether the database has accepted the login of `identity`, within the age of logins.
    fn knows(&self, identity: &Identity) -> bool {
        let accepted = self.shared.logins.accepted(identity.key());
        accepted.is_some_and(|when| self.shared.is_recent(when))
    }

    /// Makes sure that the database accepts the login of `identity`, within the age of logins, without a wire of the
    /// pool: whoever holds all that it may hold can still be proved.
    ///
    /// # Errors
    /// [`PoolError`].
    pub async fn prove(&self, identity: &Identity) -> Result<(), PoolError> {
        if self.knows(identity) {
            return Ok(());
        }
        let waited = self.shared.settings.acquire_timeout;
        let silent = |_| PoolError::Connection(bolt::Error::Silent(waited));
        // Boxed, since it is seldom needed, and large: every request's future would hold it.
        timeout_at(Instant::now() + waited, Box::pin(self.prove_patiently(identity))).await.map_err(silent)?
    }

    async fn prove_patiently(&self, identity: &Identity) -> Result<(), PoolError> {
        let shared = &self.shared;
        let attempt = shared.logins.admit(identity.key()).await.map_err(bolt::Error::Login)?;
        // Whoever was admitted before may have found out.
        if !self.knows(identity) {
            let _lane = shared.proof_lanes.acquire().await;
            shared.log_in(identity, attempt).await?.goodbye().await;
        }
        Ok(())
    }

    /// Has all logins proved again before their connections are lent once more: the database says that it has
    /// forgotten what their users may do.
    pub fn distrust_logins(&self) {
        *self.shared.distrusted() = Some(Instant::now());
    }
}

impl Shared {
    /// Opens a connection, and says how its login ended.
    pub(super) async fn log_in(&self, identity: &Identity, attempt: Attempt) -> Result<Connection, bolt::Error> {
        let opened = self.dialer.dial(identity.token()).await;
        match &opened {
            Ok(_) => attempt.ended(Ok(())),
            Err(bolt::Error::Login(failure)) => attempt.ended(Err(failure)),
            // The attempt has come to nothing; the next one is free to try.
            Err(_) => {}
        }
        opened
    }

    /// Whether the login of an idle wire has to be proved before it is lent.
    pub(super) fn is_login_due(&self, connection: &Connection) -> bool {
        !self.is_recent(connection.logged_in())
    }

    fn is_recent(&self, login: Instant) -> bool {
        let age = self.settings.login_age;
        age > login.elapsed() && self.distrusted().is_none_or(|since| login > since)
    }

    fn distrusted(&self) -> MutexGuard<'_, Option<Instant>> {
        self.distrusted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
