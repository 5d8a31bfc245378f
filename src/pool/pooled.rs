//! One connection of the pool: open, counted, and reported when it ends.

use super::slots::ConnectionSlot;
use crate::{
    bolt::{Connection, Defect},
    telemetry::observer::Discard,
};

/// An open connection, and its place in the count of them. Dropping it closes it.
pub(super) struct PooledConnection {
    // Boxed: it is moved about a lot, and large.
    pub(super) connection: Box<Connection>,
    slot: ConnectionSlot,
}

impl PooledConnection {
    pub(super) fn new(connection: Connection, mut slot: ConnectionSlot) -> Self {
        // What is dropped without a reason was somebody's who gave up in the middle.
        slot.will_end(Discard::Abandoned);
        Self { connection: Box::new(connection), slot }
    }

    /// Has it end for this reason when it is dropped.
    pub(super) fn will_end(&mut self, reason: Discard) {
        self.slot.will_end(reason);
    }

    /// Closes it.
    pub(super) fn discard(mut self, reason: Discard) {
        self.will_end(reason);
    }

    /// Closes it, since it is not clean and cannot be made so.
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

    /// Closes it to make room for another connection in its slot.
    pub(super) fn evict(self) -> ConnectionSlot {
        let Self { connection, mut slot } = self;
        drop(connection);
        slot.vacate(Discard::Evicted);
        slot
    }

    /// Closes it with a good-bye, as far as that needs no waiting.
    pub(super) async fn goodbye(mut self) {
        self.will_end(Discard::Shutdown);
        self.connection.goodbye().await;
    }
}
