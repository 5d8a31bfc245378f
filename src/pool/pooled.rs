//! One connection of the pool: it occupies a slot, and its end is reported.

use super::slots::{ConnectionSlot, Use};
use crate::{
    auth::IdentityKey,
    bolt::{Connection, Defect},
    telemetry::observer::Discard,
};

/// An open connection and its slot. Dropping it closes the connection.
pub(super) struct PooledConnection {
    // Boxed, since it is large and moved often.
    pub(super) connection: Box<Connection>,
    slot: ConnectionSlot,
}

impl PooledConnection {
    /// A connection that is logged in as `owner`.
    pub(super) fn new(connection: Connection, mut slot: ConnectionSlot, owner: IdentityKey) -> Self {
        // A connection that is dropped without a reason belonged to a request that was dropped half-way.
        slot.will_end(Discard::Abandoned);
        slot.belongs_to(owner);
        Self { connection: Box::new(connection), slot }
    }

    /// Records that it is about to log in as `owner`.
    pub(super) fn belongs_to(&mut self, owner: IdentityKey) {
        self.slot.belongs_to(owner);
    }

    /// Records what it is used for.
    pub(super) fn set_use(&mut self, used: Use) {
        self.slot.set_use(used);
    }

    /// Sets the reason that is reported when it is dropped.
    pub(super) fn will_end(&mut self, reason: Discard) {
        self.slot.will_end(reason);
    }

    /// Closes it.
    pub(super) fn discard(mut self, reason: Discard) {
        self.will_end(reason);
    }

    /// Closes it because it is not clean and cannot be recovered.
    pub(super) fn discard_unclean(self) {
        let reason = match self.connection.defect() {
            Some(Defect::Lost) => Discard::Broken,
            Some(Defect::Silent) => Discard::Silent,
            Some(Defect::Protocol) => Discard::Protocol,
            Some(Defect::Login) => Discard::Login,
            None if self.connection.is_stale() => Discard::Stale,
            Some(Defect::LoginUnsent) | None => Discard::Abandoned,
        };
        self.discard(reason);
    }

    /// Closes it to make room, and returns its slot.
    pub(super) fn evict(self) -> ConnectionSlot {
        let Self { connection, mut slot } = self;
        drop(connection);
        slot.vacate(Discard::Evicted);
        slot
    }

    /// Says goodbye to the server and closes it, at the end of the pool.
    pub(super) async fn goodbye(mut self) {
        self.will_end(Discard::Shutdown);
        self.connection.goodbye().await;
    }
}
