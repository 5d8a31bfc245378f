//! Explicit transactions: handles that live from one request to the next.
//!
//! A handle is bound to the identity and the database that opened it, and is used by one request at a time. A
//! request that ends without [`TransactionGuard::keep`] ends its transaction: the wire goes to the pool's cleaners, which roll
//! it back. No caller holds more than its share of all that may be open.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, SystemTime},
};

use tokio::time::{Instant, interval};

use super::{
    permits::{TransactionPermit, TransactionPermits},
    tombstones::{RollbackCause, Tombstones},
};
use crate::{
    auth::{Identity, IdentityKey},
    pool::Lease,
    query::{
        deadline::Deadline,
        error::{Error, Kind},
        statement::Options,
    },
};

/// How long and how many.
#[derive(Debug, Clone, Copy)]
pub struct TransactionSettings {
    /// Most transactions open at a time.
    pub max: usize,
    /// Most of one caller.
    pub share: usize,
    /// A transaction that no request has used for so long is rolled back.
    pub idle_timeout: Duration,
    /// A transaction this old is rolled back.
    pub max_lifetime: Duration,
    /// How long the database may take to end what it was told to end.
    pub grace: Duration,
}

/// An open transaction, as its owner is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// The handle: 32 hexadecimal digits.
    pub id: String,
    /// When it will be rolled back unless it is used again.
    pub expires: SystemTime,
}

/// How a request names an open transaction.
#[derive(Debug, Clone, Copy)]
pub struct TransactionHandle<'a> {
    /// As at its beginning.
    pub database: &'a str,
    /// See [`Transaction::id`].
    pub id: &'a str,
    /// The user as whom it was opened, if the request names one.
    pub impersonated_user: Option<&'a str>,
}

impl<'a> TransactionHandle<'a> {
    /// The transaction `id` on `database`.
    #[must_use]
    pub fn new(database: &'a str, id: &'a str, impersonated_user: Option<&'a str>) -> Self {
        Self { database, id, impersonated_user }
    }
}

/// All open transactions.
#[derive(Clone)]
pub(in crate::query) struct TransactionRegistry {
    shared: Arc<Shared>,
}

struct Shared {
    settings: TransactionSettings,
    permits: TransactionPermits,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    entries: HashMap<String, Entry>,
    tombstones: Tombstones,
}

struct Entry {
    owner: IdentityKey,
    database: String,
    impersonated_user: Option<String>,
    /// `None` while a request uses it.
    idle: Option<OpenTransaction>,
}

/// What belongs to an open transaction wherever it is.
struct OpenTransaction {
    lease: Lease,
    opened: Instant,
    expires: Instant,
    permit: TransactionPermit,
}

/// A transaction in the hands of a request.
pub(in crate::query) struct TransactionGuard {
    shared: Arc<Shared>,
    id: String,
    /// `None` once it was kept or finished.
    open: Option<(Lease, TransactionPermit)>,
    opened: Instant,
    deadline: Deadline,
}

/// What is taken before the transaction is opened.
pub(in crate::query) struct Reservation {
    shared: Arc<Shared>,
    permit: TransactionPermit,
}

impl TransactionRegistry {
    /// None yet. Call it inside a tokio runtime.
    pub(in crate::query) fn new(settings: TransactionSettings) -> Self {
        let shared = Arc::new(Shared {
            settings,
            permits: TransactionPermits::new(settings.max, settings.share),
            state: Mutex::default(),
        });
        let tick = (settings.idle_timeout / 4).clamp(Duration::from_millis(50), Duration::from_secs(5));
        tokio::spawn(reap(Arc::downgrade(&shared), tick));
        Self { shared }
    }

    /// Takes a permit for one more transaction of `caller`.
    ///
    /// # Errors
    /// When there is none.
    pub(in crate::query) fn reserve(&self, caller: &Identity) -> Result<Reservation, Error> {
        Ok(Reservation { shared: Arc::clone(&self.shared), permit: self.shared.permits.take(caller.owner())? })
    }

    /// Hands a transaction to a request of `caller`.
    ///
    /// # Errors
    /// Not found, also when it is somebody else's; opened as another user than is named; or in use by another request.
    pub(in crate::query) fn check_out(
        &self,
        handle: &TransactionHandle<'_>,
        caller: &Identity,
    ) -> Result<TransactionGuard, Error> {
        let TransactionHandle { database, id, impersonated_user: named } = *handle;
        let mut state = self.shared.state();
        let State { entries, tombstones } = &mut *state;
        let mine = entries.get_mut(id).filter(|entry| entry.owner == caller.owner() && entry.database == database);
        let Some(entry) = mine else {
            let cause = tombstones.cause(id, caller.owner(), database);
            return Err(self.shared.not_found(id, cause));
        };
        if named.is_some() && named != entry.impersonated_user.as_deref() {
            return Err(Error::bad_request("the transaction was opened as another user than this request names"));
        }
        match entry.idle.take() {
            None => Err(Error::transaction_busy()),
            Some(open) if open.expires <= Instant::now() => {
                let cause = self.shared.cause(&open);
                state.remove_with_cause(id, cause);
                Err(self.shared.not_found(id, Some(cause)))
            }
            Some(OpenTransaction { lease, opened, permit, .. }) => {
                let TransactionSettings { max_lifetime, grace, .. } = self.shared.settings;
                let deadline = Deadline::new(opened + max_lifetime, grace, caller);
                let shared = Arc::clone(&self.shared);
                Ok(TransactionGuard { shared, id: id.to_owned(), open: Some((lease, permit)), opened, deadline })
            }
        }
    }

