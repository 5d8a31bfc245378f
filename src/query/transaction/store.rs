//! The open transactions of all callers, and the permits that bound their number.
//!
//! Knows who owns a transaction and whether a request is using it. The entry of a transaction stays while a request
//! uses it, so that other requests learn that it is busy.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::time::Instant;

use super::{
    handle::{TransactionHandle, TransactionSettings},
    permits::{TransactionPermit, TransactionPermits},
    tombstones::{RollbackCause, Tombstones},
};
use crate::{
    auth::{Identity, IdentityKey},
    live::Live,
    pool::Lease,
    query::error::Error,
};

/// The open transactions.
pub(super) struct TransactionStore {
    pub(super) settings: Live<TransactionSettings>,
    pub(super) permits: TransactionPermits,
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
    /// `None` while a request uses the transaction.
    idle: Option<IdleTransaction>,
}

/// An open transaction that no request is using.
pub(super) struct IdleTransaction {
    pub(super) lease: Lease,
    pub(super) permit: TransactionPermit,
    pub(super) opened: Instant,
    pub(super) expires: Instant,
}

impl TransactionStore {
    pub(super) fn new(settings: TransactionSettings) -> Self {
        let permits = TransactionPermits::new(settings.max, settings.share);
        Self { settings: Live::new(settings), permits, state: Mutex::default() }
    }

    /// Changes the limits, for transactions from now on and the idle time from their next request on.
    pub(super) fn set_limits(&self, settings: TransactionSettings) {
        self.permits.set_limits(settings.max, settings.share);
        self.settings.set(settings);
    }

    /// Adds a transaction of `owner` that a request is using.
    pub(super) fn insert(&self, id: String, owner: IdentityKey, database: &str, impersonated_user: Option<String>) {
        let entry = Entry { owner, database: database.to_owned(), impersonated_user, idle: None };
        self.state().entries.insert(id, entry);
    }

    /// Takes an idle transaction, to be used by a request of `caller`.
    ///
    /// # Errors
    /// See [`super::TransactionRegistry::check_out`].
    pub(super) fn take(&self, handle: &TransactionHandle<'_>, caller: &Identity) -> Result<IdleTransaction, Error> {
        let TransactionHandle { database, id, impersonated_user: named } = *handle;
        let mut state = self.state();
        let State { entries, tombstones } = &mut *state;
        let mine = entries.get_mut(id).filter(|entry| entry.owner == caller.owner() && entry.database == database);
        let Some(entry) = mine else {
            let cause = tombstones.cause(id, caller.owner(), database);
            return Err(self.not_found(id, cause));
        };
        if named.is_some() && named != entry.impersonated_user.as_deref() {
            return Err(Error::bad_request("the transaction impersonates another user than this request names"));
        }
        match entry.idle.take() {
            None => Err(Error::transaction_busy()),
            Some(idle) if idle.expires <= Instant::now() => {
                let cause = self.expiry_cause(&idle);
                state.remove_with_cause(id, cause);
                Err(self.not_found(id, Some(cause)))
            }
            Some(idle) => Ok(idle),
        }
    }

    /// Returns a transaction after its use. Ends it instead if the store is closed, or if its connection is still busy
    /// with a statement.
    pub(super) fn put_back(&self, id: &str, idle: IdleTransaction) {
        let entries = &mut self.state().entries;
        if self.permits.is_closed() || !idle.lease.is_between_statements() {
            entries.remove(id);
        } else if let Some(entry) = entries.get_mut(id) {
            entry.idle = Some(idle);
        }
    }

    /// Removes a transaction of whose end its owner knows.
    pub(super) fn remove(&self, id: &str) {
        self.state().entries.remove(id);
    }

    /// Removes a transaction whose request was interrupted.
    pub(super) fn abandon(&self, id: &str) {
        self.state().remove_with_cause(id, RollbackCause::Abandoned);
    }

    /// Removes the idle transactions that have expired.
    pub(super) fn take_expired(&self) -> Vec<IdleTransaction> {
        let now = Instant::now();
        let mut state = self.state();
        let State { entries, tombstones } = &mut *state;
        let over = |_: &String, entry: &mut Entry| entry.idle.as_ref().is_some_and(|idle| idle.expires <= now);
        let mut expired = Vec::new();
        for (id, Entry { owner, database, idle, .. }) in entries.extract_if(over) {
            if let Some(idle) = idle {
                tombstones.add(id, owner, database, self.expiry_cause(&idle));
                expired.push(idle);
            }
        }
        expired
    }

    /// The number of open transactions.
    pub(super) fn count(&self) -> usize {
        self.state().entries.len()
    }

    /// Admits no more transactions, and rolls back those that are idle.
    pub(super) fn close(&self) {
        self.permits.close();
        self.state().entries.retain(|_, entry| entry.idle.is_none());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The maps are consistent after every statement, so a panic of another thread does no harm.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn expiry_cause(&self, idle: &IdleTransaction) -> RollbackCause {
        let max_lifetime = self.settings.get().max_lifetime;
        if idle.opened + max_lifetime <= idle.expires { RollbackCause::Old } else { RollbackCause::Idle }
    }

    /// Returns the error for a transaction that does not exist, with the cause if the caller may know it.
    fn not_found(&self, id: &str, cause: Option<RollbackCause>) -> Error {
        let TransactionSettings { idle_timeout, max_lifetime, .. } = **self.settings.get();
        let because = match cause {
            None => return Error::transaction_not_found(id),
            Some(RollbackCause::Idle) => {
                format!("no request had used it for {idle_timeout:?} (transactions.idle_timeout)")
            }
            Some(RollbackCause::Old) => format!("it was older than {max_lifetime:?} (transactions.max_lifetime)"),
            Some(RollbackCause::Abandoned) => "the request that was using it was interrupted: its client \
                                               disconnected, its time limit passed, or it was cancelled"
                .to_owned(),
        };
        Error::transaction_rolled_back(id, &because)
    }
}

impl State {
    /// Removes a transaction, and remembers the cause for its owner.
    fn remove_with_cause(&mut self, id: &str, cause: RollbackCause) {
        if let Some((id, entry)) = self.entries.remove_entry(id) {
            self.tombstones.add(id, entry.owner, entry.database, cause);
        }
    }
}
