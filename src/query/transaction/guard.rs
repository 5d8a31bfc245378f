//! A transaction while a request uses it.

use std::{sync::Arc, time::SystemTime};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    handle::Transaction,
    listing::TransactionId,
    permits::TransactionPermit,
    store::{IdleTransaction, Particulars, TransactionStore},
};
use crate::{pool::Lease, query::deadline::Deadline, telemetry::observer::TransactionOutcome};

/// A transaction that a request is using. A guard that is dropped before [`TransactionGuard::keep`] or
/// [`TransactionGuard::finish`] ends the transaction: its connection goes to the pool's cleaners, which roll it back.
pub(in crate::query) struct TransactionGuard {
    store: Arc<TransactionStore>,
    handle: String,
    particulars: Arc<Particulars>,
    /// `None` once the transaction was kept or finished.
    open: Option<(Lease, TransactionPermit)>,
}

impl TransactionGuard {
    pub(super) fn new(
        store: Arc<TransactionStore>,
        handle: String,
        particulars: Arc<Particulars>,
        (lease, permit): (Lease, TransactionPermit),
    ) -> Self {
        Self { store, handle, particulars, open: Some((lease, permit)) }
    }

    /// The handle.
    pub(in crate::query) fn handle(&self) -> &str {
        &self.handle
    }

    /// Names the transaction for operators.
    pub(in crate::query) fn id(&self) -> TransactionId {
        self.particulars.id
    }

    /// The connection that the transaction lives on.
    // Only `keep`, `finish` and `drop` take the connection, and each of them ends the guard.
    #[expect(clippy::expect_used, reason = "a guard holds its connection until it ends")]
    pub(in crate::query) fn lease(&mut self) -> &mut Lease {
        &mut self.open.as_mut().expect("a guard holds its connection until it ends").0
    }

    /// The time at which the transaction ends, whatever happens.
    pub(in crate::query) fn deadline(&self) -> Deadline {
        self.particulars.deadline
    }

    /// Cancelled when an operator ends the transaction.
    pub(super) fn ended(&self) -> CancellationToken {
        self.particulars.ended.clone()
    }

    /// Leaves the transaction open for a later request.
    pub(in crate::query) fn keep(mut self) -> Transaction {
        let now = Instant::now();
        let expires = (now + self.store.settings.get().idle_timeout).min(self.deadline().at());
        let transaction = Transaction {
            id: self.handle.clone(),
            expires: SystemTime::now() + expires.saturating_duration_since(now),
        };
        if let Some((lease, permit)) = self.open.take() {
            self.store.put_back(&self.handle, IdleTransaction { lease, permit, expires });
        }
        transaction
    }

    /// Ends the handle of a transaction that has failed, of which the caller learns from the error.
    pub(in crate::query) fn fail(self) {
        self.finish(None);
    }

    /// Ends the handle of a transaction whose end its owner knows of. `confirmed` is how the database says that it
    /// ended; `None` if it failed, or if the database does not say.
    pub(in crate::query) fn finish(mut self, confirmed: Option<TransactionOutcome>) {
        let Some((lease, permit)) = self.open.take() else { return };
        let outcome = confirmed.unwrap_or_else(|| self.particulars.failure(&lease));
        // The connection first: when the transaction is no longer listed, its connection is being cleaned already.
        drop((lease, permit));
        self.store.end(&self.handle, outcome, None);
    }
}

impl Drop for TransactionGuard {
    fn drop(&mut self) {
        if let Some((lease, permit)) = self.open.take() {
            drop((lease, permit));
            self.store.abandon(&self.handle);
        }
    }
}
