//! The way in for callers whose credentials are not known to be good.
//!
//! Anybody can send passwords, as many as they like. So a login that may be refused takes no permit: it stands in a line of
//! its own, for one of a few places beside the pool. Once it has succeeded the caller takes a permit as others do, and the
//! connection that proved the login is the one that it is lent.

use std::sync::Arc;

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout, timeout_at},
};

use super::{
    buckets::PooledConnection,
    checkout::{Vacancy, queue_login},
    lease::Lease,
    logins::Attempt,
    registry::{PoolError, Shared},
};
use crate::{auth::Identity, bolt};

/// One place for so many connections of the pool.
const SHARE: usize = 10;
/// So many may wait for each place, and for all of them together.
const LINE: usize = 100;
const LONGEST_LINE: usize = 1000;

/// The places for logins of strangers, and the line for them.
pub(super) struct LoginLane {
    places: Semaphore,
    line: Semaphore,
    size: usize,
}

impl LoginLane {
    /// The lane beside a pool of `max` connections.
    pub(super) fn for_pool(max: usize) -> Self {
        let size = (max / SHARE).max(1);
        let line = size.saturating_mul(LINE).min(LONGEST_LINE).max(size);
        Self { places: Semaphore::new(size), line: Semaphore::new(line), size }
    }

    /// How many logins of strangers there are at a time.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Gets in line. Nobody waits where the line is full already.
    fn line_up(&self) -> Result<SemaphorePermit<'_>, PoolError> {
        self.line.try_acquire().map_err(|_| PoolError::TooManyUnverified { places: self.size })
    }

    /// Waits for a place.
    async fn enter(&self, deadline: Instant) -> Result<SemaphorePermit<'_>, PoolError> {
        match timeout_at(deadline, self.places.acquire()).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) | Err(_) => Err(PoolError::TooManyUnverified { places: self.size }),
        }
    }
}

impl Shared {
    /// Lends a connection to somebody whose login is not known to be good.
    pub(super) async fn lend_unverified(
        self: &Arc<Self>,
        identity: &Identity,
        deadline: Instant,
    ) -> Result<Lease, PoolError> {
        let in_line = self.login_lane.line_up()?;
        let attempt = self.admit(identity, deadline).await?;
        if self.logins.is_verified(identity.key()) {
            // Whoever tried it before has found out.
            drop((attempt, in_line));
            return self.lend(identity, deadline).await;
        }
        let place = self.login_lane.enter(deadline).await?;
        drop(in_line);
        let opened = timeout_at(deadline, self.open_unverified(identity, attempt)).await;
        let pooled = opened.map_err(|_| self.silent())??;
        let permit = self.permit(identity, deadline).await?;
        drop(place);
        // It was opened beside the pool, and now belongs to it.
        while self.slots.open() > self.settings.max && self.buckets.take_oldest(identity.key()).is_some() {}
        Ok(Lease::new(pooled, permit, Arc::clone(self), identity.clone()))
    }

    /// Proves the login of somebody of whom it is not known to be good, on a connection of its own.
    pub(super) async fn verify_in_lane(&self, identity: &Identity, deadline: Instant) -> Result<(), PoolError> {
        let in_line = self.login_lane.line_up()?;
        let attempt = self.admit(identity, deadline).await?;
        if !self.logins.is_verified(identity.key()) {
            let _place = self.login_lane.enter(deadline).await?;
            drop(in_line);
            self.log_in(identity, attempt).await?.goodbye().await;
        }
        Ok(())
    }

    async fn admit(&self, identity: &Identity, deadline: Instant) -> Result<Attempt, PoolError> {
        match timeout_at(deadline, self.logins.admit(identity.key())).await {
            Ok(admitted) => Ok(admitted.map_err(bolt::Error::Login)?),
            Err(_) => Err(self.silent()),
        }
    }

    /// A connection that has logged in as the stranger, within the time for opening one. It takes the place of an idle one
    /// only as long as nobody seems to be guessing: those who guess would close one for each guess.
    async fn open_unverified(&self, identity: &Identity, attempt: Attempt) -> Result<PooledConnection, bolt::Error> {
        match self.vacancy(identity.key(), !self.logins.suspects_guessing()).await {
            Vacancy::Slot(slot) => self.dial(identity, attempt, slot).await,
            Vacancy::Connection(mut pooled) => {
                queue_login(&mut pooled.connection, identity, attempt);
                let budget = self.dialer.timeout;
                match timeout(budget, pooled.connection.settle_login()).await {
                    Ok(settled) => settled.map(|()| pooled),
                    Err(_) => Err(bolt::Error::Silent(budget)),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lane_is_small_and_never_shut() {
        for (max, size, line) in [(1, 1, 100), (9, 1, 100), (20, 2, 200), (100, 10, 1000), (50_000, 5000, 5000)] {
            let lane = LoginLane::for_pool(max);
            assert_eq!((lane.size(), lane.line.available_permits()), (size, line), "{max}");
        }
    }
}
