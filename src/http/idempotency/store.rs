//! The answers that are kept, shared by all requests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use super::{
    Kept, Refused, Settings,
    key::{Fingerprint, Key},
    ledger::{Found, Id, Ledger},
};
use crate::auth::IdentityKey;

/// All keys and their answers. Cheap to clone.
#[derive(Clone)]
pub(in crate::http) struct Store {
    settings: Settings,
    ledger: Arc<Mutex<Ledger>>,
    /// Work that is under way, whether anybody waits for it or not.
    work: TaskTracker,
}

/// What has become of a key that was asked for.
pub(super) enum Claimed {
    /// It is new, and the caller's to fill.
    First(Claim),
    /// Its answer.
    Again(Arc<Kept>),
}

/// The only right to carry out the request of a key. One that is dropped leaves it unknown what has become of it.
pub(super) struct Claim {
    store: Store,
    id: Option<Id>,
}

impl Store {
    /// Nothing is kept yet. All work is counted by `work`, so that it can be waited for.
    pub(in crate::http) fn new(settings: Settings, work: TaskTracker) -> Self {
        Self { settings, ledger: Arc::new(Mutex::new(Ledger::new(settings))), work }
    }

    /// Carries `work` out to its end.
    pub(super) fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.work.spawn(work)
    }

    /// Where the rows of an answer have to stop, in bytes.
    pub(in crate::http) fn max_answer(&self) -> usize {
        self.settings.max_answer
    }

    /// What is known of `owner`'s `key`.
    ///
    /// # Errors
    /// [`Refused`].
    pub(super) fn claim(&self, owner: IdentityKey, key: Key, fingerprint: Fingerprint) -> Result<Claimed, Refused> {
        let id = Id { owner, key };
        match self.ledger().find_or_begin(&id, fingerprint)? {
            Found::Kept(kept) => Ok(Claimed::Again(kept)),
            Found::Nothing => Ok(Claimed::First(Claim { store: self.clone(), id: Some(id) })),
        }
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // The ledger is whole after every call, so a panic elsewhere leaves nothing half done.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claim {
    pub(super) fn max_answer(&self) -> usize {
        self.store.max_answer()
    }

    /// Keeps the answer, if there is one; false when only the key is kept, since there is none or no room for it.
    pub(super) fn end(mut self, kept: Option<Kept>) -> bool {
        self.id.take().is_some_and(|id| self.store.ledger().end(id, kept))
    }

    /// Lets the key be used again, as if it never had been.
    pub(super) fn forget(mut self) {
        if let Some(id) = self.id.take() {
            self.store.ledger().forget(&id);
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            tracing::error!("a request with an Idempotency-Key was lost; whether it took effect is not known");
            self.store.ledger().end(id, None);
        }
    }
}
