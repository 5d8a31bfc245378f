//! A lent connection. Dropping it gives it back when it is clean, and has it cleaned otherwise.

use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::Arc,
};

use super::{cleaning::clean, permits::Permit, pooled::PooledConnection, shared::Shared};
use crate::{
    auth::Identity,
    bolt::{Connection, recover::request_reset},
};

/// A connection that is somebody's for the moment.
pub struct Lease {
    /// `None` only while it is being dropped.
    pooled: Option<PooledConnection>,
    permit: Option<Permit>,
    awaited: bool,
    shared: Arc<Shared>,
    identity: Identity,
    /// What it leaves running is not waited for before the database is told to end it.
    hurried: bool,
}

impl Lease {
    /// Lends `pooled`, which took some time to find if it was `awaited`.
    pub(super) fn new(
        pooled: PooledConnection,
        permit: Permit,
        shared: Arc<Shared>,
        identity: Identity,
        awaited: bool,
    ) -> Self {
        let awaited = awaited || permit.was_awaited();
        Self { pooled: Some(pooled), permit: Some(permit), awaited, shared, identity, hurried: false }
    }

    /// Whether its holder had to wait for it.
    pub(super) fn was_awaited(&self) -> bool {
        self.awaited
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
            // It goes on by itself.
            drop(self.shared.end_statement(&self.identity, tag, user));
        }
    }

    /// Has the database be told at once to end whatever this leaves running, without waiting for its own end.
    pub fn hurry(&mut self) {
        self.hurried = true;
    }
}

// A lease without its connection exists only inside of `drop`.
#[expect(clippy::expect_used, reason = "the connection is taken in drop only")]
impl Deref for Lease {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.pooled.as_ref().expect("a lease holds its connection until it is dropped").connection
    }
}

#[expect(clippy::expect_used, reason = "the connection is taken in drop only")]
impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.pooled.as_mut().expect("a lease holds its connection until it is dropped").connection
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let (Some(mut pooled), Some(permit)) = (self.pooled.take(), self.permit.take()) else {
            return;
        };
        if pooled.connection.is_clean() {
            pooled.connection.shrink();
            self.shared.buckets.put(&self.identity, pooled);
            return; // and the permit goes to the next in line
        }
        let shared = Arc::clone(&self.shared);
        let (identity, hurried) = (self.identity.clone(), self.hurried);
        self.shared.cleaners.spawn_on(
            async move {
                clean(pooled, &shared, &identity, hurried).await;
                drop(permit);
            },
            &self.shared.runtime,
        );
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("connection", &**self).finish_non_exhaustive()
    }
}
