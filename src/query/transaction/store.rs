//! The open transactions of all callers, and the permits that bound their number.
//!
//! Knows who owns a transaction and whether a request is using it. The entry of a transaction stays while a request
//! uses it, so that other requests learn that it is busy. Reports the end of each transaction once: when its entry goes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    handle::{HandleStyle, TransactionHandle, TransactionSettings},
    listing::{OpenTransaction, TransactionId, TransactionState},
    permits::{TransactionPermit, TransactionPermits},
    tombstones::{RollbackCause, Tombstones},
};
use crate::{
    auth::Identity,
    bolt::Defect,
    live::Live,
    pool::Lease,
    query::{deadline::Deadline, error::Error, running::WeakStatement},
    telemetry::observer::{CancelReason, Observer, StatementKind, TransactionOutcome},
};

/// The open transactions.
pub(super) struct TransactionStore {
    pub(super) settings: Live<TransactionSettings>,
    pub(super) permits: TransactionPermits,
    observer: Arc<dyn Observer>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    entries: HashMap<String, Entry>,
    tombstones: Tombstones,
}

struct Entry {
    particulars: Arc<Particulars>,
    /// `None` while a request uses the transaction.
    idle: Option<IdleTransaction>,
    /// The statement that runs in it, if any.
    running: WeakStatement,
}

/// What is known of a transaction from its beginning.
pub(super) struct Particulars {
    /// Names the transaction for operators.
    pub(super) id: TransactionId,
    pub(super) owner: Identity,
    /// The database, as the owner named it.
    pub(super) database: String,
    pub(super) style: HandleStyle,
    pub(super) impersonated_user: Option<String>,
    pub(super) since: SystemTime,
    pub(super) opened: Instant,
    /// The time at which the transaction ends, whatever happens.
    pub(super) deadline: Deadline,
    /// Cancelled when an operator ends the transaction.
    pub(super) ended: CancellationToken,
}

/// An open transaction that no request is using.
pub(super) struct IdleTransaction {
    pub(super) lease: Lease,
    pub(super) permit: TransactionPermit,
    pub(super) expires: Instant,
}

impl TransactionStore {
    pub(super) fn new(settings: TransactionSettings, observer: Arc<dyn Observer>) -> Self {
        let permits = TransactionPermits::new(settings.max, settings.share);
        Self { settings: Live::new(settings), permits, observer, state: Mutex::default() }
    }

    /// Changes the limits, for transactions from now on and the idle time from their next request on.
    pub(super) fn set_limits(&self, settings: TransactionSettings) {
        self.permits.set_limits(settings.max, settings.share);
        self.settings.set(settings);
    }

    /// Adds a transaction that a request is using, and the statement that runs in it. Returns `false`, and adds nothing,
    /// if another transaction has this handle.
    pub(super) fn insert(&self, handle: &str, particulars: &Arc<Particulars>, running: &WeakStatement) -> bool {
        let mut state = self.state();
        if state.entries.contains_key(handle) {
            return false;
        }
        let entry = Entry { particulars: Arc::clone(particulars), idle: None, running: running.clone() };
        state.entries.insert(handle.to_owned(), entry);
        drop(state);
        self.observer.transaction_opened();
        true
    }

    /// Takes an idle transaction, to be used by a request of `caller` for the statement `running`, if any.
    ///
    /// # Errors
    /// See [`super::TransactionRegistry::check_out`].
    pub(super) fn take(
        &self,
        handle: &TransactionHandle<'_>,
        caller: &Identity,
        running: WeakStatement,
    ) -> Result<(IdleTransaction, Arc<Particulars>), Error> {
        let TransactionHandle { database, id, style, impersonated_user: named } = *handle;
        let mut state = self.state();
        let State { entries, tombstones } = &mut *state;
        let is_mine = |known: &Particulars| {
            known.owner.owner() == caller.owner() && known.database == database && known.style == style
        };
        let Some(entry) = entries.get_mut(id).filter(|entry| is_mine(&entry.particulars)) else {
            let cause = tombstones.cause(id, caller.owner(), database);
            drop(state);
            return Err(self.not_found(id, cause));
        };
        if named.is_some() && named != entry.particulars.impersonated_user.as_deref() {
            return Err(Error::bad_request("the transaction impersonates another user than this request names"));
        }
        match entry.idle.take() {
            None => Err(Error::transaction_busy()),
            Some(idle) if idle.expires <= Instant::now() => {
                let cause = entry.particulars.expiry_cause(idle.expires);
                drop(state);
                drop(idle);
                self.end(id, cause.outcome(), Some(cause));
                Err(self.not_found(id, Some(cause)))
            }
            Some(idle) => {
                entry.running = running;
                Ok((idle, Arc::clone(&entry.particulars)))
            }
        }
    }

