//! A lent connection. Dropping the lease returns the connection if it is clean, and has it cleaned otherwise.

use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::Arc,
};

use super::{cleaning::clean, permits::Permit, pooled::PooledConnection, shared::Shared, slots::Use};
use crate::{
    auth::Identity,
    bolt::{Connection, recover::request_reset},
};

/// A connection on loan from the pool.
pub struct Lease {
    /// `None` only during `drop`.
    pooled: Option<PooledConnection>,
    permit: Option<Permit>,
    awaited: bool,
    shared: Arc<Shared>,
    identity: Identity,
    /// See [`Lease::hurry`].
    hurried: bool,
}

impl Lease {
    /// Lends `pooled`; `awaited`: it took time to find.
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

    /// The identity that the connection is logged in as.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Tells the database to end the running statement. Its own reply says whether that came in time. Does nothing if
    /// the dialect has no way to end statements.
    pub fn interrupt(&mut self) {
        if self.dialect().reset_interrupts {
            request_reset(self);
        } else if let Some((tag, user)) = self.running_tag() {
            let (tag, user) = (tag.to_owned(), user.map(str::to_owned));
            // The task runs on by itself.
            drop(self.shared.end_statement(&self.identity, tag, user));
        }
    }

    /// Has the database told at once to end whatever is still running when the lease is dropped, without a chance to
    /// end by itself.
    pub fn hurry(&mut self) {
        self.hurried = true;
    }
}

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
        pooled.set_use(Use::Recovering);
        let shared = Arc::clone(&self.shared);
        let recovery = shared.recovering.begin(self.identity.owner());
        let (identity, hurried) = (self.identity.clone(), self.hurried);
        self.shared.cleaners.spawn_on(
            async move {
                clean(pooled, &shared, &identity, hurried).await;
                drop((permit, recovery));
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
