//! The registry of running statements, which lets callers list and cancel their own, and operators all.

use std::{
    collections::HashMap,
    fmt,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    task::Poll,
    time::{Duration, SystemTime},
};

use futures_util::task::AtomicWaker;
use tokio::time::Instant;

use super::{
    call::Call,
    deadline::Deadline,
    error::Error,
    report::InFlight,
    transaction::{OpenTransaction, TransactionId, TransactionState},
};
pub use crate::telemetry::observer::{StatementKind, StatementState};
use crate::{
    auth::Identity,
    telemetry::{
        logs::LogControl,
        observer::{CancelReason, Observer, StatementOutcome},
        record::Record,
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

const STATES: [StatementState; 4] =
    [StatementState::Queued, StatementState::Running, StatementState::Streaming, StatementState::Retrying];

const OUTCOMES: [StatementOutcome; 3] =
    [StatementOutcome::Abandoned, StatementOutcome::Failed, StatementOutcome::Completed];

const NOT_CANCELLED: u8 = u8::MAX;

/// How long the outcome of a transaction that an operator has ended is waited for, before its connection is given up.
pub(super) const OPERATOR_PATIENCE: Duration = Duration::from_secs(4);

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

/// A statement from its registration to its end.
pub(super) struct Entry {
    pub(super) shared: Arc<Shared>,
    pub(super) id: u64,
    pub(super) caller: Call,
    pub(super) database: String,
    pub(super) kind: StatementKind,
    statement: Arc<str>,
    /// `None` for a statement in an open transaction, which expires with that.
    limit: Option<Duration>,
    since: SystemTime,
    started: Instant,
    state: AtomicU8,
    outcome: AtomicU8,
    transaction: OnceLock<String>,
    /// A [`CancelReason`], or [`NOT_CANCELLED`].
    cancelled: AtomicU8,
    /// The statement that the database is executing: this one, or one of the batch.
    pub(super) in_flight: Mutex<Option<InFlight>>,
    waker: AtomicWaker,
}

/// A registered statement. It is removed from the registry when its last clone is dropped.
#[derive(Clone)]
pub(super) struct RegisteredStatement(Arc<Entry>);

/// A statement that may have ended.
#[derive(Clone, Default)]
pub(super) struct WeakStatement(Weak<Entry>);

impl WeakStatement {
    /// Returns the statement while it runs.
    pub(super) fn upgrade(&self) -> Option<RegisteredStatement> {
        self.0.upgrade().map(RegisteredStatement)
    }
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
        let entry = Arc::new(Entry {
            shared: Arc::clone(&self.shared),
            id,
            caller: caller.clone(),
            database: database.to_owned(),
            kind,
            statement: Arc::clone(statement),
            limit,
            since: SystemTime::now(),
            started: Instant::now(),
            state: AtomicU8::new(StatementState::Queued as u8),
            outcome: AtomicU8::new(StatementOutcome::Abandoned as u8),
            transaction: OnceLock::new(),
            cancelled: AtomicU8::new(NOT_CANCELLED),
            in_flight: Mutex::new(None),
            waker: AtomicWaker::new(),
        });
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

impl RegisteredStatement {
    /// Records and reports what the statement is doing.
    pub(super) fn set_state(&self, state: StatementState) {
        if self.0.state.swap(state as u8, Ordering::Relaxed) != state as u8 {
            self.0.shared.observer.statement_state(self.0.id, state);
        }
    }

    /// Records how the statement ends, unless it goes on.
    pub(super) fn set_outcome(&self, outcome: StatementOutcome) {
        self.0.outcome.store(outcome as u8, Ordering::Relaxed);
    }

    /// What is known of the statement.
    pub(super) fn entry(&self) -> &Entry {
        &self.0
    }

    /// The record of the request.
    pub(super) fn record(&self) -> &Record {
        &self.0.caller.record
    }

    /// Records the transaction that the statement belongs to, once it is known.
    pub(super) fn set_transaction(&self, handle: &str) {
        self.0.transaction.get_or_init(|| handle.to_owned());
    }

    /// The identifier by which operators know the statement, unless it belongs to an open transaction.
    pub(super) fn id(&self) -> TransactionId {
        TransactionId(self.0.id)
    }

    /// Refers to the statement without keeping it registered.
    pub(super) fn downgrade(&self) -> WeakStatement {
        WeakStatement(Arc::downgrade(&self.0))
    }

    /// The text that the statement was registered with.
    pub(super) fn text(&self) -> &Arc<str> {
        &self.0.statement
    }

    /// How long the outcome of a cancelled statement is waited for, within the grace period of `deadline`: operators
    /// wait for less.
    pub(super) fn grace_period(&self, deadline: Deadline) -> Deadline {
        let grace = deadline.grace_period();
        if self.0.is_cancelled_for(CancelReason::Operator) { grace.within(OPERATOR_PATIENCE) } else { grace }
    }

    /// Waits for `future` until `deadline`, or until the statement is cancelled.
    ///
    /// # Errors
    /// [`Error::cancelled`], [`Error::ended_by_operator`], or as [`Deadline::bound`].
    pub(super) async fn bound<T>(
        &self,
        deadline: Deadline,
        future: Pin<&mut impl Future<Output = T>>,
    ) -> Result<T, Error> {
        deadline.bound(pin!(self.unless_cancelled(future))).await?
    }

    /// Waits for `future`, or until the statement is cancelled.
    ///
    /// # Errors
    /// [`Error::cancelled`], or [`Error::ended_by_operator`].
    pub(super) async fn unless_cancelled<T>(&self, mut future: Pin<&mut impl Future<Output = T>>) -> Result<T, Error> {
        poll_fn(|cx| {
            self.0.waker.register(cx.waker());
            if let Some(error) = self.0.cancellation() {
                return Poll::Ready(Err(error));
            }
            future.as_mut().poll(cx).map(Ok)
        })
        .await
    }

    /// Waits for `future`, or until the statement is cancelled; to its end if the database was already told to stop the
    /// statement (`stopping`).
    ///
    /// # Errors
    /// [`Error::cancelled`], or [`Error::ended_by_operator`].
    pub(super) async fn unless_cancelled_or<T>(
        &self,
        stopping: bool,
        future: Pin<&mut impl Future<Output = T>>,
    ) -> Result<T, Error> {
        if stopping { Ok(future.await) } else { self.unless_cancelled(future).await }
    }
}

impl Entry {
    /// Notes and reports that the gateway stops the statement. The first reason counts.
    pub(super) fn cancel(&self, reason: CancelReason) {
        let (new, old) = (reason as u8, NOT_CANCELLED);
        if self.cancelled.compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            self.shared.observer.statement_cancelled(self.id, reason);
        }
    }

    /// Cancels the statement, and has its request notice.
    pub(super) fn interrupt(&self, reason: CancelReason) {
        self.cancel(reason);
        self.waker.wake();
    }

    fn is_cancelled_for(&self, reason: CancelReason) -> bool {
        self.cancelled.load(Ordering::Acquire) == reason as u8
    }

    fn cancellation(&self) -> Option<Error> {
        if self.cancelled.load(Ordering::Acquire) == NOT_CANCELLED {
            return None;
        }
        let by_operator = self.is_cancelled_for(CancelReason::Operator);
        Some(if by_operator { Error::ended_by_operator() } else { Error::cancelled() })
    }

    /// Describes the transaction of the statement, unless it is an open one.
    fn describe_for_operators(&self) -> Option<OpenTransaction> {
        let state = match self.kind {
            StatementKind::Explicit => TransactionState::Busy,
            StatementKind::Statement | StatementKind::Batch | StatementKind::Load => {
                TransactionState::Statement(self.state())
            }
        };
        Some(OpenTransaction {
            id: TransactionId(self.id),
            kind: self.kind,
            state,
            caller: self.caller.label(),
            user: self.caller.user_name().map(str::to_owned),
            database: self.database.clone(),
            since: self.since,
            elapsed: self.started.elapsed(),
            expires: self.since + self.limit?,
            statement: Some(Arc::clone(&self.statement)),
        })
    }

    fn state(&self) -> StatementState {
        let state = STATES.get(usize::from(self.state.load(Ordering::Relaxed)));
        state.copied().unwrap_or(StatementState::Running)
    }

    fn describe(&self) -> RunningStatement {
        RunningStatement {
            id: name(self.id),
            statement: Arc::clone(&self.statement),
            since: self.since,
            elapsed: self.started.elapsed(),
            state: self.state(),
            transaction: self.transaction.get().cloned(),
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.shared.entries().remove(&self.id);
        self.report_abandoned();
        let outcome = OUTCOMES.get(usize::from(*self.outcome.get_mut())).copied();
        self.shared.observer.statement_ended(self.id, outcome.unwrap_or(StatementOutcome::Abandoned));
    }
}

/// Formats an identifier for callers.
fn name(id: u64) -> String {
    format!("{id:016x}")
}

impl fmt::Debug for RegisteredStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RegisteredStatement").field(&name(self.0.id)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{bolt::AuthToken, telemetry::event_log::EventLog};

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
