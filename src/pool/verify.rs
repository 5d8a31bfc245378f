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
    #[must_use]
    pub fn has_recent_login(&self, identity: &Identity) -> bool {
        self.shared.has_recent_login(identity)
    }

    /// Makes sure that the database accepts the login of `identity`, within the age of logins, without a connection of the
    /// pool: whoever holds all that it may hold can still be proved.
    ///
    /// # Errors
    /// [`PoolError`].
    pub async fn verify(&self, identity: &Identity) -> Result<(), PoolError> {
        let shared = &self.shared;
        if shared.has_recent_login(identity) {
            return Ok(());
        }
        let deadline = Instant::now() + shared.settings.acquire_timeout;
        // Boxed, since it is seldom needed, and large: every request's future would hold it.
        let proof = Box::pin(async {
            if shared.logins.is_verified(identity.key()) {
                shared.reauthenticate(identity).await
            } else {
                shared.verify_in_lane(identity, deadline).await
            }
        });
        timeout_at(deadline, proof).await.unwrap_or_else(|_| Err(shared.silent()))
    }

    /// Has all logins proved again before their connections are lent once more: the database says that it has
    /// forgotten what their users may do.
    pub fn expire_logins(&self) {
        *self.shared.logins_expired() = Some(Instant::now());
    }
}

impl Shared {
    /// Whether the database has accepted the login of `identity`, within the age of logins.
    fn has_recent_login(&self, identity: &Identity) -> bool {
        let accepted = self.logins.accepted(identity.key());
        accepted.is_some_and(|when| self.is_recent(when))
    }

    /// Proves a login that was good when the database was last asked.
    async fn reauthenticate(&self, identity: &Identity) -> Result<(), PoolError> {
        let attempt = self.logins.admit(identity.key()).await.map_err(bolt::Error::Login)?;
        // Whoever was admitted before may have found out.
        if self.has_recent_login(identity) {
            return Ok(());
        }
        let _lane = self.reauthentications.acquire().await;
        match self.log_in(identity, attempt).await {
            Ok(connection) => {
                connection.goodbye().await;
                Ok(())
            }
            // Its own sessions are in the way, and they have logged in with the same credential. Without this, whoever has
            // them all busy could not even end what they do.
            Err(bolt::Error::Login(failure)) if failure.is_session_limit() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

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

    /// Whether the login of an idle connection has to be proved before it is lent.
    pub(super) fn is_login_due(&self, connection: &Connection) -> bool {
        !self.is_recent(connection.logged_in())
    }

    fn is_recent(&self, login: Instant) -> bool {
        let age = self.settings.login_age;
        age > login.elapsed() && self.logins_expired().is_none_or(|since| login > since)
    }

    fn logins_expired(&self) -> MutexGuard<'_, Option<Instant>> {
        self.logins_expired.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
