//! A lent wire. Dropping it gives it back when it is clean, and has it cleaned otherwise.

use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::Arc,
    time::Duration,
};

use super::{manager::Manager, registry::Shared, turns::Turn};
use crate::{
    auth::Identity,
    bolt::{
        Connection,
        recover::{recover, request_reset},
        terminate::terminate,
    },
};
use deadpool::managed::Object;

/// A connection that is somebody's for the moment.
pub struct Lease {
    /// `None` only while it is being dropped.
    wire: Option<Object<Manager>>,
    turn: Option<Turn>,
    shared: Arc<Shared>,
    identity: Identity,
    /// What it leaves running is not waited for before the database is told to end it.
    hurried: bool,
}

impl Lease {
    pub(super) fn new(wire: Object<Manager>, turn: Turn, shared: Arc<Shared>, identity: Identity) -> Self {
        Self { wire: Some(wire), turn: Some(turn), shared, identity, hurried: false }
    }
}

impl Lease {
    /// Whose it is for the moment.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Tells the database to end the statement that is running, and leaves it to whoever reads the replies to find out
    /// whether that came in time. Where the dialect has no way to do so, nothing happens.
    pub fn interrupt(&mut self) {
        if self.dialect().reset_interrupts {
            request_reset(self);
        } else if let Some((tag, user)) = self.running_tag() {
            let (tag, user) = (tag.to_owned(), user.map(str::to_owned));
            let (shared, identity) = (Arc::clone(&self.shared), self.identity.clone());
            let telling = async move { tell(&shared, &identity, &tag, user.as_deref()).await };
            self.shared.cleaners.spawn_on(telling, &self.shared.runtime);
        }
    }

    /// Has the database be told at once to end whatever this leaves running, without waiting for its own end.
    pub fn hurry(&mut self) {
        self.hurried = true;
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
        let (identity, hurried) = (self.identity.clone(), self.hurried);
        self.shared.cleaners.spawn_on(
            async move {
                clean(wire, &shared, &identity, hurried).await;
                drop(turn);
            },
            &self.shared.runtime,
        );
    }
}

/// Cancels what the wire is doing, and gives it back if that worked; closes it otherwise.
async fn clean(mut wire: Object<Manager>, shared: &Shared, identity: &Identity, hurried: bool) {
    let settings = &shared.settings;
    let connection = &mut wire.connection;
    let mut clean = if connection.dialect().reset_interrupts {
        recover(connection, settings.recovery).await
    } else if hurried && connection.running_tag().is_some() {
        recover(connection, Duration::ZERO).await
    } else {
        recover(connection, settings.patience).await
    };
    if !clean && let Some((tag, user)) = connection.running_tag() {
        // RESET waits behind the statement there; the database has to be told on another connection.
        tell(shared, identity, tag, user).await;
        clean = recover(connection, settings.recovery).await;
    }
    if clean {
        connection.shrink();
    } else {
        tracing::debug!("closed a connection that was left in the middle of something");
        drop(Object::take(wire));
    }
}

/// Tells the database on another connection to end the statement of the transaction with this tag.
async fn tell(shared: &Shared, identity: &Identity, tag: &str, user: Option<&str>) {
    let _lane = shared.side_lanes.acquire().await;
    match terminate(&shared.dialer, identity.token(), tag, user).await {
        Ok(found) => tracing::debug!(found, "asked the database to end an abandoned statement"),
        Err(error) => tracing::warn!(%error, "an abandoned statement could not be ended and may still run"),
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("connection", &**self).finish_non_exhaustive()
    }
}
