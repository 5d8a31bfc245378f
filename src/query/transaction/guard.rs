//! A transaction while a request uses it.

use std::{sync::Arc, time::SystemTime};

use tokio::time::Instant;

use super::{
    handle::{Transaction, TransactionSettings},
    permits::TransactionPermit,
    store::{IdleTransaction, TransactionStore},
};
use crate::{auth::Identity, pool::Lease, query::deadline::Deadline};

/// A transaction that a request is using. A guard that is dropped before [`TransactionGuard::keep`] or
/// [`TransactionGuard::finish`] ends the transaction: its connection goes to the pool's cleaners, which roll it back.
pub(in crate::query) struct TransactionGuard {
    store: Arc<TransactionStore>,
    id: String,
    /// `None` once the transaction was kept or finished.
    open: Option<(Lease, TransactionPermit)>,
    opened: Instant,
    deadline: Deadline,
}

impl TransactionGuard {
    pub(super) fn new(
        store: Arc<TransactionStore>,
        id: String,
        caller: &Identity,
        opened: Instant,
        lease: Lease,
        permit: TransactionPermit,
    ) -> Self {
        let TransactionSettings { max_lifetime, grace, .. } = **store.settings.get();
        let deadline = Deadline::new(opened + max_lifetime, grace, caller);
        Self { store, id, open: Some((lease, permit)), opened, deadline }
    }

    /// The handle.
    pub(in crate::query) fn id(&self) -> &str {
        &self.id
    }

    /// The connection that the transaction lives on.
    // Only `keep`, `finish` and `drop` take the connection, and each of them ends the guard.
    #[expect(clippy::expect_used, reason = "a guard holds its connection until it ends")]
    pub(in crate::query) fn lease(&mut self) -> &mut Lease {
        &mut self.open.as_mut().expect("a guard holds its connection until it ends").0
    }

    /// The time at which the transaction ends, whatever happens.
    pub(in crate::query) fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Leaves the transaction open for a later request.
    pub(in crate::query) fn keep(mut self) -> Transaction {
        let now = Instant::now();
        let expires = (now + self.store.settings.get().idle_timeout).min(self.deadline.at());
        let transaction = Transaction { id: self.id.clone(), expires: SystemTime::now() + (expires - now) };
        if let Some((lease, permit)) = self.open.take() {
            self.store.put_back(&self.id, IdleTransaction { lease, permit, opened: self.opened, expires });
        }
        transaction
    }

    /// Ends the handle of a transaction that has failed, of which the caller learns from the error.
    pub(in crate::query) fn fail(self) {
        drop(self.finish());
    }

    /// Ends the handle and returns the connection, on which the transaction has completed.
    pub(in crate::query) fn finish(mut self) -> Option<Lease> {
        self.store.remove(&self.id);
        self.open.take().map(|(lease, _)| lease)
    }
}

impl Drop for TransactionGuard {
    fn drop(&mut self) {
        if self.open.is_some() {
            self.store.abandon(&self.id);
        }
    }
}
