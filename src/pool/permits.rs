//! A bounded number of permits, shared fairly among callers.
//!
//! While permits are free, a request takes one at once. Otherwise it waits, and the next permit goes to the caller who
//! holds the fewest, so that many requests of one caller do not starve the single request of another. No caller holds
//! more than its share, so that one caller's slow requests leave room for others. As many wait as the queue has places,
//! in total and per caller; others are turned away at once. A request that gives up waiting leaves the queue at once,
//! so the places are counted exactly.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use crate::auth::{ByIdentity, Identity, IdentityKey};

/// A semaphore that knows its callers.
#[derive(Clone)]
pub(super) struct Permits {
    shared: Arc<Shared>,
}

struct Shared {
    max: usize,
    /// The most permits of one caller.
    share: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    taken: usize,
    /// The number of the next waiter.
    next_number: u64,
    /// Waiters of all callers.
    waiting: usize,
    closed: bool,
    /// The callers that hold a permit or wait for one.
    callers: ByIdentity<Caller>,
}

struct Caller {
    identity: Identity,
    holding: usize,
    /// In the order of their numbers.
    waiting: VecDeque<Waiter>,
}

struct Waiter {
    /// The order of arrival, over all callers.
    number: u64,
    permit: oneshot::Sender<Permit>,
}

/// A place in the queue, left when it is dropped.
struct Place<'a> {
    shared: &'a Shared,
    caller: IdentityKey,
    number: u64,
}

/// How many requests may wait for a permit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Queue {
    /// Of all callers together.
    pub(super) max: usize,
    /// Of one caller.
    pub(super) share: usize,
}

/// One permit, released when it is dropped.
pub(super) struct Permit {
    shared: Arc<Shared>,
    caller: IdentityKey,
    awaited: bool,
}

/// Why no permit is issued, and none is waited for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Denied {
    /// No more permits are issued.
    Closed,
    /// The queue is full.
    Full,
    /// The caller has as many requests in the queue as it may.
    CallerFull,
}

impl Permits {
    /// Returns `max` permits, of which one caller may hold `share`. Both are at least 1.
    pub(super) fn new(max: usize, share: usize) -> Self {
        Self { shared: Arc::new(Shared { max, share, state: Mutex::default() }) }
    }

    /// Takes a permit for `caller`. If none is free, waits in a queue that has as many places as `queue` says.
    ///
    /// # Errors
    /// [`Denied`].
    pub(super) async fn take(&self, identity: &Identity, queue: Queue) -> Result<Permit, Denied> {
        let caller = identity.owner();
        let (_place, waiting) = {
            let mut state = self.shared.state();
            if state.closed {
                return Err(Denied::Closed);
            }
            let (holding, queued) =
                state.callers.get(&caller).map_or((0, 0), |entry| (entry.holding, entry.waiting.len()));
            // If permits are free, every waiting caller already has its share.
            if holding < self.shared.share && state.taken < self.shared.max {
                state.callers.entry(caller).or_insert_with(|| Caller::new(identity));
                return Ok(self.shared.issue(&mut state, caller, false));
            }
            // A caller that is told of its own limit can do something about it.
            if queued >= queue.share {
                return Err(Denied::CallerFull);
            }
            if state.waiting >= queue.max {
                return Err(Denied::Full);
            }
            let (permit, waiting) = oneshot::channel();
            let number = state.next_number;
            state.next_number += 1;
            state.waiting += 1;
            let entry = state.callers.entry(caller).or_insert_with(|| Caller::new(identity));
            entry.waiting.push_back(Waiter { number, permit });
            (Place { shared: &self.shared, caller, number }, waiting)
        };
        waiting.await.map_err(|_| Denied::Closed)
    }

    /// The number of permits that are taken.
    pub(super) fn taken(&self) -> usize {
        self.shared.state().taken
    }

    /// The callers that hold permits or wait for one: the number of permits, and of those who wait.
    pub(super) fn by_caller(&self) -> Vec<(Identity, usize, usize)> {
        let counts = |caller: &Caller| (caller.identity.clone(), caller.holding, caller.waiting.len());
        self.shared.state().callers.values().map(counts).collect()
    }

