//! Where idle connections wait: one bucket for each identity, and in it one deadpool for each runtime.
//!
//! A connection costs least where it was used last, since the runtime there is the one that it wakes. So whoever needs
//! one gets the newest of its own runtime, then the newest of another; only then is one opened. deadpool's unmanaged pools
//! keep what is idle: a connection that proved a stranger's login was opened before it belonged to any pool.

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

use super::pooled::PooledConnection;
use crate::{
    auth::{ByIdentity, Identity, IdentityKey},
    bolt::{Connection, Failure},
    telemetry::observer::Discard,
};

/// A connection that nobody uses.
pub(super) struct Idle {
    pub(super) pooled: PooledConnection,
    /// When somebody used it last.
    pub(super) since: Instant,
}

/// All buckets.
pub(super) struct Buckets {
    state: Mutex<State>,
}

struct State {
    known: ByIdentity<Bucket>,
    /// Most connections in one pool.
    max: usize,
    closed: bool,
}

/// The idle connections of one identity.
struct Bucket {
    identity: Identity,
    homes: Vec<Home>,
    /// What the database has said about the number of its sessions, if anything.
    limit: Option<Limit>,
}

/// The database lets the identity have no more sessions than it has.
#[derive(Clone)]
pub(super) struct Limit {
    /// Until then it is not asked again.
    pub(super) until: Instant,
    /// What it said.
    pub(super) failure: Failure,
    /// One of the identity's connections has come back.
    pub(super) returned: Arc<Notify>,
}

/// For so long a database is not asked for another session after it has refused one.
const LIMITED_FOR: Duration = Duration::from_secs(1);

/// The idle connections of one identity that were used in one runtime.
struct Home {
    runtime: Id,
    /// Gives the one that was used last.
    idle: unmanaged::Pool<Idle>,
    /// When the one was used that has been idle longest, if there is any.
    oldest: Option<Instant>,
}

impl Buckets {
    /// No connections yet, and at most `max` of one identity in one runtime.
    pub(super) fn new(max: usize) -> Self {
        Self { state: Mutex::new(State { known: ByIdentity::default(), max, closed: false }) }
    }

    /// The identity's newest idle connection, preferably one of the current runtime.
    pub(super) fn take(&self, identity: IdentityKey) -> Option<Idle> {
        let mut state = self.state();
        let homes = &mut state.known.get_mut(&identity)?.homes;
        let here = Handle::current().id();
        if let Some(idle) = homes.iter_mut().find(|home| home.runtime == here).and_then(Home::take) {
            return Some(idle);
        }
        let mut idle = homes.iter_mut().find_map(Home::take)?;
        idle.pooled.connection.move_here();
        Some(idle)
    }

    /// Puts a connection back that was used in the current runtime.
    pub(super) fn put(&self, identity: &Identity, pooled: PooledConnection) {
        let idle = Idle { pooled, since: Instant::now() };
        let mut state = self.state();
        if state.closed {
            drop(state);
            idle.pooled.discard(Discard::Shutdown);
            return;
        }
        let max = state.max;
        let bucket = state.bucket(identity);
        let refused = bucket.home(max).put(idle);
        if let Some(limit) = &bucket.limit {
            limit.returned.notify_one();
        }
        drop(state);
        if let Some(idle) = refused {
            idle.pooled.discard(Discard::Evicted);
        }
    }

    /// The idle connection that was used least recently; one of `asking` itself only if there is no other.
    pub(super) fn take_oldest(&self, asking: IdentityKey) -> Option<Idle> {
        let mut state = self.state();
        let homes =
            state.known.iter_mut().flat_map(|(key, bucket)| bucket.homes.iter_mut().map(move |home| (key, home)));
        let (_, home) =
            homes.filter(|(_, home)| home.oldest.is_some()).min_by_key(|(key, home)| (**key == asking, home.oldest))?;
        home.take_oldest()
    }

    /// Closes all connections that have been idle since `then` or longer, and gives how many: one of that age was found
    /// dead, and what has cut it off, a load balancer for instance, has cut off the others as well.
    pub(super) fn close_idle_since(&self, then: Instant) -> usize {
        let dead = self.state().remove(|_, idle| (idle.since <= then).then_some(Discard::Dead));
        dead.len()
    }

