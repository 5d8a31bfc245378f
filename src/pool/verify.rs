//! Which logins are still trusted, and how others are proved.

use tokio::time::{Instant, timeout_at};

use super::{error::PoolError, registry::Pool, shared::Shared};
use crate::{auth::Identity, bolt, telemetry::observer::Purpose};

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
    /// Proves a login that was good when the database was last asked.
    async fn reauthenticate(&self, identity: &Identity) -> Result<(), PoolError> {
        let attempt = self.logins.admit(identity.key()).await.map_err(bolt::Error::Login)?;
        // Whoever was admitted before may have found out.
        if self.has_recent_login(identity) {
            return Ok(());
        }
        let _lane = self.reauthentications.acquire().await;
        match self.log_in(identity, attempt, Purpose::Verification).await {
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

    /// Proves the login of somebody of whom it is not known to be good, on a connection of its own.
    pub(super) async fn verify_in_lane(&self, identity: &Identity, deadline: Instant) -> Result<(), PoolError> {
        let in_line = self.login_lane.line_up()?;
        let attempt = self.admit(identity, deadline).await?;
        if !self.logins.is_verified(identity.key()) {
            let _place = self.login_lane.enter(deadline).await?;
            drop(in_line);
            self.log_in(identity, attempt, Purpose::Verification).await?.goodbye().await;
        }
        Ok(())
    }
}
