//! Finding a connection for whoever has a turn: an idle one that is fit to be lent, or a new one.

use tokio::time::{Instant, timeout_at};

use super::{
    buckets::{Idle, Limit, Wire},
    logins::Attempt,
    registry::Shared,
    slots::Slot,
};
use crate::{
    auth::{Identity, IdentityKey},
    bolt::{self, Connection, recover::prove_alive},
};

/// What an idle connection needs before it may be lent.
enum Fitness {
    Fit,
    /// A sign of life, or a newer login.
    ToBeProved,
    /// It is of no more use.
    Unfit,
}

/// Where one more connection can be.
pub(super) enum Place {
    /// In place of nothing.
    Slot(Slot),
    /// In place of this one, which is another identity's and can log in anew.
    Wire(Wire),
}

impl Shared {
    /// An idle connection of `identity` that can be lent as it is. Without one, the newest that has to be proved first,
    /// if there is any.
    pub(super) fn ready_wire(&self, identity: &Identity) -> Result<Wire, Option<Idle>> {
        while let Some(mut idle) = self.buckets.take(identity.key()) {
            match self.fitness(identity, &mut idle) {
                Fitness::Fit => return Ok(idle.wire),
                Fitness::ToBeProved => return Err(Some(idle)),
                Fitness::Unfit => {}
            }
        }
        Err(None)
    }

    fn fitness(&self, identity: &Identity, idle: &mut Idle) -> Fitness {
        let connection = &mut *idle.wire.connection;
        if !connection.is_clean() || self.is_past_its_time(identity, connection) || connection.is_stale() {
            Fitness::Unfit
        } else if self.is_rested(idle.since) || self.is_login_due(connection) {
            Fitness::ToBeProved
        } else {
            Fitness::Fit
        }
    }

    /// Whether a connection of `identity` can never be lent again: because of its age, or its login's.
    pub(super) fn is_past_its_time(&self, identity: &Identity, connection: &Connection) -> bool {
        connection.opened().elapsed() > self.settings.max_lifetime
            || identity.login_until().is_some_and(|end| end <= Instant::now())
            || (self.is_login_due(connection) && !connection.can_log_in_again())
    }

    /// Whether a connection that is idle since then has to show that it is alive.
    fn is_rested(&self, since: Instant) -> bool {
        since.elapsed() > self.settings.liveness_after
    }

    /// The same with all that takes time: proves `idle`, then others, else opens one.
    ///
    /// # Errors
    /// Why none could be opened. It heeds the deadline only while the user can have no more sessions.
    pub(super) async fn find_wire(
        &self,
        identity: &Identity,
        mut idle: Option<Idle>,
        deadline: Instant,
    ) -> Result<Wire, bolt::Error> {
        while let Some(Idle { wire, since, .. }) = idle.take() {
            if let Some(wire) = self.prove_wire(identity, wire, since).await? {
                return Ok(wire);
            }
            // The others of its age are likely to be dead as well, and to find that out takes time for each.
            self.buckets.condemn(since);
            match self.ready_wire(identity) {
                Ok(wire) => return Ok(wire),
                Err(next) => idle = next,
            }
        }
        self.new_wire(identity, deadline).await
    }

    /// Has a connection that was idle since then show that it is alive, and its login proved, as far as either is due. The
    /// login travels with the next statement. `None` when it is dead.
    async fn prove_wire(
        &self,
        identity: &Identity,
        mut wire: Wire,
        since: Instant,
    ) -> Result<Option<Wire>, bolt::Error> {
        let connection = &mut *wire.connection;
        if self.is_rested(since) && !prove_alive(connection, self.settings.liveness_timeout).await {
            return Ok(None);
        }
        if self.is_login_due(connection) {
            let attempt = self.logins.admit(identity.key()).await.map_err(bolt::Error::Login)?;
            queue_login(connection, identity, attempt);
        }
        Ok(Some(wire))
    }

    /// Opens a connection, or takes over one that somebody else has left idle. Where the user can have no more sessions,
    /// waits for one of its own to come back.
    async fn new_wire(&self, identity: &Identity, deadline: Instant) -> Result<Wire, bolt::Error> {
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
            if let Some(wire) = self.wait_for_own(identity, &limit, deadline).await? {
                return Ok(wire);
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
    ) -> Result<Option<Wire>, bolt::Error> {
        if let Ok(wire) = self.ready_wire(identity) {
            return Ok(Some(wire));
        }
        let _ = timeout_at(limit.until.min(deadline), limit.returned.notified()).await;
        if deadline <= Instant::now() {
            return Err(bolt::Error::Login(limit.failure.clone()));
        }
        Ok(self.ready_wire(identity).ok())
    }

    async fn open(&self, identity: &Identity, attempt: Attempt) -> Result<Wire, bolt::Error> {
        match self.place(identity.key(), true).await {
            Place::Wire(mut wire) => {
                queue_login(&mut wire.connection, identity, attempt);
                Ok(wire)
            }
            Place::Slot(slot) => self.dial(identity, attempt, slot).await,
        }
    }

    /// Opens a connection in `slot`.
    ///
    /// # Errors
    /// As [`Dialer::dial`](bolt::Dialer::dial).
    pub(super) async fn dial(&self, identity: &Identity, attempt: Attempt, slot: Slot) -> Result<Wire, bolt::Error> {
        let connection = Box::new(self.log_in(identity, attempt).await?);
        tracing::debug!(
            version = %connection.version(),
            dialect = %connection.dialect(),
            agent = connection.agent(),
            "opened a connection to the database"
        );
        Ok(Wire { connection, slot })
    }

    /// A place for one more connection of the identity `asking`. When all are taken, the connection that was idle longest
    /// makes room if it `may_displace` it: as it is, if it can log in as somebody else, or by being closed.
    pub(super) async fn place(&self, asking: IdentityKey, may_displace: bool) -> Place {
        loop {
            if let Some(slot) = self.slots.take_below(self.settings.max) {
                return Place::Slot(slot);
            }
            if may_displace && let Some(mut idle) = self.buckets.take_oldest(asking) {
                let rested = self.is_rested(idle.since);
                let connection = &mut idle.wire.connection;
                let fresh = !rested && connection.opened().elapsed() <= self.settings.max_lifetime;
                if fresh && connection.can_log_in_again() && !connection.is_stale() {
                    connection.move_here();
                    return Place::Wire(idle.wire);
                }
                return Place::Slot(idle.wire.slot);
            }
            if let Some(slot) = self.slots.take_below(self.settings.max + self.beside) {
                return Place::Slot(slot);
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