    /// Issues no more permits, and fails those who wait.
    pub(super) fn close(&self) {
        let mut state = self.shared.state();
        state.closed = true;
        state.waiting = 0;
        state.callers.values_mut().for_each(|caller| caller.waiting.clear());
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // The counts agree after every statement, so a poisoned lock protects nothing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn issue(self: &Arc<Self>, state: &mut State, caller: IdentityKey, awaited: bool) -> Permit {
        state.taken += 1;
        if let Some(entry) = state.callers.get_mut(&caller) {
            entry.holding += 1;
        }
        Permit { shared: Arc::clone(self), caller, awaited }
    }

    /// Removes the next waiter from the queue, if a permit can be issued.
    fn next(&self, state: &mut State) -> Option<(IdentityKey, Waiter)> {
        if state.taken >= self.max || state.waiting == 0 {
            return None;
        }
        let (&caller, entry) = state
            .callers
            .iter_mut()
            .filter(|(_, entry)| entry.holding < self.share && !entry.waiting.is_empty())
            .min_by_key(|(_, entry)| (entry.holding, entry.waiting.front().map(|waiter| waiter.number)))?;
        let waiter = entry.waiting.pop_front()?;
        state.waiting -= 1;
        Some((caller, waiter))
    }
}

impl State {
    /// Removes a waiter from the queue, unless its permit was issued.
    fn leave(&mut self, caller: IdentityKey, number: u64) {
        let Some(entry) = self.callers.get_mut(&caller) else { return };
        if let Ok(at) = entry.waiting.binary_search_by_key(&number, |waiter| waiter.number) {
            entry.waiting.remove(at);
            self.waiting -= 1;
        }
        self.forget(caller);
    }

    /// Forgets a caller that neither holds a permit nor waits.
    fn forget(&mut self, caller: IdentityKey) {
        if self.callers.get(&caller).is_some_and(|entry| entry.holding == 0 && entry.waiting.is_empty()) {
            self.callers.remove(&caller);
        }
    }
}

impl Caller {
    fn new(identity: &Identity) -> Self {
        Self { identity: identity.clone(), holding: 0, waiting: VecDeque::new() }
    }
}

