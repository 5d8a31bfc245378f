//! Finding a connection for the holder of a permit: an idle one that can be lent, or a new one.

use tokio::time::{Instant, timeout_at};

use super::{
    buckets::{Idle, Limit},
    logins::Attempt,
    opening::Learns,
    pooled::PooledConnection,
    settings::Settings,
    shared::Shared,
    slots::ConnectionSlot,
};
use crate::{
    auth::{Identity, IdentityKey},
    bolt::{self, recover::check_liveness},
    telemetry::observer::Discard,
};

/// What an idle connection needs before it can be lent.
enum Readiness {
    Ready,
    /// A liveness check, or a new login.
    NeedsCheck,
    /// It can never be lent again.
    Unusable(Discard),
}

/// Room for one more connection.
pub(super) enum Vacancy {
    /// A connection can be opened in this slot.
    Slot(ConnectionSlot),
    /// This idle connection of another identity can be taken over by a new login.
    Connection(PooledConnection),
}

impl Shared {
    /// Returns an idle connection of `identity` that can be lent as it is; otherwise the newest one that needs a check,
    /// if any.
    pub(super) fn ready_connection(&self, identity: &Identity) -> Result<PooledConnection, Option<Idle>> {
        while let Some(mut idle) = self.buckets.take(identity.key()) {
            match self.readiness(identity, &mut idle) {
                Readiness::Ready => return Ok(idle.pooled),
                Readiness::NeedsCheck => return Err(Some(idle)),
                Readiness::Unusable(reason) => idle.pooled.discard(reason),
            }
        }
        Err(None)
    }

    fn readiness(&self, identity: &Identity, idle: &mut Idle) -> Readiness {
        let connection = &mut *idle.pooled.connection;
        if let Some(reason) = self.expiry(identity, connection) {
            Readiness::Unusable(reason)
        } else if !connection.is_clean() || connection.is_closed() {
            Readiness::Unusable(Discard::Dead)
        } else if self.needs_liveness_check(idle.since) || self.is_login_due(connection) {
            Readiness::NeedsCheck
        } else {
            Readiness::Ready
        }
    }

    /// Finds a connection by the slow ways: checks `idle`, then other idle connections, else opens one.
    ///
    /// # Errors
    /// Why none could be opened. The deadline counts only while the user may have no more sessions; otherwise the
    /// caller has to observe it.
    pub(super) async fn find_connection(
        &self,
        identity: &Identity,
        mut idle: Option<Idle>,
        deadline: Instant,
    ) -> Result<PooledConnection, bolt::Error> {
        while let Some(Idle { pooled, since }) = idle.take() {
            if let Some(pooled) = self.check_connection(identity, pooled, since).await? {
                return Ok(pooled);
            }
            // Others of its age are probably dead as well, and each check takes time.
            let closed = self.buckets.close_idle_since(since);
            if closed > 0 {
                self.observer.idle_connections_closed(closed);
            }
            match self.ready_connection(identity) {
                Ok(pooled) => return Ok(pooled),
                Err(next) => idle = next,
            }
        }
        self.new_connection(identity, deadline).await
    }

    /// Checks the liveness of a connection that has been idle since `since`, and queues a new login, as far as either
    /// is due. The login travels with the next statement. Returns `None` if the connection is dead.
    async fn check_connection(
        &self,
        identity: &Identity,
        mut pooled: PooledConnection,
        since: Instant,
    ) -> Result<Option<PooledConnection>, bolt::Error> {
        let connection = &mut *pooled.connection;
        let liveness_timeout = self.settings.get().liveness_timeout;
        if self.needs_liveness_check(since) && !check_liveness(connection, liveness_timeout).await {
            pooled.discard(Discard::Dead);
            return Ok(None);
        }
        if self.is_login_due(connection) {
            match self.logins.admit(identity.key()).await {
                Ok(attempt) => self.queue_login(connection, identity, attempt, Learns::Borrower),
                Err(refusal) => {
                    pooled.discard(Discard::Login);
                    return Err(bolt::Error::Login(refusal));
                }
            }
        }
        Ok(Some(pooled))
    }

    /// Opens a connection, or takes over an idle one of another identity. If the user may have no more sessions, waits
    /// for one of the user's own connections to be returned.
    async fn new_connection(&self, identity: &Identity, deadline: Instant) -> Result<PooledConnection, bolt::Error> {
        loop {
            let attempt = self.logins.admit(identity.key()).await.map_err(bolt::Error::Login)?;
            let Some(limit) = self.buckets.limit(identity.key()) else {
                match self.open(identity, attempt).await {
                    Err(bolt::Error::Login(failure)) if failure.is_session_limit() => {
                        self.buckets.set_limit(identity, failure);
                        continue;
                    }
                    opened => return opened,
                }
            };
            drop(attempt);
            if let Some(pooled) = self.wait_for_own(identity, &limit, deadline).await? {
                return Ok(pooled);
            }
        }
    }

    /// Waits for one of the identity's connections to be returned, while the database allows it no more sessions.
    /// Returns `None` when the database may be asked for another session.
    ///
    /// # Errors
    /// The database's refusal, past the deadline.
    pub(super) async fn wait_for_own(
        &self,
        identity: &Identity,
        limit: &Limit,
        deadline: Instant,
    ) -> Result<Option<PooledConnection>, bolt::Error> {
        if let Ok(pooled) = self.ready_connection(identity) {
            return Ok(Some(pooled));
        }
        let _ = timeout_at(limit.until.min(deadline), limit.returned.notified()).await;
        if deadline <= Instant::now() {
            return Err(bolt::Error::Login(limit.failure.clone()));
        }
        Ok(self.ready_connection(identity).ok())
    }

    async fn open(&self, identity: &Identity, attempt: Attempt) -> Result<PooledConnection, bolt::Error> {
        match self.vacancy(identity.key(), true).await {
            Vacancy::Connection(mut pooled) => {
                pooled.belongs_to(identity.key());
                self.queue_login(&mut pooled.connection, identity, attempt, Learns::Borrower);
                Ok(pooled)
            }
            Vacancy::Slot(slot) => self.dial(identity, attempt, slot).await,
        }
    }

    /// Finds room for one more connection of the identity `asking`. If all slots are taken and it `may_displace`
    /// others, the longest idle connection makes room: it is taken over if it can log in as another user, else it is
    /// closed.
    pub(super) async fn vacancy(&self, asking: IdentityKey, may_displace: bool) -> Vacancy {
        let Settings { max, max_lifetime, .. } = **self.settings.get();
        loop {
            if let Some(slot) = self.slots.take_below(max) {
                return Vacancy::Slot(slot);
            }
            if may_displace && let Some(mut idle) = self.buckets.take_oldest(asking) {
                let rested = self.needs_liveness_check(idle.since);
                let connection = &mut idle.pooled.connection;
                let fresh = !rested && connection.opened().elapsed() <= max_lifetime;
                if fresh && connection.can_log_in_again() && !connection.is_closed() {
                    connection.move_here();
                    return Vacancy::Connection(idle.pooled);
                }
                return Vacancy::Slot(idle.pooled.evict());
            }
            if let Some(slot) = self.slots.take_below(max + self.reserve) {
                return Vacancy::Slot(slot);
            }
            // Another task is just closing a connection, which frees its slot.
            tokio::task::yield_now().await;
        }
    }
}
