//! The idle connections: one bucket for each identity, and in it one deadpool for each runtime.
//!
//! A connection is cheapest on the runtime that used it last, since that is the runtime its socket wakes. So a request
//! gets the newest idle connection of its own runtime, else the newest of another one; only then is one opened. The
//! deadpools are of the unmanaged kind, because a connection that verified a login was opened before it joined any
//! pool.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use deadpool::unmanaged;
use tokio::{
    runtime::{Handle, Id},
    sync::Notify,
    time::Instant,
};

use super::{pooled::PooledConnection, slots::Use};
use crate::{
    auth::{ByIdentity, Identity, IdentityKey},
    bolt::{Connection, Failure},
    telemetry::observer::Discard,
};

/// A connection that is not in use.
pub(super) struct Idle {
    pub(super) pooled: PooledConnection,
    /// When its last use ended.
    pub(super) since: Instant,
}

/// All buckets.
pub(super) struct Buckets {
    state: Mutex<State>,
}

struct State {
    known: ByIdentity<Bucket>,
    /// The most idle connections of one identity in one runtime.
    max: usize,
    closed: bool,
}

/// The idle connections of one identity.
struct Bucket {
    identity: Identity,
    pools: Vec<RuntimePool>,
    /// Set when the database refused the identity another session.
    limit: Option<Limit>,
}

/// The database allows the identity no more sessions than it has.
#[derive(Clone)]
pub(super) struct Limit {
    /// The database is not asked for another session before this moment.
    pub(super) until: Instant,
    /// What the database said.
    pub(super) failure: Failure,
    /// Notified when one of the identity's connections is returned.
    pub(super) returned: Arc<Notify>,
}

/// How long the database is not asked for another session after it refused one.
const LIMITED_FOR: Duration = Duration::from_secs(1);

/// The idle connections of one identity that were last used in one runtime.
struct RuntimePool {
    runtime: Id,
    /// Returns the most recently used connection first.
    idle: unmanaged::Pool<Idle>,
    /// Since when the least recently used connection has been idle; `None` if the pool is empty.
    oldest: Option<Instant>,
}

impl Buckets {
    /// Returns empty buckets, which hold at most `max` connections of one identity in one runtime.
    pub(super) fn new(max: usize) -> Self {
        Self { state: Mutex::new(State { known: ByIdentity::default(), max, closed: false }) }
    }

    /// Takes the identity's newest idle connection, preferably one of the current runtime.
    pub(super) fn take(&self, identity: IdentityKey) -> Option<Idle> {
        let mut state = self.state();
        let pools = &mut state.known.get_mut(&identity)?.pools;
        let here = Handle::current().id();
        if let Some(mut idle) = pools.iter_mut().find(|pool| pool.runtime == here).and_then(RuntimePool::take) {
            idle.pooled.set_use(Use::Lent);
            return Some(idle);
        }
        let mut idle = pools.iter_mut().find_map(RuntimePool::take)?;
        idle.pooled.set_use(Use::Lent);
        idle.pooled.connection.move_here();
        Some(idle)
    }

    /// Returns a connection that was used in the current runtime.
    pub(super) fn put(&self, identity: &Identity, mut pooled: PooledConnection) {
        pooled.set_use(Use::Idle);
        let idle = Idle { pooled, since: Instant::now() };
        let mut state = self.state();
        if state.closed {
            drop(state);
            idle.pooled.discard(Discard::Shutdown);
            return;
        }
        let max = state.max;
        let bucket = state.bucket(identity);
        let refused = bucket.pool_here(max).put(idle);
        if let Some(limit) = &bucket.limit {
            limit.returned.notify_one();
        }
        drop(state);
        if let Some(idle) = refused {
            idle.pooled.discard(Discard::Evicted);
        }
    }

    /// Takes the least recently used idle connection; one of `asking` itself only if no other identity has any.
    pub(super) fn take_oldest(&self, asking: IdentityKey) -> Option<Idle> {
        let mut state = self.state();
        let pools =
            state.known.iter_mut().flat_map(|(key, bucket)| bucket.pools.iter_mut().map(move |pool| (key, pool)));
        let (_, pool) =
            pools.filter(|(_, pool)| pool.oldest.is_some()).min_by_key(|(key, pool)| (**key == asking, pool.oldest))?;
        let mut idle = pool.take_oldest()?;
        idle.pooled.set_use(Use::Lent);
        Some(idle)
    }

    /// Closes all connections that have been idle since `then` or longer, and returns their number. One of that age was
    /// found dead, and whatever cut it off, such as a load balancer, has cut off the others as well.
    pub(super) fn close_idle_since(&self, then: Instant) -> usize {
        let dead = self.state().remove(|_, idle| (idle.since <= then).then_some(Discard::Dead));
        dead.len()
    }

