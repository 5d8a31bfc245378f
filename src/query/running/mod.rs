//! The registry of running statements, which lets callers list and cancel their own, and operators all.

mod entry;
mod registered;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

pub(super) use self::{
    entry::{Entry, OPERATOR_PATIENCE},
    registered::{RegisteredStatement, WeakStatement},
};
use super::{
    call::Call,
    error::Error,
    transaction::{OpenTransaction, TransactionId},
};
pub use crate::telemetry::observer::{StatementKind, StatementState};
use crate::{
    auth::Identity,
    telemetry::{
        logs::LogControl,
        observer::{CancelReason, Observer},
    },
};

/// A running statement, as its caller sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningStatement {
    /// The identifier: 16 hexadecimal digits.
    pub id: String,
    /// The text of the statement, or of a batch's first statement.
    pub statement: Arc<str>,
    /// When the statement was registered.
    pub since: SystemTime,
    /// How long ago the statement was registered.
    pub elapsed: Duration,
    /// What the statement is doing.
    pub state: StatementState,
    /// The explicit transaction that the statement belongs to, if any.
    pub transaction: Option<String>,
}

/// All running statements. Cheap to clone.
#[derive(Clone)]
pub(super) struct RunningRegistry {
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    /// Starts at a random number, so that two gateways behind one address assign different identifiers.
    next: AtomicU64,
    entries: Mutex<HashMap<u64, Weak<Entry>>>,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) log: LogControl,
}

impl RunningRegistry {
    /// Creates an empty registry, whose statements report to `observer` and `log`.
    pub(super) fn new(observer: Arc<dyn Observer>, log: LogControl) -> Self {
        let next = AtomicU64::new(getrandom::u64().unwrap_or_default());
        Self { shared: Arc::new(Shared { next, entries: Mutex::default(), observer, log }) }
    }