    /// Notes that the database lets the identity have no more sessions than it has.
    pub(super) fn set_limit(&self, identity: &Identity, failure: Failure) -> Limit {
        let mut state = self.state();
        let known = &mut state.bucket(identity).limit;
        let returned = known.take().map_or_else(Arc::default, |limit| limit.returned);
        let limit = Limit { until: Instant::now() + LIMITED_FOR, failure, returned };
        *known = Some(limit.clone());
        limit
    }

    /// Whether the identity can have no more sessions for the moment.
    pub(super) fn limit(&self, identity: IdentityKey) -> Option<Limit> {
        let state = self.state();
        let limit = state.known.get(&identity)?.limit.as_ref()?;
        (limit.until > Instant::now()).then(|| limit.clone())
    }

    /// Closes the idle connections for which there is a reason, and forgets identities that have none.
    pub(super) fn sweep(&self, end: impl Fn(&Identity, &Connection) -> Option<Discard>) {
        let closed = {
            let mut state = self.state();
            let closed = state.remove(|identity, idle| end(identity, &idle.pooled.connection));
            state.forget_empty();
            closed
        };
        drop(closed); // outside of the lock
    }

    /// Takes no more connections, and gives those that are idle.
    pub(super) fn close(&self) -> Vec<PooledConnection> {
        let mut state = self.state();
        state.closed = true;
        let homes = state.known.drain().flat_map(|(_, bucket)| bucket.homes);
        homes.flat_map(|mut home| home.empty()).map(|idle| idle.pooled).collect()
    }

    /// How many identities have buckets.
    pub(super) fn identities(&self) -> usize {
        self.state().known.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // It is whole after every statement, so a panic elsewhere leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn bucket(&mut self, identity: &Identity) -> &mut Bucket {
        // The map grows when it is full, which costs as much as this.
        if self.known.len() == self.known.capacity() && !self.known.contains_key(&identity.key()) {
            self.forget_empty();
        }
        let bucket = || Bucket { identity: identity.clone(), homes: Vec::with_capacity(1), limit: None };
        self.known.entry(identity.key()).or_insert_with(bucket)
    }

    /// Takes the idle connections out that are to `end`. They are closed when they are dropped.
    fn remove(&mut self, end: impl Fn(&Identity, &Idle) -> Option<Discard>) -> Vec<Idle> {
        let mut removed = Vec::new();
        for Bucket { identity, homes, .. } in self.known.values_mut() {
            for home in homes {
                for mut idle in home.empty() {
                    if let Some(reason) = end(identity, &idle) {
                        idle.pooled.will_end(reason);
                        removed.push(idle);
                    } else {
                        removed.extend(home.put(idle));
                    }
                }
            }
        }
        removed
    }

    fn forget_empty(&mut self) {
        let now = Instant::now();
        self.known.retain(|_, bucket| {
            bucket.homes.iter().any(|home| home.oldest.is_some())
                || bucket.limit.as_ref().is_some_and(|limit| limit.until > now)
        });
    }
}

impl Bucket {
    /// Where connections go that were used in the current runtime.
    fn home(&mut self, max: usize) -> &mut Home {
        let here = Handle::current().id();
        let known = self.homes.iter().position(|home| home.runtime == here);
        let at = known.unwrap_or_else(|| {
            self.homes.push(Home { runtime: here, idle: unmanaged::Pool::new(max), oldest: None });
            self.homes.len() - 1
        });
        // It was found, or put there just now.
        #[expect(clippy::indexing_slicing, reason = "the position is one of the list")]
        &mut self.homes[at]
    }
}

impl Home {
    /// The one that was used last.
    fn take(&mut self) -> Option<Idle> {
        let idle = self.idle.try_remove().ok()?;
        if self.idle.status().size == 0 {
            self.oldest = None;
        }
        Some(idle)
    }

    /// Keeps one that is newer than all others; gives it back when there is no room.
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

    /// Takes all of them, the oldest first.
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
            // There was room for it before.
            drop(self.put(idle));
        }
        oldest
    }
}
