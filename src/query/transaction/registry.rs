//! The registry of explicit transactions, which live from one request to the next.
//!
//! A transaction is bound to the identity and the database that it was opened with, and is used by one request at a
//! time. No caller has more than its share of the transactions that may be open.

use std::{
    sync::{Arc, Weak},
    time::{Duration, SystemTime},
};

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{
    guard::TransactionGuard,
    handle::{HandleStyle, TransactionHandle, TransactionSettings, decimal_handle, new_handle},
    listing::{OpenTransaction, TransactionId},
    permits::TransactionPermit,
    store::{IdleTransaction, Particulars, TransactionStore},
};
use crate::{
    auth::Identity,
    config::InstanceName,
    pool::Lease,
    query::{
        deadline::Deadline,
        error::Error,
        running::{RegisteredStatement, WeakStatement},
        statement::Options,
    },
    telemetry::observer::Observer,
};

/// All open transactions. Cheap to clone.
#[derive(Clone)]
pub(in crate::query) struct TransactionRegistry {
    store: Arc<TransactionStore>,
    /// The gateway's name among several, for the handles.
    instance: Option<Arc<InstanceName>>,
}

/// A permit for a transaction that is about to be opened.
pub(in crate::query) struct Reservation {
    store: Arc<TransactionStore>,
    instance: Option<Arc<InstanceName>>,
    permit: TransactionPermit,
    owner: Identity,
}

impl TransactionRegistry {
    /// Creates an empty registry, and the task that rolls back expired transactions. Handles say that `instance` has
    /// made them. Must be called inside a tokio runtime.
    pub(in crate::query) fn new(
        settings: TransactionSettings,
        instance: Option<InstanceName>,
        observer: Arc<dyn Observer>,
    ) -> Self {
        let store = Arc::new(TransactionStore::new(settings, Arc::clone(&observer)));
        tokio::spawn(reap(Arc::downgrade(&store), observer));
        Self { store, instance: instance.map(Arc::new) }
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
        let permit = self.store.permits.take(caller.owner())?;
        let (store, instance) = (Arc::clone(&self.store), self.instance.clone());
        Ok(Reservation { store, instance, permit, owner: caller.clone() })
    }

    /// Hands a transaction to a request of `caller`, for the statement `running` if there is one.
    ///
    /// # Errors
    /// When the transaction does not exist or belongs to another caller, was opened for another impersonated user than
    /// the handle names, or is in use by another request.
    pub(in crate::query) fn check_out(
        &self,
        handle: &TransactionHandle<'_>,
        caller: &Identity,
        running: Option<&RegisteredStatement>,
    ) -> Result<TransactionGuard, Error> {
        let running = running.map_or_else(WeakStatement::default, RegisteredStatement::downgrade);
        let (IdleTransaction { lease, permit, .. }, particulars) = self.store.take(handle, caller, running)?;
        Ok(TransactionGuard::new(Arc::clone(&self.store), handle.id.to_owned(), particulars, (lease, permit)))
    }

    /// Describes the open transactions for operators.
    pub(in crate::query) fn list(&self) -> Vec<OpenTransaction> {
        self.store.list()
    }

    /// Ends a transaction for an operator, without waiting for its end. Returns whether there is one.
    pub(in crate::query) fn end(&self, id: TransactionId) -> bool {
        self.store.end_for_operator(id)
    }

    /// Whether a transaction is open.
    pub(in crate::query) fn contains(&self, id: TransactionId) -> bool {
        self.store.contains(id)
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
    /// Registers the transaction that was opened on `lease`, for the statement `running` if there is one.
    ///
    /// # Errors
    /// When the operating system gives no random bytes for the handle.
    pub(in crate::query) fn open(
        self,
        lease: Lease,
        database: &str,
        options: &Options,
        (id, running): (TransactionId, WeakStatement),
    ) -> Result<TransactionGuard, Error> {
        let Self { store, instance, permit, owner } = self;
        let TransactionSettings { max_lifetime, grace, .. } = **store.settings.get();
        let opened = Instant::now();
        let particulars = Arc::new(Particulars {
            id,
            database: database.to_owned(),
            style: options.handle,
            impersonated_user: options.impersonated_user.clone(),
            since: SystemTime::now(),
            opened,
            deadline: Deadline::new(opened + max_lifetime, grace, &owner),
            owner,
            ended: CancellationToken::new(),
        });
        loop {
            let mut random = [0; 16];
            getrandom::fill(&mut random).map_err(|error| Error::no_randomness(&error))?;
            let random = u128::from_be_bytes(random);
            let handle = match options.handle {
                HandleStyle::Opaque => new_handle(instance.as_deref(), random),
                HandleStyle::Decimal => decimal_handle(instance.as_deref(), random),
            };
            // Decimal handles are few enough to meet by chance.
            if store.insert(&handle, &particulars, &running) {
                return Ok(TransactionGuard::new(store, handle, particulars, (lease, permit)));
            }
        }
    }
}

/// Rolls back transactions that have expired.
async fn reap(store: Weak<TransactionStore>, observer: Arc<dyn Observer>) {
    loop {
        let Some(store) = store.upgrade() else {
            return;
        };
        let expired = store.end_expired();
        if expired > 0 {
            observer.transactions_expired(expired);
        }
        let every = (store.settings.get().idle_timeout / 4).clamp(Duration::from_millis(50), Duration::from_secs(5));
        drop(store);
        sleep(every).await;
    }
}
