//! Explicit transactions: handles that live from one request to the next.
//!
//! A handle is bound to the identity and the database that opened it, and is used by one request at a time. A
//! request that ends without [`Guard::keep`] ends its transaction: the wire goes to the pool's cleaners, which roll
//! it back.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, SystemTime},
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, interval},
};

use super::{deadline::Deadline, error::Error, statement::Options};
use crate::{
    auth::{Identity, IdentityKey},
    pool::Lease,
};

/// How long and how many.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Most transactions open at a time.
    pub max: usize,
    /// A transaction that no request has used for so long is rolled back.
    pub idle_timeout: Duration,
    /// A transaction this old is rolled back.
    pub max_lifetime: Duration,
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
pub struct Handle<'a> {
    /// As at its beginning.
    pub database: &'a str,
    /// See [`Transaction::id`].
    pub id: &'a str,
    /// The user as whom it was opened, if the request names one.
    pub impersonated_user: Option<&'a str>,
}

impl<'a> Handle<'a> {
    /// The transaction `id` on `database`.
    #[must_use]
    pub fn new(database: &'a str, id: &'a str, impersonated_user: Option<&'a str>) -> Self {
        Self { database, id, impersonated_user }
    }
}

/// All open transactions.
#[derive(Clone)]
pub(super) struct Transactions {
    shared: Arc<Shared>,
}

struct Shared {
    settings: Settings,
    permits: Arc<Semaphore>,
    entries: Mutex<HashMap<String, Entry>>,
}

struct Entry {
    owner: IdentityKey,
    database: String,
    impersonated_user: Option<String>,
    state: State,
}

enum State {
    Idle(Open),
    Busy,
}

/// What belongs to an open transaction wherever it is.
struct Open {
    lease: Lease,
    born: Instant,
    expires: Instant,
    /// The place under the cap.
    permit: OwnedSemaphorePermit,
}

/// A transaction in the hands of a request.
pub(super) struct Guard {
    shared: Arc<Shared>,
    id: String,
    /// `None` once it was kept or finished.
    open: Option<(Lease, OwnedSemaphorePermit)>,
    born: Instant,
    deadline: Deadline,
}

/// A place under the cap, taken before the transaction is opened.
pub(super) struct Reservation {
    shared: Arc<Shared>,
    permit: OwnedSemaphorePermit,
}

impl Transactions {
    /// None yet. Call it inside a tokio runtime.
    pub(super) fn new(settings: Settings) -> Self {
        let shared = Arc::new(Shared {
            settings,
            permits: Arc::new(Semaphore::new(settings.max)),
            entries: Mutex::new(HashMap::new()),
        });
        let tick = (settings.idle_timeout / 4).clamp(Duration::from_millis(50), Duration::from_secs(5));
        tokio::spawn(reap(Arc::downgrade(&shared), tick));
        Self { shared }
    }

    /// Takes a place for one more transaction.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn reserve(&self) -> Result<Reservation, Error> {
        let permit = Arc::clone(&self.shared.permits)
            .try_acquire_owned()
            .map_err(|_| Error::too_many_transactions(self.shared.settings.max))?;
        Ok(Reservation { shared: Arc::clone(&self.shared), permit })
    }

    /// Hands a transaction to a request of `caller`.
    ///
    /// # Errors
    /// Not found, also when it is somebody else's; opened as another user than is named; or in use by another request.
    pub(super) fn check_out(&self, handle: &Handle<'_>, caller: &Identity) -> Result<Guard, Error> {
        let Handle { database, id, impersonated_user: named } = *handle;
        let mut entries = self.shared.entries();
        let entry = entries
            .get_mut(id)
            .filter(|entry| entry.owner == caller.owner() && entry.database == database)
            .ok_or_else(|| Error::transaction_not_found(id))?;
        if named.is_some() && named != entry.impersonated_user.as_deref() {
            return Err(Error::bad_request("the transaction was opened as another user than this request names"));
        }
        match std::mem::replace(&mut entry.state, State::Busy) {
            State::Busy => Err(Error::transaction_busy()),
            State::Idle(open) if open.expires <= Instant::now() => {
                entries.remove(id);
                Err(Error::transaction_not_found(id))
            }
            State::Idle(Open { lease, born, permit, .. }) => {
                let deadline = Deadline::new(born + self.shared.settings.max_lifetime, caller);
                let shared = Arc::clone(&self.shared);
                Ok(Guard { shared, id: id.to_owned(), open: Some((lease, permit)), born, deadline })
            }
        }
    }

    /// How many are open.
    pub(super) fn count(&self) -> usize {
        self.shared.entries().len()
    }

    /// Opens no more, and rolls back all that no request is using.
    pub(super) fn close(&self) {
        self.shared.permits.close();
        self.shared.entries().retain(|_, entry| matches!(entry.state, State::Busy));
    }
}