    /// Records that the database allows the identity no more sessions than it has.
    pub(super) fn set_limit(&self, identity: &Identity, failure: Failure) -> Limit {
        let mut state = self.state();
        let known = &mut state.bucket(identity).limit;
        let returned = known.take().map_or_else(Arc::default, |limit| limit.returned);
        let limit = Limit { until: Instant::now() + LIMITED_FOR, failure, returned };
        *known = Some(limit.clone());
        limit
    }

    /// Returns the identity's session limit while it is in force.
    pub(super) fn limit(&self, identity: IdentityKey) -> Option<Limit> {
        let state = self.state();
        let limit = state.known.get(&identity)?.limit.as_ref()?;
        (limit.until > Instant::now()).then(|| limit.clone())
    }

    /// Closes the idle connections for which `end` returns a reason, and forgets identities without connections.
    pub(super) fn sweep(&self, end: impl Fn(&Identity, &Connection) -> Option<Discard>) {
        let closed = {
            let mut state = self.state();
            let closed = state.remove(|identity, idle| end(identity, &idle.pooled.connection));
            state.forget_empty();
            closed
        };
        drop(closed); // outside the lock
    }

    /// Accepts no more connections, and returns the idle ones.
    pub(super) fn close(&self) -> Vec<PooledConnection> {
        let mut state = self.state();
        state.closed = true;
        let pools = state.known.drain().flat_map(|(_, bucket)| bucket.pools);
        pools.flat_map(|mut pool| pool.empty()).map(|idle| idle.pooled).collect()
    }

    /// The logins that have buckets, and the number of idle connections in each.
    pub(super) fn by_login(&self) -> Vec<(Identity, usize)> {
        let count = |bucket: &Bucket| bucket.pools.iter().map(|pool| pool.idle.status().size).sum();
        self.state().known.values().map(|bucket| (bucket.identity.clone(), count(bucket))).collect()
    }

    /// The number of identities that have buckets.
    pub(super) fn identities(&self) -> usize {
        self.state().known.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is consistent after every statement, so a poisoned lock protects nothing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn bucket(&mut self, identity: &Identity) -> &mut Bucket {
        // The map is about to grow, which costs as much as this.
        if self.known.len() == self.known.capacity() && !self.known.contains_key(&identity.key()) {
            self.forget_empty();
        }
        let bucket = || Bucket { identity: identity.clone(), pools: Vec::with_capacity(1), limit: None };
        self.known.entry(identity.key()).or_insert_with(bucket)
    }

    /// Removes the idle connections for which `end` returns a reason. Dropping them closes them.
    fn remove(&mut self, end: impl Fn(&Identity, &Idle) -> Option<Discard>) -> Vec<Idle> {
        let mut removed = Vec::new();
        for Bucket { identity, pools, .. } in self.known.values_mut() {
            for pool in pools {
                for mut idle in pool.empty() {
                    if let Some(reason) = end(identity, &idle) {
                        idle.pooled.will_end(reason);
                        removed.push(idle);
                    } else {
                        removed.extend(pool.put(idle));
                    }
                }
            }
        }
        removed
    }

    fn forget_empty(&mut self) {
        let now = Instant::now();
        self.known.retain(|_, bucket| {
            bucket.pools.iter().any(|pool| pool.oldest.is_some())
                || bucket.limit.as_ref().is_some_and(|limit| limit.until > now)
        });
    }
}

impl Bucket {
    /// The pool for connections that were used in the current runtime.
    fn pool_here(&mut self, max: usize) -> &mut RuntimePool {
        let here = Handle::current().id();
        let known = self.pools.iter().position(|pool| pool.runtime == here);
        let at = known.unwrap_or_else(|| {
            self.pools.push(RuntimePool { runtime: here, idle: unmanaged::Pool::new(max), oldest: None });
            self.pools.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "the position was found or pushed just now")]
        &mut self.pools[at]
    }
}

impl RuntimePool {
    /// Takes the most recently used connection.
    fn take(&mut self) -> Option<Idle> {
        let idle = self.idle.try_remove().ok()?;
        if self.idle.status().size == 0 {
            self.oldest = None;
        }
        Some(idle)
    }

    /// Stores a connection that was used more recently than all others; returns it if the pool is full.
    fn put(&mut self, idle: Idle) -> Option<Idle> {
        let since = idle.since;
        match self.idle.try_add(idle) {
            Ok(()) => {
                self.oldest.get_or_insert(since);
                None
            }
            Err((idle, _)) => Some(idle),
        }
    }

    /// Takes all connections, the least recently used first.
    fn empty(&mut self) -> Vec<Idle> {
        self.oldest = None;
        let mut all: Vec<_> = std::iter::from_fn(|| self.idle.try_remove().ok()).collect();
        all.reverse();
        all
    }

    fn take_oldest(&mut self) -> Option<Idle> {
        let mut all = self.empty().into_iter();
        let oldest = all.next();
        for idle in all {
            drop(self.put(idle)); // which has room: it was here before
        }
        oldest
    }
}
