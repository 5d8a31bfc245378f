//! Finding a connection for whoever has a permit: an idle one that is fit to be lent, or a new one.

use tokio::time::{Instant, timeout_at};

use super::{
    buckets::{Idle, Limit},
    logins::Attempt,
    pooled::PooledConnection,
    shared::Shared,
    slots::ConnectionSlot,
};
use crate::{
    auth::{Identity, IdentityKey},
    bolt::{self, Connection, recover::check_liveness},
};

/// What an idle connection needs before it may be lent.
enum Readiness {
    Ready,
    /// A sign of life, or a newer login.
    NeedsCheck,
    /// It is of no more use.
    Unusable,
}

/// Where one more connection can be.
pub(super) enum Vacancy {
    /// In place of nothing.
    Slot(ConnectionSlot),
    /// In place of this one, which is another identity's and can log in anew.
    Connection(PooledConnection),
}

impl Shared {
    /// An idle connection of `identity` that can be lent as it is. Without one, the newest that has to be proved first,
    /// if there is any.
    pub(super) fn ready_connection(&self, identity: &Identity) -> Result<PooledConnection, Option<Idle>> {
        while let Some(mut idle) = self.buckets.take(identity.key()) {
            match self.readiness(identity, &mut idle) {
                Readiness::Ready => return Ok(idle.pooled),
                Readiness::NeedsCheck => return Err(Some(idle)),
                Readiness::Unusable => {}
            }
        }
        Err(None)
    }

    fn readiness(&self, identity: &Identity, idle: &mut Idle) -> Readiness {
        let connection = &mut *idle.pooled.connection;
        if !connection.is_clean() || self.is_expired(identity, connection) || connection.is_closed() {
            Readiness::Unusable
        } else if self.needs_liveness_check(idle.since) || self.is_login_due(connection) {
            Readiness::NeedsCheck
        } else {
            Readiness::Ready
        }
    }

    /// The same with all that takes time: proves `idle`, then others, else opens one.
    ///
    /// # Errors
    /// Why none could be opened. It heeds the deadline only while the user can have no more sessions.
    pub(super) async fn find_connection(
        &self,
        identity: &Identity,
        mut idle: Option<Idle>,
        deadline: Instant,
    ) -> Result<PooledConnection, bolt::Error> {
        while let Some(Idle { pooled, since, .. }) = idle.take() {
            if let Some(pooled) = self.check_connection(identity, pooled, since).await? {
                return Ok(pooled);
            }
            // The others of its age are likely to be dead as well, and to find that out takes time for each.
            self.buckets.close_idle_since(since);
            match self.ready_connection(identity) {
                Ok(pooled) => return Ok(pooled),
                Err(next) => idle = next,
            }
        }
        self.new_connection(identity, deadline).await
    }

    /// Has a connection that was idle since then show that it is alive, and its login proved, as far as either is due. The
    /// login travels with the next statement. `None` when it is dead.
    async fn check_connection(
        &self,
        identity: &Identity,
        mut pooled: PooledConnection,
        since: Instant,
    ) -> Result<Option<PooledConnection>, bolt::Error> {
        let connection = &mut *pooled.connection;
        if self.needs_liveness_check(since) && !check_liveness(connection, self.settings.liveness_timeout).await {
            return Ok(None);
        }
        if self.is_login_due(connection) {
            let attempt = self.logins.admit(identity.key()).await.map_err(bolt::Error::Login)?;
            queue_login(connection, identity, attempt);
        }
        Ok(Some(pooled))
    }

    /// Opens a connection, or takes over one that somebody else has left idle. Where the user can have no more sessions,
    /// waits for one of its own to come back.
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

    /// Waits for a connection of the identity to come back while it can have no others. `None` when the database may be
    /// asked for another one again.
    ///
    /// # Errors
    /// What the database has said, past the deadline.
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
                queue_login(&mut pooled.connection, identity, attempt);
                Ok(pooled)
            }
            Vacancy::Slot(slot) => self.dial(identity, attempt, slot).await,
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
        let connection = Box::new(self.log_in(identity, attempt).await?);
        tracing::debug!(
            version = %connection.version(),
            dialect = %connection.dialect(),
            agent = connection.agent(),
            "opened a connection to the database"
        );
        Ok(PooledConnection { connection, slot })
    }

    /// A place for one more connection of the identity `asking`. When all are taken, the connection that was idle longest
    /// makes room if it `may_displace` it: as it is, if it can log in as somebody else, or by being closed.
    pub(super) async fn vacancy(&self, asking: IdentityKey, may_displace: bool) -> Vacancy {
        loop {
            if let Some(slot) = self.slots.take_below(self.settings.max) {
                return Vacancy::Slot(slot);
            }
            if may_displace && let Some(mut idle) = self.buckets.take_oldest(asking) {
                let rested = self.needs_liveness_check(idle.since);
                let connection = &mut idle.pooled.connection;
                let fresh = !rested && connection.opened().elapsed() <= self.settings.max_lifetime;
                if fresh && connection.can_log_in_again() && !connection.is_closed() {
                    connection.move_here();
                    return Vacancy::Connection(idle.pooled);
                }
                return Vacancy::Slot(idle.pooled.slot);
            }
            if let Some(slot) = self.slots.take_below(self.settings.max + self.reserve) {
                return Vacancy::Slot(slot);
            }
            // One is just being closed by somebody else; its slot comes free at once.
            tokio::task::yield_now().await;
        }
    }
}

/// Queues a login as `identity`, which tells how it has ended.
pub(super) fn queue_login(connection: &mut Connection, identity: &Identity, attempt: Attempt) {
    connection.queue_login(identity.token(), Box::new(move |outcome| attempt.ended(outcome)));
}