    /// Returns a transaction after its use. Ends it instead if an operator has ended it, if the store is closed, or if
    /// its connection is still busy with a statement.
    pub(super) fn put_back(&self, handle: &str, idle: IdleTransaction) {
        let usable = !self.permits.is_closed() && idle.lease.is_between_statements();
        let mut state = self.state();
        match state.entries.get_mut(handle) {
            Some(entry) if usable && !entry.particulars.ended.is_cancelled() => {
                entry.idle = Some(idle);
                entry.running = WeakStatement::default();
            }
            _ => {
                drop(state);
                drop(idle);
                self.abandon(handle);
            }
        }
    }

    /// Removes a transaction, and remembers the cause for its owner unless the owner knows of the end.
    pub(super) fn end(&self, handle: &str, outcome: TransactionOutcome, cause: Option<RollbackCause>) {
        let mut state = self.state();
        let Some((handle, entry)) = state.entries.remove_entry(handle) else { return };
        let Particulars { owner, database, opened, .. } = &*entry.particulars;
        if let Some(cause) = cause {
            state.tombstones.add(handle, owner.owner(), database.clone(), cause);
        }
        drop(state);
        self.observer.transaction_ended(outcome, opened.elapsed());
    }

    /// Removes a transaction whose request was interrupted.
    pub(super) fn abandon(&self, handle: &str) {
        let known = self.state().entries.get(handle).map(|entry| Arc::clone(&entry.particulars));
        let Some(known) = known else { return };
        let (outcome, cause) = if known.ended.is_cancelled() {
            (TransactionOutcome::Operator, RollbackCause::Operator)
        } else if self.permits.is_closed() {
            (TransactionOutcome::Shutdown, RollbackCause::Abandoned)
        } else if known.deadline.has_passed() {
            (known.expiry_cause(known.deadline.at()).outcome(), RollbackCause::Abandoned)
        } else {
            (TransactionOutcome::Failed, RollbackCause::Abandoned)
        };
        self.end(handle, outcome, Some(cause));
    }

    /// Rolls back the idle transactions that have expired, and returns their number.
    pub(super) fn end_expired(&self) -> usize {
        let now = Instant::now();
        let expired = self.take_idle(|_, idle| idle.expires <= now);
        for (handle, particulars, idle) in &expired {
            let cause = particulars.expiry_cause(idle.expires);
            self.end(handle, cause.outcome(), Some(cause));
        }
        expired.len()
    }

    /// The number of open transactions.
    pub(super) fn count(&self) -> usize {
        self.state().entries.len()
    }

    /// Describes the open transactions.
    pub(super) fn list(&self) -> Vec<OpenTransaction> {
        // Only references are copied while the lock is held.
        let known: Vec<_> = {
            let state = self.state();
            let of = |entry: &Entry| {
                let expires = entry.idle.as_ref().map(|idle| idle.expires);
                (Arc::clone(&entry.particulars), expires, entry.running.clone())
            };
            state.entries.values().map(of).collect()
        };
        known.iter().map(|(particulars, expires, running)| particulars.describe(*expires, running)).collect()
    }

    /// Ends a transaction for an operator: rolls it back if it is idle, else has its request interrupted. Returns whether
    /// it is known.
    pub(super) fn end_for_operator(&self, id: TransactionId) -> bool {
        let (running, idle, handle) = {
            let mut state = self.state();
            let found = state.entries.iter_mut().find(|(_, entry)| entry.particulars.id == id);
            let Some((handle, entry)) = found else { return false };
            entry.particulars.ended.cancel();
            (entry.running.clone(), entry.idle.take(), handle.clone())
        };
        if let Some(idle) = idle {
            drop(idle);
            self.end(&handle, TransactionOutcome::Operator, Some(RollbackCause::Operator));
        } else if let Some(running) = running.upgrade() {
            running.entry().interrupt(CancelReason::Operator);
        }
        true
    }

    /// Whether a transaction is open.
    pub(super) fn contains(&self, id: TransactionId) -> bool {
        self.state().entries.values().any(|entry| entry.particulars.id == id)
    }

