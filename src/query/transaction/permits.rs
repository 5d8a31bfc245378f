//! Permits that bound the number of open transactions, in total and per caller.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{
    auth::{ByIdentity, IdentityKey},
    query::error::Error,
};

/// The permits. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct TransactionPermits(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    max: usize,
    /// The most permits of one caller.
    share: usize,
    taken: usize,
    closed: bool,
    /// The number of permits that each caller holds.
    held: ByIdentity<usize>,
}

/// A permit for one open transaction, released when dropped.
pub(super) struct TransactionPermit {
    permits: TransactionPermits,
    owner: IdentityKey,
}

impl TransactionPermits {
    /// Creates `max` permits, of which one caller may hold `share`.
    pub(super) fn new(max: usize, share: usize) -> Self {
        let permits = Self::default();
        permits.set_limits(max, share);
        permits
    }

    /// Changes the number of permits. Those that are taken stay taken, even if there are too many.
    pub(super) fn set_limits(&self, max: usize, share: usize) {
        let mut state = self.state();
        (state.max, state.share) = (max, share);
    }

    /// Takes a permit for `owner`.
    ///
    /// # Errors
    /// When all permits are taken, or `owner` holds its share of them.
    pub(super) fn take(&self, owner: IdentityKey) -> Result<TransactionPermit, Error> {
        let mut state = self.state();
        let State { max, share, taken, closed, ref held } = *state;
        if closed || taken >= max {
            return Err(Error::too_many_transactions(max));
        }
        if held.get(&owner).is_some_and(|count| *count >= share) {
            return Err(Error::too_many_of_one_caller(share));
        }
        state.taken += 1;
        *state.held.entry(owner).or_default() += 1;
        Ok(TransactionPermit { permits: self.clone(), owner })
    }

    /// Refuses permits from now on.
    pub(super) fn close(&self) {
        self.state().closed = true;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state().closed
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The counts are consistent after every statement, so a panic of another thread does no harm.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for TransactionPermit {
    fn drop(&mut self) {
        let mut state = self.permits.state();
        state.taken -= 1;
        if let Some(count) = state.held.get_mut(&self.owner) {
            *count -= 1;
            if *count == 0 {
                state.held.remove(&self.owner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_caller_cannot_take_all_permits() {
        let (one, other) = (IdentityKey::numbered(1), IdentityKey::numbered(2));
        let permits = TransactionPermits::new(3, 2);
        let held = [permits.take(one).unwrap(), permits.take(one).unwrap()];
        assert_eq!(permits.take(one).err(), Some(Error::too_many_of_one_caller(2)));
        let others = permits.take(other).unwrap();
        assert_eq!(permits.take(other).err(), Some(Error::too_many_transactions(3)));
        drop((held, others));
        assert!(permits.state().held.is_empty(), "callers without permits are forgotten");
        drop(permits.take(one).unwrap());
        permits.close();
        assert!(permits.take(one).is_err() && permits.is_closed());
    }

    #[test]
    fn the_number_of_permits_changes_under_those_that_are_taken() {
        let (one, other) = (IdentityKey::numbered(1), IdentityKey::numbered(2));
        let permits = TransactionPermits::new(2, 2);
        let held = [permits.take(one).unwrap(), permits.take(one).unwrap()];
        permits.set_limits(1, 1);
        assert_eq!(permits.take(other).err(), Some(Error::too_many_transactions(1)));
        permits.set_limits(3, 2);
        assert_eq!(permits.take(one).err(), Some(Error::too_many_of_one_caller(2)));
        let third = permits.take(other).unwrap();
        assert_eq!(permits.take(other).err(), Some(Error::too_many_transactions(3)));
        drop((held, third));
        assert_eq!(permits.state().taken, 0);
    }
}
