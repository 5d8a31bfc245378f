//! Which connections are being cleaned, and for whom.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::auth::{ByIdentity, IdentityKey};

/// The connections that are being cleaned.
#[derive(Default)]
pub(super) struct Recovering(Mutex<State>);

#[derive(Default)]
struct State {
    next: u64,
    /// The owner of each, by the order in which their cleaning began.
    owners: BTreeMap<u64, IdentityKey>,
}

/// One connection that is being cleaned, until this is dropped.
pub(super) struct Recovery {
    recovering: Arc<Recovering>,
    number: u64,
}

impl Recovering {
    /// Counts a connection of `owner`.
    pub(super) fn begin(self: &Arc<Self>, owner: IdentityKey) -> Recovery {
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        state.owners.insert(number, owner);
        Recovery { recovering: Arc::clone(self), number }
    }

    /// The number of connections that are being cleaned for each owner.
    pub(super) fn by_owner(&self) -> ByIdentity<usize> {
        let mut counts = ByIdentity::default();
        for &owner in self.state().owners.values() {
            *counts.entry(owner).or_default() += 1;
        }
        counts
    }

    /// The number of cleanings that have begun.
    pub(super) fn begun(&self) -> u64 {
        self.state().next
    }

    /// Whether the first `begun` cleanings are over.
    pub(super) fn are_over(&self, begun: u64) -> bool {
        self.state().owners.first_key_value().is_none_or(|(&oldest, _)| oldest >= begun)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is consistent after every statement, so a poisoned lock protects nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Recovery {
    fn drop(&mut self) {
        self.recovering.state().owners.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_cleanings_that_had_begun_are_waited_for() {
        let recovering = Arc::new(Recovering::default());
        let [one, other] = [1, 2].map(IdentityKey::numbered);
        let first = recovering.begin(one);
        let begun = recovering.begun();
        let later = [recovering.begin(one), recovering.begin(other)];
        assert_eq!(recovering.by_owner(), ByIdentity::from_iter([(one, 2), (other, 1)]));
        assert!(!recovering.are_over(begun));
        drop(first);
        assert!(recovering.are_over(begun) && !recovering.are_over(recovering.begun()));
        drop(later);
        assert!(recovering.are_over(recovering.begun()) && recovering.by_owner().is_empty());
    }
}
