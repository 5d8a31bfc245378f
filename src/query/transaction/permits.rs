//! How many transactions may be open: in all, and of one caller.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    auth::{ByIdentity, IdentityKey},
    query::error::Error,
};

/// All permits. Cheap to clone.
#[derive(Clone)]
pub(super) struct TransactionPermits {
    max: usize,
    share: usize,
    permits: Arc<Semaphore>,
    /// How many each caller holds.
    held: Arc<Mutex<ByIdentity<usize>>>,
}

/// A permit, for as long as this lives.
pub(super) struct TransactionPermit {
    permits: TransactionPermits,
    owner: IdentityKey,
    _permit: OwnedSemaphorePermit,
}

impl TransactionPermits {
    /// `max` in all, and `share` of them for one caller.
    pub(super) fn new(max: usize, share: usize) -> Self {
        Self { max, share, permits: Arc::new(Semaphore::new(max)), held: Arc::default() }
    }

    /// Takes one for `owner`.
    ///
    /// # Errors
    /// When there is none left, or none for this caller.
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

    /// Gives no more.
    pub(super) fn close(&self) {
        self.permits.close();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.permits.is_closed()
    }

    fn held(&self) -> MutexGuard<'_, ByIdentity<usize>> {
        // The map is whole after every statement, so a panic elsewhere leaves nothing half done.
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
    fn one_caller_leaves_some_to_others() {
        let (one, other) = (IdentityKey::numbered(1), IdentityKey::numbered(2));
        let permits = TransactionPermits::new(3, 2);
        let held = [permits.take(one).unwrap(), permits.take(one).unwrap()];
        assert_eq!(permits.take(one).err(), Some(Error::too_many_of_one_caller(2)));
        let others = permits.take(other).unwrap();
        assert_eq!(permits.take(other).err(), Some(Error::too_many_transactions(3)));
        drop((held, others));
        assert!(permits.held().is_empty(), "nobody is remembered");
        drop(permits.take(one).unwrap());
        permits.close();
        assert!(permits.take(one).is_err() && permits.is_closed());
    }
}
