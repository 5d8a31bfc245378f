//! Where idle connections wait: one bucket for each identity.
//!
//! A connection costs least where it was used last, since the runtime there is the one that it wakes. So whoever needs
//! one gets the newest of its own runtime, then the newest of any other; only then is one opened.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    runtime::{Handle, Id},
    sync::Notify,
    time::Instant,
};

use super::slots::Slot;
use crate::{
    auth::{ByIdentity, Identity, IdentityKey},
    bolt::{Connection, Failure},
};

/// An open connection, and its place in the count of them.
pub(super) struct Wire {
    // Boxed: it is moved about a lot, and large.
    pub(super) connection: Box<Connection>,
    pub(super) slot: Slot,
}

/// A connection that nobody uses.
pub(super) struct Idle {
    pub(super) wire: Wire,
    /// When somebody used it last.
    pub(super) since: Instant,
    /// The runtime where that was.
    home: Id,
}

/// All buckets.
#[derive(Default)]
pub(super) struct Buckets {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    known: ByIdentity<Bucket>,
    closed: bool,
}

/// The idle connections of one identity.
struct Bucket {
    identity: Identity,
    /// The one used last at the end.
    idle: Vec<Idle>,
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

impl Buckets {
    /// The identity's newest idle connection, preferably one of the current runtime.
    pub(super) fn take(&self, identity: IdentityKey) -> Option<Idle> {
        let mut state = self.state();
        let idle = &mut state.known.get_mut(&identity)?.idle;
        let here = Handle::current().id();
        match idle.last() {
            Some(newest) if newest.home == here => idle.pop(),
            _ => {
                let at = idle.iter().rposition(|one| one.home == here).or(idle.len().checked_sub(1))?;
                let mut taken = idle.remove(at);
                if taken.home != here {
                    taken.wire.connection.move_here();
                }
                Some(taken)
            }
        }
    }

    /// Puts a connection back that was used in the current runtime.
    pub(super) fn put(&self, identity: &Identity, wire: Wire) {
        let idle = Idle { wire, since: Instant::now(), home: Handle::current().id() };
        let mut state = self.state();
        if state.closed {
            return;
        }
        let bucket = state.bucket(identity);
        bucket.idle.push(idle);
        if let Some(limit) = &bucket.limit {
            limit.returned.notify_one();
        }
    }

    /// The idle connection that was used least recently; one of `asking` itself only if there is no other.
    pub(super) fn take_oldest(&self, asking: IdentityKey) -> Option<Idle> {
        let mut state = self.state();
        let (_, bucket) = state
            .known
            .iter_mut()
            .filter(|(_, bucket)| !bucket.idle.is_empty())
            .min_by_key(|(key, bucket)| (**key == asking, bucket.idle.first().map(|oldest| oldest.since)))?;
        Some(bucket.idle.remove(0))
    }

    /// Gives up all connections that have been idle since `then` or longer: one of that age was found dead, and what
    /// has cut it off, a load balancer for instance, has cut off the others as well.
    pub(super) fn condemn(&self, then: Instant) {
        let condemned = self.state().remove(|_, idle| idle.since <= then);
        if !condemned.is_empty() {
            tracing::info!(connections = condemned.len(), "closed idle connections, since one idle as long was dead");
        }
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

    /// Closes the idle connections that are not to be `kept`, and forgets identities that have none.
    pub(super) fn sweep(&self, keep: impl Fn(&Identity, &Connection) -> bool) {
        let closed = {
            let mut state = self.state();
            let closed = state.remove(|identity, idle| !keep(identity, &idle.wire.connection));
            state.forget_empty();
            closed
        };
        drop(closed); // outside of the lock
    }

    /// Takes no more connections, and gives those that are idle.
    pub(super) fn close(&self) -> Vec<Wire> {
        let mut state = self.state();
        state.closed = true;
        state.known.drain().flat_map(|(_, bucket)| bucket.idle).map(|idle| idle.wire).collect()
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
        let bucket = || Bucket { identity: identity.clone(), idle: Vec::with_capacity(1), limit: None };
        self.known.entry(identity.key()).or_insert_with(bucket)
    }

    /// Takes the idle connections out that are to `go`.
    fn remove(&mut self, go: impl Fn(&Identity, &Idle) -> bool) -> Vec<Idle> {
        let mut removed = Vec::new();
        for Bucket { identity, idle, .. } in self.known.values_mut() {
            removed.extend(idle.extract_if(.., |idle| go(identity, idle)));
        }
        removed
    }

    fn forget_empty(&mut self) {
        let now = Instant::now();
        self.known.retain(|_, bucket| {
            !bucket.idle.is_empty() || bucket.limit.as_ref().is_some_and(|limit| limit.until > now)
        });
    }
}