impl Permit {
    /// Whether its holder had to wait for it.
    pub(super) fn was_awaited(&self) -> bool {
        self.awaited
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.shared.state().leave(self.caller, self.number);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut issued = Vec::new();
        {
            let mut state = self.shared.state();
            state.taken -= 1;
            if let Some(entry) = state.callers.get_mut(&self.caller) {
                entry.holding -= 1;
            }
            while let Some((caller, waiter)) = self.shared.next(&mut state) {
                issued.push((waiter, self.shared.issue(&mut state, caller, true)));
            }
            state.forget(self.caller);
        }
        // Outside the lock: a permit whose waiter has just given up is dropped here, and goes to the next one.
        for (waiter, permit) in issued {
            let _ = waiter.permit.send(permit);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;

    use super::*;

    /// A queue that is never full.
    const ENDLESS: Queue = Queue { max: usize::MAX, share: usize::MAX };

    fn one() -> Identity {
        Identity::numbered(1)
    }

    fn other() -> Identity {
        Identity::numbered(2)
    }

    /// Spawns a waiter, and lets it join the queue.
    async fn waiter(permits: &Permits, caller: Identity) -> tokio::task::JoinHandle<Result<Permit, Denied>> {
        let permits = permits.clone();
        let waiter = tokio::spawn(async move { permits.take(&caller, ENDLESS).await });
        tokio::task::yield_now().await;
        waiter
    }

    /// Returns the output of a future that is ready at once.
    fn now<T>(future: impl Future<Output = T>) -> Option<T> {
        let mut future = std::pin::pin!(future);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(value) => Some(value),
            std::task::Poll::Pending => None,
        }
    }

    #[tokio::test]
    async fn the_next_permit_goes_to_the_caller_with_the_fewest() {
        let permits = Permits::new(3, 3);
        let mut held: Vec<Permit> = (0..3).filter_map(|_| now(permits.take(&one(), ENDLESS))?.ok()).collect();
        let mut queue = Vec::new();
        for _ in 0..50 {
            queue.push(waiter(&permits, one()).await);
        }
        let late = waiter(&permits, other()).await;
        drop(held.pop());
        drop(late.await.unwrap().unwrap());
        drop(held);
        for waiter in queue {
            drop(waiter.await.unwrap().unwrap());
        }
        assert_eq!(permits.taken(), 0);
        assert!(permits.shared.state().callers.is_empty(), "no caller is remembered");
    }

    #[tokio::test]
    async fn no_caller_holds_more_than_its_share() {
        let permits = Permits::new(4, 3);
        let held: Vec<_> = (0..3).filter_map(|_| now(permits.take(&one(), ENDLESS))).collect();
        assert_eq!(held.len(), 3);
        assert!(now(permits.take(&one(), ENDLESS)).is_none());
        let others = now(permits.take(&other(), ENDLESS)).unwrap();
        assert_eq!(permits.taken(), 4);
        drop(others);
        // The free permit is not for a caller that has its share already.
        assert!(now(permits.take(&one(), ENDLESS)).is_none());
        drop(held);
        assert!(now(permits.take(&one(), ENDLESS)).is_some());
    }

    #[tokio::test]
    async fn a_waiter_that_gave_up_is_passed_over() {
        let permits = Permits::new(1, 1);
        let held = permits.take(&one(), ENDLESS).await.unwrap();
        for caller in [other(), one()] {
            assert!(now(permits.take(&caller, ENDLESS)).is_none());
        }
        let waiter = waiter(&permits, one()).await;
        drop(held);
        drop(waiter.await.unwrap().unwrap());
        assert_eq!(permits.taken(), 0);
        assert!(permits.shared.state().callers.is_empty(), "no caller is remembered");
    }

    #[tokio::test]
    async fn the_queue_has_as_many_places_as_it_is_told_when_somebody_comes() {
        let permits = Permits::new(1, 1);
        let held = now(permits.take(&one(), ENDLESS)).unwrap().unwrap();
        let queue = Queue { max: 3, share: 2 };
        let denied = |caller: Identity, queue| now(permits.take(&caller, queue)).map(|outcome| outcome.err());
        let queued = || permits.shared.state().waiting;
        let mut waiting = vec![waiter(&permits, one()).await, waiter(&permits, one()).await];
        assert_eq!(denied(one(), queue), Some(Some(Denied::CallerFull)));
        waiting.push(waiter(&permits, other()).await);
        assert_eq!((denied(other(), queue), queued()), (Some(Some(Denied::Full)), 3));
        assert_eq!(denied(other(), Queue { max: 4, share: 1 }), Some(Some(Denied::CallerFull)));
        // A waiter that gives up leaves its place, wherever in the queue it is.
        let gone = waiting.remove(0);
        gone.abort();
        assert!(gone.await.is_err());
        assert_eq!((queued(), denied(other(), queue)), (2, None));
        assert_eq!(queued(), 2, "a request that is no longer polled does not wait");
        drop(held);
        for waiter in waiting {
            drop(waiter.await.unwrap().unwrap());
        }
        assert_eq!(queued(), 0);
        assert!(permits.shared.state().callers.is_empty(), "no caller is remembered");
        assert!(denied(one(), Queue { max: 0, share: 0 }).unwrap().is_none(), "a free permit needs no place");
    }

    #[tokio::test]
    async fn closing_fails_those_who_wait() {
        let permits = Permits::new(1, 1);
        let held = permits.take(&one(), ENDLESS).await.unwrap();
        let waiter = waiter(&permits, one()).await;
        permits.close();
        assert!(waiter.await.unwrap().is_err());
        assert!(permits.take(&one(), ENDLESS).await.is_err());
        drop(held);
    }
}