impl Reservation {
    /// Makes a handle for the transaction that was opened on `lease`.
    ///
    /// # Errors
    /// When the system has no random numbers to give.
    pub(super) fn open(
        self,
        lease: Lease,
        owner: &Identity,
        database: &str,
        options: &Options,
    ) -> Result<Guard, Error> {
        let Self { shared, permit } = self;
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| {
            Error::new(super::Kind::Unavailable, "Neo.DatabaseError.General.UnknownError", error.to_string())
        })?;
        let id = format!("{:032x}", u128::from_be_bytes(random));
        let entry = Entry {
            owner: owner.owner(),
            database: database.to_owned(),
            impersonated_user: options.impersonated_user.clone(),
            state: State::Busy,
        };
        shared.entries().insert(id.clone(), entry);
        let deadline = Deadline::after(shared.settings.max_lifetime, owner);
        Ok(Guard { shared, id, open: Some((lease, permit)), born: Instant::now(), deadline })
    }
}

impl Guard {
    /// The wire that the transaction lives on.
    // Only `keep`, `finish` and `drop` take it, and each of them ends the guard.
    #[expect(clippy::expect_used, reason = "a guard holds its wire until it ends")]
    pub(super) fn lease(&mut self) -> &mut Lease {
        &mut self.open.as_mut().expect("a guard holds its wire until it ends").0
    }

    /// When the transaction ends whatever happens.
    pub(super) fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Leaves the transaction open for a later request.
    pub(super) fn keep(mut self) -> Transaction {
        let now = Instant::now();
        let expires = (now + self.shared.settings.idle_timeout).min(self.deadline.at());
        let transaction = Transaction { id: self.id.clone(), expires: SystemTime::now() + (expires - now) };
        if let Some((lease, permit)) = self.open.take() {
            let mut entries = self.shared.entries();
            // A wire that is not where a transaction waits for its next statement is for the cleaners.
            if self.shared.permits.is_closed() || !lease.is_between_statements() {
                entries.remove(&self.id);
            } else if let Some(entry) = entries.get_mut(&self.id) {
                entry.state = State::Idle(Open { lease, born: self.born, expires, permit });
            }
        }
        transaction
    }

    /// Ends the handle and gives the wire, on which the transaction is over.
    pub(super) fn finish(mut self) -> Option<Lease> {
        self.shared.entries().remove(&self.id);
        self.open.take().map(|(lease, _)| lease)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.open.is_some() {
            self.shared.entries().remove(&self.id);
        }
    }
}

impl Shared {
    fn entries(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        // The map is whole after every statement, so a panic elsewhere leaves nothing half done.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
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
        let expired: Vec<Entry> = {
            let mut entries = shared.entries();
            let over = |_: &String, entry: &mut Entry| matches!(&entry.state, State::Idle(open) if open.expires <= now);
            entries.extract_if(over).map(|(_, entry)| entry).collect()
        };
        if !expired.is_empty() {
            tracing::info!(transactions = expired.len(), "rolled back transactions that were idle for too long");
        }
    }
}
