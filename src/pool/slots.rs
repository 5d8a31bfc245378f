//! The count of open connections: each holds a slot, idle or in use. The slot reports the end of its connection, so
//! that every connection that was opened is reported closed exactly once, and knows what it is used for, so that the
//! counts of each use agree with that.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use crate::{
    auth::{ByIdentity, IdentityKey},
    telemetry::observer::{Discard, Observer},
};

/// The count of open connections.
pub(super) struct ConnectionSlots {
    open: AtomicUsize,
    idle: AtomicUsize,
    recovering: AtomicUsize,
    /// The number of connections that are logged in as each identity.
    owners: Mutex<ByIdentity<usize>>,
    observer: Arc<dyn Observer>,
}

/// One connection's slot, free again when it is dropped.
pub(super) struct ConnectionSlot {
    slots: Arc<ConnectionSlots>,
    /// The reason to report when the slot is dropped. `None` while no connection occupies it.
    end: Option<Discard>,
    owner: Option<IdentityKey>,
    used: Use,
}

/// What a connection is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// A request has it, or is about to.
    Lent,
    /// Nothing.
    Idle,
    /// It is cleaned after its last use.
    Recovering,
}

impl ConnectionSlots {
    /// Returns slots of which none is taken.
    pub(super) fn new(observer: Arc<dyn Observer>) -> Self {
        Self {
            open: AtomicUsize::new(0),
            idle: AtomicUsize::new(0),
            recovering: AtomicUsize::new(0),
            owners: Mutex::default(),
            observer,
        }
    }

    /// Takes a slot, if fewer than `limit` are taken.
    pub(super) fn take_below(self: &Arc<Self>, limit: usize) -> Option<ConnectionSlot> {
        let more = |open| (open < limit).then_some(open + 1);
        self.open.fetch_update(Relaxed, Relaxed, more).ok()?;
        Some(ConnectionSlot { slots: Arc::clone(self), end: None, owner: None, used: Use::Lent })
    }

    /// The number of slots that are taken.
    pub(super) fn open(&self) -> usize {
        self.open.load(Relaxed)
    }

    /// The number of connections in this use.
    pub(super) fn in_state(&self, used: Use) -> usize {
        match self.count(used) {
            Some(count) => count.load(Relaxed),
            None => self.open().saturating_sub(self.in_state(Use::Idle) + self.in_state(Use::Recovering)),
        }
    }

    /// The number of identities that have connections.
    pub(super) fn owners(&self) -> usize {
        self.owners_by_identity().len()
    }

    fn owners_by_identity(&self) -> MutexGuard<'_, ByIdentity<usize>> {
        // The map is consistent after every statement, so a poisoned lock protects nothing.
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where connections in this use are counted; those that are lent are the rest.
    fn count(&self, used: Use) -> Option<&AtomicUsize> {
        match used {
            Use::Lent => None,
            Use::Idle => Some(&self.idle),
            Use::Recovering => Some(&self.recovering),
        }
    }
}

impl ConnectionSlot {
    /// Records that a connection occupies the slot, and the reason to report for its end.
    pub(super) fn will_end(&mut self, reason: Discard) {
        self.end = Some(reason);
    }

    /// Records who its connection is logged in as.
    pub(super) fn belongs_to(&mut self, owner: IdentityKey) {
        self.set_owner(Some(owner));
    }

    /// Records what its connection is used for.
    pub(super) fn set_use(&mut self, used: Use) {
        let before = std::mem::replace(&mut self.used, used);
        if let Some(count) = self.slots.count(before) {
            count.fetch_sub(1, Relaxed);
        }
        if let Some(count) = self.slots.count(used) {
            count.fetch_add(1, Relaxed);
        }
    }

    /// Reports that the connection was closed, and frees the slot for another one.
    pub(super) fn vacate(&mut self, reason: Discard) {
        self.end = Some(reason);
        self.connection_ended();
    }

    fn set_owner(&mut self, owner: Option<IdentityKey>) {
        let before = std::mem::replace(&mut self.owner, owner);
        if before == owner {
            return;
        }
        let mut owners = self.slots.owners_by_identity();
        if let Some(owner) = owner {
            *owners.entry(owner).or_default() += 1;
        }
        if let Some(before) = before
            && let Some(count) = owners.get_mut(&before)
        {
            *count -= 1;
            if *count == 0 {
                owners.remove(&before);
            }
        }
    }

    fn connection_ended(&mut self) {
        self.set_use(Use::Lent);
        self.set_owner(None);
        if let Some(reason) = self.end.take() {
            self.slots.observer.connection_discarded(reason);
        }
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.slots.open.fetch_sub(1, Relaxed);
        self.connection_ended();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::telemetry::event_log::EventLog;

    #[derive(Default)]
    struct Ends(Mutex<Vec<Discard>>);

    impl Observer for Ends {
        fn connection_discarded(&self, reason: Discard) {
            self.0.lock().unwrap().push(reason);
        }
    }

    #[test]
    fn no_more_slots_are_taken_than_the_limit_allows() {
        let slots = Arc::new(ConnectionSlots::new(Arc::new(EventLog)));
        let taken: Vec<_> = (0..5).filter_map(|_| slots.take_below(3)).collect();
        assert_eq!((taken.len(), slots.open()), (3, 3));
        assert!(slots.take_below(4).is_some(), "another limit");
        drop(taken);
        assert_eq!(slots.open(), 0);
    }

    #[test]
    fn the_end_of_each_connection_is_reported_once() {
        let ends = Arc::new(Ends::default());
        let slots = Arc::new(ConnectionSlots::new(Arc::<Ends>::clone(&ends)));
        drop(slots.take_below(1)); // no connection was opened in it
        let mut slot = slots.take_below(1).unwrap();
        slot.will_end(Discard::Abandoned);
        slot.vacate(Discard::Evicted);
        slot.will_end(Discard::Abandoned);
        slot.will_end(Discard::Silent);
        drop(slot);
        assert_eq!(*ends.0.lock().unwrap(), [Discard::Evicted, Discard::Silent]);
    }

    #[test]
    fn uses_and_owners_are_counted_until_the_connection_ends() {
        let slots = Arc::new(ConnectionSlots::new(Arc::new(EventLog)));
        let counts = || (slots.in_state(Use::Lent), slots.in_state(Use::Idle), slots.in_state(Use::Recovering));
        let (one, other) = (IdentityKey::numbered(1), IdentityKey::numbered(2));
        let mut taken: Vec<_> = (0..3).filter_map(|_| slots.take_below(3)).collect();
        for slot in &mut taken {
            slot.will_end(Discard::Abandoned);
            slot.belongs_to(one);
        }
        taken[0].set_use(Use::Idle);
        taken[1].set_use(Use::Recovering);
        assert_eq!((counts(), slots.owners()), ((1, 1, 1), 1));
        taken[1].set_use(Use::Idle);
        taken[0].set_use(Use::Lent);
        taken[0].belongs_to(other);
        assert_eq!((counts(), slots.owners()), ((2, 1, 0), 2));
        taken[0].vacate(Discard::Evicted);
        assert_eq!(slots.owners(), 1);
        drop(taken);
        assert_eq!((counts(), slots.owners()), ((0, 0, 0), 0));
    }
}