    /// Returns an identifier that nothing else has, for a transaction that begins without a statement.
    pub(super) fn next_id(&self) -> TransactionId {
        TransactionId(self.shared.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Registers a statement. `limit` is its time limit, `None` if it belongs to an open transaction.
    pub(super) fn register(
        &self,
        caller: &Call,
        database: &str,
        statement: &Arc<str>,
        (kind, limit): (StatementKind, Option<Duration>),
    ) -> RegisteredStatement {
        let TransactionId(id) = self.next_id();
        if limit.is_some() {
            caller.record.set_transaction(id);
        }
        let shared = Arc::clone(&self.shared);
        let entry = Arc::new(Entry::new(shared, id, (caller, database, statement), (kind, limit)));
        self.shared.entries().insert(id, Arc::downgrade(&entry));
        self.shared.observer.statement_state(id, StatementState::Queued);
        RegisteredStatement(entry)
    }

    /// Returns the running statements of `caller` on `database`, the oldest first.
    pub(super) fn list(&self, caller: &Identity, database: &str) -> Vec<RunningStatement> {
        let mut found: Vec<_> = self.owned_by(caller, database);
        found.sort_by_key(|entry| entry.started);
        found.iter().map(|entry| entry.describe()).collect()
    }

    /// Cancels a statement of `caller`.
    ///
    /// # Errors
    /// When `caller` has no statement `id` running on `database`.
    pub(super) fn cancel(&self, caller: &Identity, database: &str, id: &str) -> Result<(), Error> {
        let found = self.owned_by(caller, database).into_iter().find(|entry| name(entry.id) == id);
        let entry = found.ok_or_else(|| Error::statement_not_found(id))?;
        entry.interrupt(CancelReason::Caller);
        Ok(())
    }

    /// Returns the statements that run in transactions of their own, and those that are about to open one.
    pub(super) fn outside_of_transactions(&self) -> Vec<OpenTransaction> {
        let all = self.all();
        all.iter().filter_map(|entry| entry.describe_for_operators()).collect()
    }

    /// Cancels a statement outside of open transactions for an operator. Returns whether there is one.
    pub(super) fn end(&self, id: TransactionId) -> bool {
        let Some(entry) = self.find(id) else { return false };
        entry.interrupt(CancelReason::Operator);
        true
    }

    /// Whether a statement outside of open transactions has this identifier.
    pub(super) fn contains(&self, id: TransactionId) -> bool {
        self.find(id).is_some()
    }

    fn find(&self, TransactionId(id): TransactionId) -> Option<Arc<Entry>> {
        let found = self.shared.entries().get(&id).and_then(Weak::upgrade);
        found.filter(|entry| entry.limit.is_some())
    }

    fn owned_by(&self, caller: &Identity, database: &str) -> Vec<Arc<Entry>> {
        let mut all = self.all();
        all.retain(|entry| entry.caller.owner() == caller.owner() && entry.database == database);
        all
    }

    fn all(&self) -> Vec<Arc<Entry>> {
        // Dropping the last clone of an entry takes the lock, so it must not happen while the lock is held.
        self.shared.entries().values().filter_map(Weak::upgrade).collect()
    }
}

impl Shared {
    fn entries(&self) -> MutexGuard<'_, HashMap<u64, Weak<Entry>>> {
        // The map is consistent after every statement, so a panic of another thread does no harm.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Formats an identifier for callers.
fn name(id: u64) -> String {
    format!("{id:016x}")
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use tokio::time::Instant;

    use super::*;
    use crate::{
        bolt::AuthToken,
        query::{deadline::Deadline, transaction::TransactionState},
        telemetry::event_log::EventLog,
    };

    const OWN: (StatementKind, Option<Duration>) = (StatementKind::Statement, Some(Duration::from_secs(3600)));

    fn registry() -> RunningRegistry {
        let log = LogControl::detached(crate::config::Settings::default().log);
        RunningRegistry::new(Arc::new(EventLog), log)
    }

    fn caller() -> Call {
        Call::new(Identity::sample(AuthToken::none(), false), Arc::default())
    }

    #[tokio::test(start_paused = true)]
    async fn statements_are_listed_while_they_run() {
        let (registry, caller) = (registry(), caller());
        let text: Arc<str> = "RETURN 1".into();
        let running = registry.register(&caller, "neo4j", &text, (StatementKind::Explicit, None));
        running.set_state(StatementState::Streaming);
        running.set_transaction("tx");
        let clone = running.clone();
        drop(running);
        let list = registry.list(&caller, "neo4j");
        assert_eq!(
            (list.len(), list[0].state, list[0].transaction.as_deref()),
            (1, StatementState::Streaming, Some("tx"))
        );
        assert!(registry.list(&caller, "other").is_empty());
        drop((clone, list));
        assert!(registry.list(&caller, "neo4j").is_empty() && registry.shared.entries().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn cancelling_a_statement_wakes_its_waiter() {
        let (registry, caller) = (registry(), caller());
        let running = registry.register(&caller, "neo4j", &"RETURN 1".into(), OWN);
        let id = registry.list(&caller, "neo4j")[0].id.clone();
        let waiting = tokio::spawn({
            let deadline = Deadline::after(Duration::from_secs(3600), Duration::ZERO, &caller);
            async move { running.bound(deadline, pin!(std::future::pending::<()>())).await }
        });
        tokio::task::yield_now().await;
        assert_eq!(registry.cancel(&caller, "other", &id), Err(Error::statement_not_found(&id)));
        registry.cancel(&caller, "neo4j", &id).unwrap();
        assert_eq!(waiting.await.unwrap(), Err(Error::cancelled()));
        assert_eq!(registry.cancel(&caller, "neo4j", &id), Err(Error::statement_not_found(&id)));
    }

    #[tokio::test(start_paused = true)]
    async fn operators_see_and_end_what_is_in_no_open_transaction() {
        let (registry, caller) = (registry(), caller());
        let running = registry.register(&caller, "neo4j", &"RETURN 1".into(), OWN);
        let opening = registry.register(&caller, "neo4j", &"RETURN 2".into(), (StatementKind::Explicit, OWN.1));
        let within = registry.register(&caller, "neo4j", &"RETURN 3".into(), (StatementKind::Explicit, None));
        let mut listed = registry.outside_of_transactions();
        listed.sort_by_key(|one| one.statement.clone());
        let shown: Vec<_> = listed.iter().map(|one| (one.id, one.kind, one.state)).collect();
        let queued = TransactionState::Statement(StatementState::Queued);
        let expected = [
            (running.id(), StatementKind::Statement, queued),
            (opening.id(), StatementKind::Explicit, TransactionState::Busy),
        ];
        assert_eq!(shown, expected);
        assert_eq!(listed[0].expires - Duration::from_secs(3600), listed[0].since);
        assert!(!registry.end(within.id()) && !registry.contains(within.id()));
        assert!(registry.end(running.id()));
        let ended = running.unless_cancelled(pin!(std::future::pending::<()>())).await;
        assert_eq!(ended, Err(Error::ended_by_operator()));
        let deadline = Deadline::after(Duration::from_secs(60), Duration::from_secs(60), &caller);
        assert_eq!(running.grace_period(deadline).at(), Instant::now() + OPERATOR_PATIENCE);
        assert_eq!(opening.grace_period(deadline).at(), Instant::now() + Duration::from_secs(60));
    }
}
