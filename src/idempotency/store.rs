//! The stored answers, shared by all requests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use super::{
    AFTER_ROWS, Answer, Refused, Settings,
    key::{Fingerprint, Key},
    ledger::{Found, Id, Ledger},
};
use crate::{auth::IdentityKey, telemetry::observer::Observer};

/// All keys and their answers. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    settings: Settings,
    ledger: Arc<Mutex<Ledger>>,
    /// Work in progress, whether its client still waits or not.
    work: TaskTracker,
    /// Learns of repeated requests, and of the room that is taken.
    observer: Arc<dyn Observer>,
}

/// The result of a claim to a key.
pub(super) enum Claimed {
    /// The key is new: the request is to be carried out.
    First(Claim),
    /// The request was sent before; this was its answer.
    Again(Arc<Answer>),
}

/// The exclusive right to carry out the request of a key. Dropping it unused means that the outcome is not known.
pub(super) struct Claim {
    store: Store,
    id: Option<Id>,
}

impl Store {
    /// An empty store that reports to `observer`. All work is counted by `work`, so that it can be waited for.
    #[must_use]
    pub fn new(settings: Settings, work: TaskTracker, observer: Arc<dyn Observer>) -> Self {
        Self { settings, ledger: Arc::new(Mutex::new(Ledger::new(settings))), work, observer }
    }

    /// Runs `work` to its end, even if its caller no longer waits.
    pub(super) fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.work.spawn(work)
    }

    /// Where the rows of an answer have to stop, in bytes.
    #[must_use]
    pub fn max_answer(&self) -> usize {
        self.settings.max_answer
    }

    /// The longest answer that is stored, in bytes: its rows, and what follows them.
    #[must_use]
    pub fn longest(&self) -> usize {
        self.max_answer().saturating_add(AFTER_ROWS)
    }

    /// Claims `owner`'s `key` for a request.
    ///
    /// # Errors
    /// [`Refused`] when the key cannot be used.
    pub(super) fn claim(&self, owner: IdentityKey, key: Key, fingerprint: Fingerprint) -> Result<Claimed, Refused> {
        let id = Id { owner, key };
        match self.change(|ledger| ledger.find_or_begin(&id, fingerprint))? {
            Found::Stored(answer) => {
                self.observer.answer_replayed();
                Ok(Claimed::Again(answer))
            }
            Found::Nothing => Ok(Claimed::First(Claim { store: self.clone(), id: Some(id) })),
        }
    }

    /// Changes the ledger, and reports the room that is taken then.
    fn change<T>(&self, change: impl FnOnce(&mut Ledger) -> T) -> T {
        let mut ledger = self.ledger();
        let changed = change(&mut ledger);
        // While it is locked: the newest report must be the last.
        self.observer.answers_kept(ledger.taken() as u64);
        changed
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // Every call leaves the ledger consistent, so a panic elsewhere does no harm.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claim {
    /// Stores the answer. Returns `false` if there was no room for it, so that only the key was stored.
    pub(super) fn store(mut self, answer: &Arc<Answer>) -> bool {
        self.id.take().is_some_and(|id| self.store.change(|ledger| ledger.end(id, Some(answer))))
    }

    /// Stores the key alone: whether its request took effect is not known.
    pub(super) fn lose(mut self) {
        if let Some(id) = self.id.take() {
            self.store.change(|ledger| ledger.end(id, None));
        }
    }

    /// Releases the key, as if it had never been used.
    pub(super) fn forget(mut self) {
        if let Some(id) = self.id.take() {
            self.store.change(|ledger| ledger.forget(&id));
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            tracing::error!("a request with an Idempotency-Key was lost; whether it took effect is not known");
            self.store.change(|ledger| ledger.end(id, None));
        }
    }
}
