//! Permits that bound the number of open transactions, in total and per caller.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    auth::{ByIdentity, IdentityKey},
    query::error::Error,
};

/// The permits. Cheap to clone.
#[derive(Clone)]
pub(super) struct TransactionPermits {
    max: usize,
    share: usize,
    permits: Arc<Semaphore>,
    /// The number of permits that each caller holds.
    held: Arc<Mutex<ByIdentity<usize>>>,
}

/// A permit for one open transaction, released when dropped.
pub(super) struct TransactionPermit {
    permits: TransactionPermits,
    owner: IdentityKey,
    _permit: OwnedSemaphorePermit,
}

impl TransactionPermits {
    /// Creates `max` permits, of which one caller may hold `share`.
    pub(super) fn new(max: usize, share: usize) -> Self {
        Self { max, share, permits: Arc::new(Semaphore::new(max)), held: Arc::default() }
    }

    /// Takes a permit for `owner`.
    ///
    /// # Errors
    /// When all permits are taken, or `owner` holds its share of them.
    pub(super) fn take(&self, owner: IdentityKey) -> Result<TransactionPermit, Error> {
        let permit = Arc::clone(&self.permits).try_acquire_owned();
        let permit = permit.map_err(|_| Error::too_many_transactions(self.max))?;
        let mut held = self.held();
        let count = held.entry(owner).or_default();
        if *count >= self.share {
            return Err(Error::too_many_of_one_caller(self.share));
        }
        *count += 1;
        Ok(TransactionPermit { permits: self.clone(), owner, _permit: permit })
    }

    /// Refuses permits from now on.
    pub(super) fn close(&self) {
        self.permits.close();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.permits.is_closed()
    }

    fn held(&self) -> MutexGuard<'_, ByIdentity<usize>> {
        // The map is consistent after every statement, so a panic of another thread does no harm.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for TransactionPermit {
    fn drop(&mut self) {
        let mut held = self.permits.held();
        if let Some(count) = held.get_mut(&self.owner) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.owner);
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
        assert!(permits.held().is_empty(), "callers without permits are forgotten");
        drop(permits.take(one).unwrap());
        permits.close();
        assert!(permits.take(one).is_err() && permits.is_closed());
    }
}