    /// How many are open.
    pub(in crate::query) fn count(&self) -> usize {
        self.shared.state().entries.len()
    }

    /// Opens no more, and rolls back all that no request is using.
    pub(in crate::query) fn close(&self) {
        self.shared.permits.close();
        self.shared.state().entries.retain(|_, entry| entry.idle.is_none());
    }
}

impl Reservation {
    /// Makes a handle for the transaction that was opened on `lease`.
    ///
    /// # Errors
    /// When the system has no random numbers to give.
    pub(in crate::query) fn open(
        self,
        lease: Lease,
        owner: &Identity,
        database: &str,
        options: &Options,
    ) -> Result<TransactionGuard, Error> {
        let Self { shared, permit } = self;
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| {
            Error::new(Kind::Unavailable, "Neo.DatabaseError.General.UnknownError", error.to_string())
        })?;
        let id = format!("{:032x}", u128::from_be_bytes(random));
        let entry = Entry {
            owner: owner.owner(),
            database: database.to_owned(),
            impersonated_user: options.impersonated_user.clone(),
            idle: None,
        };
        shared.state().entries.insert(id.clone(), entry);
        let TransactionSettings { max_lifetime, grace, .. } = shared.settings;
        let deadline = Deadline::new(Instant::now() + max_lifetime, grace, owner);
        Ok(TransactionGuard { shared, id, open: Some((lease, permit)), opened: Instant::now(), deadline })
    }
}

impl TransactionGuard {
    /// The handle.
    pub(in crate::query) fn id(&self) -> &str {
        &self.id
    }

    /// The wire that the transaction lives on.
    // Only `keep`, `finish` and `drop` take it, and each of them ends the guard.
    #[expect(clippy::expect_used, reason = "a guard holds its wire until it ends")]
    pub(in crate::query) fn lease(&mut self) -> &mut Lease {
        &mut self.open.as_mut().expect("a guard holds its wire until it ends").0
    }

    /// When the transaction ends whatever happens.
    pub(in crate::query) fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Leaves the transaction open for a later request.
    pub(in crate::query) fn keep(mut self) -> Transaction {
        let now = Instant::now();
        let expires = (now + self.shared.settings.idle_timeout).min(self.deadline.at());
        let transaction = Transaction { id: self.id.clone(), expires: SystemTime::now() + (expires - now) };
        if let Some((lease, permit)) = self.open.take() {
            let entries = &mut self.shared.state().entries;
            // A wire that is not where a transaction waits for its next statement is for the cleaners.
            if self.shared.permits.is_closed() || !lease.is_between_statements() {
                entries.remove(&self.id);
            } else if let Some(entry) = entries.get_mut(&self.id) {
                entry.idle = Some(OpenTransaction { lease, opened: self.opened, expires, permit });
            }
        }
        transaction
    }

    /// Ends the transaction, since the database or the connection has. Its owner is told so at once.
    pub(in crate::query) fn fail(self) {
        drop(self.finish());
    }

    /// Ends the handle and gives the wire, on which the transaction is over.
    pub(in crate::query) fn finish(mut self) -> Option<Lease> {
        self.shared.state().entries.remove(&self.id);
        self.open.take().map(|(lease, _)| lease)
    }
}

impl Drop for TransactionGuard {
    fn drop(&mut self) {
        if self.open.is_some() {
            self.shared.state().remove_with_cause(&self.id, RollbackCause::Abandoned);
        }
    }
}

impl State {
    /// Forgets a transaction, save why it is gone.
    fn remove_with_cause(&mut self, id: &str, cause: RollbackCause) {
        if let Some((id, entry)) = self.entries.remove_entry(id) {
            self.tombstones.add(id, entry.owner, entry.database, cause);
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // The maps are whole after every statement, so a panic elsewhere leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why a transaction that nobody uses is over.
    fn cause(&self, open: &OpenTransaction) -> RollbackCause {
        if open.opened + self.settings.max_lifetime <= open.expires { RollbackCause::Old } else { RollbackCause::Idle }
    }

    /// What is said of a transaction that is not there.
    fn not_found(&self, id: &str, cause: Option<RollbackCause>) -> Error {
        let TransactionSettings { idle_timeout, max_lifetime, .. } = self.settings;
        let because = match cause {
            None => return Error::transaction_not_found(id),
            Some(RollbackCause::Idle) => {
                format!("no request had used it for {idle_timeout:?} (transactions.idle_timeout)")
            }
            Some(RollbackCause::Old) => format!("it was older than {max_lifetime:?} (transactions.max_lifetime)"),
            Some(RollbackCause::Abandoned) => {
                "the request that was using it was broken off: its client went away, its time was \
                                       over, or it was cancelled"
                    .to_owned()
            }
        };
        Error::transaction_rolled_back(id, &because)
    }
}

/// Rolls back what has expired.
async fn reap(shared: Weak<Shared>, every: Duration) {
    let mut ticks = interval(every);
    loop {
        ticks.tick().await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        let now = Instant::now();
        let expired = {
            let mut state = shared.state();
            let State { entries, tombstones } = &mut *state;
            let over = |_: &String, entry: &mut Entry| entry.idle.as_ref().is_some_and(|open| open.expires <= now);
            let mut expired = Vec::new();
            for (id, Entry { owner, database, idle, .. }) in entries.extract_if(over) {
                if let Some(open) = idle {
                    tombstones.add(id, owner, database, shared.cause(&open));
                    expired.push(open);
                }
            }
            expired
        };
        if !expired.is_empty() {
            tracing::info!(
                transactions = expired.len(),
                "rolled back transactions that were idle or open for too long"
            );
        }
    }
}