    /// Admits no more transactions, and rolls back those that are idle.
    pub(super) fn close(&self) {
        self.permits.close();
        for (handle, _, idle) in self.take_idle(|_, _| true) {
            drop(idle);
            self.end(&handle, TransactionOutcome::Shutdown, None);
        }
    }

    /// Takes the idle transactions that `wanted` picks. Their entries stay, so that their ends can be reported.
    fn take_idle(
        &self,
        wanted: impl Fn(&Particulars, &IdleTransaction) -> bool,
    ) -> Vec<(String, Arc<Particulars>, IdleTransaction)> {
        let mut state = self.state();
        let take = |(handle, entry): (&String, &mut Entry)| {
            let idle = entry.idle.take_if(|idle| wanted(&entry.particulars, idle))?;
            Some((handle.clone(), Arc::clone(&entry.particulars), idle))
        };
        state.entries.iter_mut().filter_map(take).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The maps are consistent after every statement, so a panic of another thread does no harm.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
            Some(RollbackCause::Expired) => "the credentials that it was opened with had expired".to_owned(),
            Some(RollbackCause::Operator) => "an operator ended it".to_owned(),
            Some(RollbackCause::Abandoned) => "the request that was using it was interrupted: its client \
                                               disconnected, its time limit passed, or it was cancelled"
                .to_owned(),
        };
        Error::transaction_rolled_back(id, &because)
    }
}

impl Particulars {
    /// Why the transaction expires at `expires`.
    fn expiry_cause(&self, expires: Instant) -> RollbackCause {
        if expires < self.deadline.at() {
            RollbackCause::Idle
        } else if self.deadline.is_expiry() {
            RollbackCause::Expired
        } else {
            RollbackCause::Old
        }
    }

    /// How the transaction has ended if the database has confirmed neither COMMIT nor ROLLBACK on `lease`.
    pub(super) fn failure(&self, lease: &Lease) -> TransactionOutcome {
        match lease.defect() {
            _ if self.ended.is_cancelled() => TransactionOutcome::Operator,
            Some(Defect::Lost | Defect::Silent | Defect::Protocol) => TransactionOutcome::Lost,
            Some(Defect::Login | Defect::LoginUnsent) | None => TransactionOutcome::Failed,
        }
    }

    /// Describes the transaction for operators. `idle_until` is when it expires if no request is using it.
    fn describe(&self, idle_until: Option<Instant>, running: &WeakStatement) -> OpenTransaction {
        let running = running.upgrade();
        let expires = idle_until.unwrap_or_else(|| self.deadline.at());
        OpenTransaction {
            id: self.id,
            kind: StatementKind::Explicit,
            state: if idle_until.is_some() { TransactionState::Idle } else { TransactionState::Busy },
            caller: self.owner.label(),
            user: self.owner.user_name().map(str::to_owned),
            database: self.database.clone(),
            since: self.since,
            elapsed: self.opened.elapsed(),
            expires: self.since + expires.saturating_duration_since(self.opened),
            statement: running.map(|running| Arc::clone(running.text())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::bolt::AuthToken;

    #[tokio::test(start_paused = true)]
    async fn what_comes_first_is_why_a_transaction_expires() {
        let now = Instant::now();
        let [sooner, later] = [1, 2].map(|minutes| now + Duration::from_secs(60 * minutes));
        let cause = |owner: Identity| {
            let particulars = Particulars {
                id: TransactionId(1),
                deadline: Deadline::new(later, Duration::ZERO, &owner),
                owner,
                database: "neo4j".into(),
                style: HandleStyle::Opaque,
                impersonated_user: None,
                since: SystemTime::now(),
                opened: now,
                ended: CancellationToken::new(),
            };
            move |expires: Instant| particulars.expiry_cause(expires.min(particulars.deadline.at()))
        };
        let lasting = cause(Identity::sample(AuthToken::none(), false));
        assert_eq!((lasting(sooner), lasting(later)), (RollbackCause::Idle, RollbackCause::Old));
        let expiring = cause(Identity::sample_until(now + Duration::from_secs(90)));
        assert_eq!((expiring(sooner), expiring(later)), (RollbackCause::Idle, RollbackCause::Expired));
        assert_eq!(RollbackCause::Expired.outcome(), TransactionOutcome::Expired);
    }
}
