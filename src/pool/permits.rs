//! A bounded number of permits, shared fairly among callers.
//!
//! While permits are free, a request takes one at once. Otherwise it waits, and the next permit goes to the caller who
//! holds the fewest, so that many requests of one caller do not starve the single request of another. No caller holds
//! more than its share, so that one caller's slow requests leave room for others.

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
    /// Waiters of all callers, including those that have given up and not been removed yet.
    waiting: usize,
    closed: bool,
    /// The callers that hold a permit or wait for one.
    callers: ByIdentity<Caller>,
}

struct Caller {
    identity: Identity,
    holding: usize,
    waiting: VecDeque<Waiter>,
}

struct Waiter {
    /// The order of arrival, over all callers.
    number: u64,
    permit: oneshot::Sender<Permit>,
}

/// One permit, released when it is dropped.
pub(super) struct Permit {
    shared: Arc<Shared>,
    caller: IdentityKey,
    awaited: bool,
}

/// No more permits are issued.
#[derive(Debug)]
pub(super) struct Closed;

impl Permits {
    /// Returns `max` permits, of which one caller may hold `share`. Both are at least 1.
    pub(super) fn new(max: usize, share: usize) -> Self {
        Self { shared: Arc::new(Shared { max, share, state: Mutex::default() }) }
    }

    /// Takes a permit for `caller`, waiting if none is free.
    ///
    /// # Errors
    /// [`Closed`] once no more are issued.
    pub(super) async fn take(&self, identity: &Identity) -> Result<Permit, Closed> {
        let caller = identity.owner();
        let waiting = {
            let mut state = self.shared.state();
            if state.closed {
                return Err(Closed);
            }
            let entry = state.callers.entry(caller).or_insert_with(|| Caller::new(identity));
            // If permits are free, every waiting caller already has its share.
            if entry.holding < self.shared.share && state.taken < self.shared.max {
                return Ok(self.shared.issue(&mut state, caller, false));
            }
            let (permit, waiting) = oneshot::channel();
            let number = state.next_number;
            state.next_number += 1;
            state.waiting += 1;
            if let Some(entry) = state.callers.get_mut(&caller) {
                entry.waiting.push_back(Waiter { number, permit });
            }
            state.forget_leavers(caller);
            waiting
        };
        waiting.await.map_err(|_| Closed)
    }

    /// The number of permits that are taken.
    pub(super) fn taken(&self) -> usize {
        self.shared.state().taken
    }

    /// The callers that hold permits or wait for one: the number of permits, and of those who wait.
    pub(super) fn by_caller(&self) -> Vec<(Identity, usize, usize)> {
        let waiting = |caller: &Caller| caller.waiting.iter().filter(|waiter| !waiter.permit.is_closed()).count();
        let state = self.shared.state();
        state.callers.values().map(|caller| (caller.identity.clone(), caller.holding, waiting(caller))).collect()
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
        while state.taken < self.max && state.waiting > 0 {
            let (&caller, _) = state
                .callers
                .iter()
                .filter(|(_, entry)| entry.holding < self.share && !entry.waiting.is_empty())
                .min_by_key(|(_, entry)| (entry.holding, entry.waiting.front().map(|waiter| waiter.number)))?;
            state.forget_leavers(caller);
            if let Some(waiter) = state.callers.get_mut(&caller).and_then(|entry| entry.waiting.pop_front()) {
                state.waiting -= 1;
                return Some((caller, waiter));
            }
            state.forget(caller);
        }
        None
    }
}

impl State {
    /// Removes a caller's waiters that have given up from the front of its queue. Their deadlines pass in the order in
    /// which they came.
    fn forget_leavers(&mut self, caller: IdentityKey) {
        let Some(entry) = self.callers.get_mut(&caller) else {
            return;
        };
        while entry.waiting.front().is_some_and(|waiter| waiter.permit.is_closed()) {
            entry.waiting.pop_front();
            self.waiting -= 1;
        }
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

    fn one() -> Identity {
        Identity::numbered(1)
    }

    fn other() -> Identity {
        Identity::numbered(2)
    }

    /// Spawns a waiter, and lets it join the queue.
    async fn waiter(permits: &Permits, caller: Identity) -> tokio::task::JoinHandle<Result<Permit, Closed>> {
        let permits = permits.clone();
        let waiter = tokio::spawn(async move { permits.take(&caller).await });
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
        let mut held: Vec<Permit> = (0..3).filter_map(|_| now(permits.take(&one()))?.ok()).collect();
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
        let held: Vec<_> = (0..3).filter_map(|_| now(permits.take(&one()))).collect();
        assert_eq!(held.len(), 3);
        assert!(now(permits.take(&one())).is_none());
        let others = now(permits.take(&other())).unwrap();
        assert_eq!(permits.taken(), 4);
        drop(others);
        // The free permit is not for a caller that has its share already.
        assert!(now(permits.take(&one())).is_none());
        drop(held);
        assert!(now(permits.take(&one())).is_some());
    }

    #[tokio::test]
    async fn a_waiter_that_gave_up_is_passed_over() {
        let permits = Permits::new(1, 1);
        let held = permits.take(&one()).await.unwrap();
        for caller in [other(), one()] {
            assert!(now(permits.take(&caller)).is_none());
        }
        let waiter = waiter(&permits, one()).await;
        drop(held);
        drop(waiter.await.unwrap().unwrap());
        assert_eq!(permits.taken(), 0);
        assert!(permits.shared.state().callers.is_empty(), "no caller is remembered");
    }

    #[tokio::test]
    async fn closing_fails_those_who_wait() {
        let permits = Permits::new(1, 1);
        let held = permits.take(&one()).await.unwrap();
        let waiter = waiter(&permits, one()).await;
        permits.close();
        assert!(waiter.await.unwrap().is_err());
        assert!(permits.take(&one()).await.is_err());
        drop(held);
    }
}
