//! Lending connections to callers, verified and unverified.

use std::sync::Arc;

use tokio::time::{Instant, timeout, timeout_at};

use super::{
    checkout::Vacancy, error::PoolError, lease::Lease, logins::Attempt, opening::Learns, pooled::PooledConnection,
    shared::Shared,
};
use crate::{auth::Identity, bolt, telemetry::observer::Discard};

impl Shared {
    /// Lends a connection to a caller whose login is verified.
    pub(super) async fn lend(self: &Arc<Self>, identity: &Identity, deadline: Instant) -> Result<Lease, PoolError> {
        let permit = self.permit(identity, deadline).await?;
        let (pooled, awaited) = match self.ready_connection(identity) {
            Ok(pooled) => (pooled, false),
            Err(idle) => {
                // Boxed, since it is rarely needed and large: every request's future would contain it.
                let found = Box::pin(self.find_connection(identity, idle, deadline));
                (timeout_at(deadline, found).await.map_err(|_| self.silent())??, true)
            }
        };
        Ok(Lease::new(pooled, permit, Arc::clone(self), identity.clone(), awaited))
    }

    /// Lends a connection to an unverified caller, by way of the login lane.
    pub(super) async fn lend_unverified(
        self: &Arc<Self>,
        identity: &Identity,
        deadline: Instant,
    ) -> Result<Lease, PoolError> {
        let queued = self.login_lane.queue()?;
        let waiting = self.waiting.join();
        let attempt = self.admit(identity, deadline).await?;
        if self.logins.is_verified(identity.key()) {
            // Another request verified it meanwhile.
            drop((attempt, queued, waiting));
            return self.lend(identity, deadline).await;
        }
        let lane = self.login_lane.enter(deadline).await?;
        drop((queued, waiting));
        let opened = timeout_at(deadline, self.open_unverified(identity, attempt)).await;
        let pooled = opened.map_err(|_| self.silent())??;
        let permit = self.permit(identity, deadline).await?;
        drop(lane);
        // It was opened in a reserve slot, and counts against the cap from here on.
        while self.slots.open() > self.settings.get().max
            && let Some(idle) = self.buckets.take_oldest(identity.key())
        {
            idle.pooled.discard(Discard::Evicted);
        }
        Ok(Lease::new(pooled, permit, Arc::clone(self), identity.clone(), true))
    }

    /// Waits until the credential may be tried.
    pub(super) async fn admit(&self, identity: &Identity, deadline: Instant) -> Result<Attempt, PoolError> {
        match timeout_at(deadline, self.logins.admit(identity.key())).await {
            Ok(admitted) => Ok(admitted.map_err(bolt::Error::Login)?),
            Err(_) => Err(self.silent()),
        }
    }

    /// Opens a connection for an unverified caller, within the time for opening one. It may displace an idle connection
    /// only while there is no sign of password guessing: otherwise each guess would close one.
    async fn open_unverified(&self, identity: &Identity, attempt: Attempt) -> Result<PooledConnection, bolt::Error> {
        match self.vacancy(identity.key(), !self.logins.suspects_guessing()).await {
            Vacancy::Slot(slot) => self.dial(identity, attempt, slot).await,
            Vacancy::Connection(mut pooled) => {
                pooled.belongs_to(identity.key());
                self.queue_login(&mut pooled.connection, identity, attempt, Learns::Pool);
                let budget = self.dialer.get().timeout;
                match timeout(budget, pooled.connection.settle_login()).await {
                    Ok(Ok(())) => Ok(pooled),
                    Ok(Err(error)) => {
                        pooled.discard_unclean();
                        Err(error)
                    }
                    Err(_) => {
                        pooled.discard(Discard::Silent);
                        Err(bolt::Error::Silent(budget))
                    }
                }
            }
        }
    }
}
