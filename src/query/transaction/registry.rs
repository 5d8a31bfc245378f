//! The registry of explicit transactions, which live from one request to the next.
//!
//! A transaction is bound to the identity and the database that it was opened with, and is used by one request at a
//! time. No caller has more than its share of the transactions that may be open.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use super::{
    guard::TransactionGuard,
    handle::{TransactionHandle, TransactionSettings},
    permits::TransactionPermit,
    store::{IdleTransaction, TransactionStore},
};
use crate::{
    auth::Identity,
    pool::Lease,
    query::{error::Error, statement::Options},
    telemetry::observer::Observer,
};

/// All open transactions. Cheap to clone.
#[derive(Clone)]
pub(in crate::query) struct TransactionRegistry {
    store: Arc<TransactionStore>,
}

/// A permit for a transaction that is about to be opened.
pub(in crate::query) struct Reservation {
    store: Arc<TransactionStore>,
    permit: TransactionPermit,
}

impl TransactionRegistry {
    /// Creates an empty registry, and the task that rolls back expired transactions. Must be called inside a tokio
    /// runtime.
    pub(in crate::query) fn new(settings: TransactionSettings, observer: Arc<dyn Observer>) -> Self {
        let store = Arc::new(TransactionStore::new(settings));
        tokio::spawn(reap(Arc::downgrade(&store), observer));
        Self { store }
    }

    /// Changes the limits. Transactions that are open already may stay open, even if there are too many.
    pub(in crate::query) fn set_limits(&self, settings: TransactionSettings) {
        self.store.set_limits(settings);
    }

    /// Takes a permit for one more transaction of `caller`.
    ///
    /// # Errors
    /// When all permits, or all that the caller may hold, are taken.
    pub(in crate::query) fn reserve(&self, caller: &Identity) -> Result<Reservation, Error> {
        Ok(Reservation { store: Arc::clone(&self.store), permit: self.store.permits.take(caller.owner())? })
    }

    /// Hands a transaction to a request of `caller`.
    ///
    /// # Errors
    /// When the transaction does not exist or belongs to another caller, was opened for another impersonated user than
    /// the handle names, or is in use by another request.
    pub(in crate::query) fn check_out(
        &self,
        handle: &TransactionHandle<'_>,
        caller: &Identity,
    ) -> Result<TransactionGuard, Error> {
        let IdleTransaction { lease, permit, opened, .. } = self.store.take(handle, caller)?;
        Ok(TransactionGuard::new(Arc::clone(&self.store), handle.id.to_owned(), caller, opened, lease, permit))
    }

    /// The number of open transactions.
    pub(in crate::query) fn count(&self) -> usize {
        self.store.count()
    }

    /// Opens no more transactions, and rolls back those that no request is using.
    pub(in crate::query) fn close(&self) {
        self.store.close();
    }
}

impl Reservation {
    /// Registers the transaction that was opened on `lease`.
    ///
    /// # Errors
    /// When the operating system gives no random bytes for the handle.
    pub(in crate::query) fn open(
        self,
        lease: Lease,
        owner: &Identity,
        database: &str,
        options: &Options,
    ) -> Result<TransactionGuard, Error> {
        let Self { store, permit } = self;
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| Error::no_randomness(&error))?;
        let id = format!("{:032x}", u128::from_be_bytes(random));
        store.insert(id.clone(), owner.owner(), database, options.impersonated_user.clone());
        Ok(TransactionGuard::new(store, id, owner, Instant::now(), lease, permit))
    }
}

/// Rolls back transactions that have expired.
async fn reap(store: Weak<TransactionStore>, observer: Arc<dyn Observer>) {
    while let Some(store) = store.upgrade() {
        let expired = store.take_expired();
        if !expired.is_empty() {
            observer.transactions_expired(expired.len());
        }
        let idle_timeout = store.settings.get().idle_timeout;
        drop((expired, store));
        sleep((idle_timeout / 4).clamp(Duration::from_millis(50), Duration::from_secs(5))).await;
    }
}
