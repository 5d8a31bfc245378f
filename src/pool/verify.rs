//! Verifying logins without lending a connection.

use tokio::time::{Instant, timeout_at};

use super::{error::PoolError, events::credential_refused, registry::Pool, shared::Shared};
use crate::{auth::Identity, bolt, telemetry::observer::Purpose};

impl Pool {
    /// Whether the database accepted the login of `identity` within `login_age`.
    #[must_use]
    pub fn has_recent_login(&self, identity: &Identity) -> bool {
        self.shared.has_recent_login(identity)
    }

    /// Makes sure that the database accepted the login of `identity` within `login_age`. Uses no connection of the
    /// pool, so it works for callers that already hold their share.
    ///
    /// # Errors
    /// [`PoolError`].
    pub async fn verify(&self, identity: &Identity) -> Result<(), PoolError> {
        let shared = &self.shared;
        if shared.has_recent_login(identity) {
            return Ok(());
        }
        let deadline = Instant::now() + shared.settings.get().acquire_timeout;
        // Boxed, since it is rarely needed and large: every request's future would contain it.
        let verification = Box::pin(async {
            if shared.logins.is_verified(identity.key()) {
                shared.reauthenticate(identity).await
            } else {
                shared.verify_in_lane(identity, deadline).await
            }
        });
        let verified = timeout_at(deadline, verification).await.unwrap_or_else(|_| Err(shared.silent()));
        verified.inspect_err(|error| credential_refused(&*shared.observer, identity, error))
    }

    /// Re-authenticates all logins before their connections are lent again: the database says that it no longer knows
    /// what their users may do.
    pub fn expire_logins(&self) {
        *self.shared.logins_expired() = Some(Instant::now());
    }
}

impl Shared {
    /// Re-authenticates a login that was good when the database was last asked.
    async fn reauthenticate(&self, identity: &Identity) -> Result<(), PoolError> {
        let attempt = self.logins.admit(identity.key()).await.map_err(bolt::Error::Login)?;
        // Another request may have verified it meanwhile.
        if self.has_recent_login(identity) {
            return Ok(());
        }
        let _permit = self.reauthentications.acquire().await;
        match self.log_in(identity, attempt, Purpose::Verification).await {
            Ok(connection) => {
                connection.goodbye().await;
                Ok(())
            }
            // The user's other sessions are in the way, and they logged in with the same credential. If this were an
            // error, a caller with all sessions busy could not even cancel its statements.
            Err(bolt::Error::Login(failure)) if failure.is_session_limit() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Verifies the login of an unverified caller, on a connection of its own.
    pub(super) async fn verify_in_lane(&self, identity: &Identity, deadline: Instant) -> Result<(), PoolError> {
        let queued = self.login_lane.queue()?;
        let attempt = self.admit(identity, deadline).await?;
        if !self.logins.is_verified(identity.key()) {
            let _lane = self.login_lane.enter(deadline).await?;
            drop(queued);
            self.log_in(identity, attempt, Purpose::Verification).await?.goodbye().await;
        }
        Ok(())
    }
}
