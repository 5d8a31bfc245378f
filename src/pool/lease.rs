//! A lent wire. Dropping it gives it back when it is clean, and has it cleaned otherwise.

use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::Arc,
};

use super::{manager::Manager, registry::Shared, turns::Turn};
use crate::{
    auth::Identity,
    bolt::{Connection, recover::recover, terminate::terminate},
};
use deadpool::managed::Object;

/// A connection that is somebody's for the moment.
pub struct Lease {
    /// `None` only while it is being dropped.
    wire: Option<Object<Manager>>,
    turn: Option<Turn>,
    shared: Arc<Shared>,
    identity: Identity,
}

impl Lease {
    pub(super) fn new(wire: Object<Manager>, turn: Turn, shared: Arc<Shared>, identity: Identity) -> Self {
        Self { wire: Some(wire), turn: Some(turn), shared, identity }
    }
}

impl Lease {
    /// Whose it is for the moment.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }
}

// A lease without its wire exists only inside of `drop`.
#[expect(clippy::expect_used, reason = "the wire is taken in drop only")]
impl Deref for Lease {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.wire.as_ref().expect("a lease holds its wire until it is dropped").connection
    }
}

#[expect(clippy::expect_used, reason = "the wire is taken in drop only")]
impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.wire.as_mut().expect("a lease holds its wire until it is dropped").connection
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let (Some(mut wire), turn) = (self.wire.take(), self.turn.take()) else {
            return;
        };
        if wire.connection.is_clean() {
            wire.connection.shrink();
            return; // the wire goes back to its bucket, then the turn to the next in line
        }
        let shared = Arc::clone(&self.shared);
        let identity = self.identity.clone();
        self.shared.cleaners.spawn_on(
            async move {
                clean(wire, &shared, &identity).await;
                drop(turn);
            },
            &self.shared.runtime,
        );
    }
}

/// Cancels what the wire is doing, and gives it back if that worked; closes it otherwise.
async fn clean(mut wire: Object<Manager>, shared: &Shared, identity: &Identity) {
    let settings = &shared.settings;
    let connection = &mut wire.connection;
    let mut clean = if connection.dialect().reset_interrupts {
        recover(connection, settings.recovery).await
    } else {
        recover(connection, settings.patience).await
    };
    if !clean && let Some((tag, user)) = connection.running_tag() {
        // RESET waits behind the statement there; the database has to be told on another connection.
        let _lane = shared.side_lanes.acquire().await;
        match terminate(&shared.dialer, identity.token(), tag, user).await {
            Ok(found) => tracing::debug!(found, "asked the database to end an abandoned statement"),
            Err(error) => {
                tracing::warn!(%error, "an abandoned statement could not be ended and may still run")
            }
        }
        clean = recover(connection, settings.recovery).await;
    }
    if clean {
        connection.shrink();
    } else {
        tracing::debug!("closed a connection that was left in the middle of something");
        drop(Object::take(wire));
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("connection", &**self).finish_non_exhaustive()
    }
}
