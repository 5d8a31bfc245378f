//! The registry of running statements, which lets callers list and cancel their own.

use std::{
    collections::HashMap,
    fmt,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    task::Poll,
    time::{Duration, SystemTime},
};

use futures_util::task::AtomicWaker;
use tokio::time::Instant;

use super::{call::Call, deadline::Deadline, error::Error, report::InFlight};
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

/// All running statements. Cheap to clone.
#[derive(Clone)]
pub(super) struct RunningRegistry {
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    entries: Mutex<Entries>,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) log: LogControl,
}

struct Entries {
    /// Starts at a random number, so that two gateways behind one address assign different identifiers.
    next: u64,
    known: HashMap<u64, Weak<Entry>>,
}

/// A statement from its registration to its end.
pub(super) struct Entry {
    pub(super) shared: Arc<Shared>,
    pub(super) id: u64,
    pub(super) caller: Call,
    pub(super) database: String,
    pub(super) kind: StatementKind,
    statement: Arc<str>,
    since: SystemTime,
    started: Instant,
    state: AtomicU8,
    outcome: AtomicU8,
    transaction: OnceLock<String>,
    cancelled: AtomicBool,
    /// The statement that the database is executing: this one, or one of the batch.
    pub(super) in_flight: Mutex<Option<InFlight>>,
    waker: AtomicWaker,
}

/// A registered statement. It is removed from the registry when its last clone is dropped.
#[derive(Clone)]
pub(super) struct RegisteredStatement(Arc<Entry>);

impl RunningRegistry {
    /// Creates an empty registry, whose statements report to `observer` and `log`.
    pub(super) fn new(observer: Arc<dyn Observer>, log: LogControl) -> Self {
        let entries = Entries { next: getrandom::u64().unwrap_or_default(), known: HashMap::new() };
        Self { shared: Arc::new(Shared { entries: Mutex::new(entries), observer, log }) }
    }

    /// Registers a statement.
    pub(super) fn register(
        &self,
        caller: &Call,
        database: &str,
        statement: &Arc<str>,
        kind: StatementKind,
    ) -> RegisteredStatement {
        let mut entries = self.shared.entries();
        let id = entries.next;
        entries.next = id.wrapping_add(1);
        if kind != StatementKind::Explicit {
            caller.record.set_transaction(id);
        }
        let entry = Arc::new(Entry {
            shared: Arc::clone(&self.shared),
            id,
            caller: caller.clone(),
            database: database.to_owned(),
            kind,
            statement: Arc::clone(statement),
            since: SystemTime::now(),
            started: Instant::now(),
            state: AtomicU8::new(StatementState::Queued as u8),
            outcome: AtomicU8::new(StatementOutcome::Abandoned as u8),
            transaction: OnceLock::new(),
            cancelled: AtomicBool::new(false),
            in_flight: Mutex::new(None),
            waker: AtomicWaker::new(),
        });
        entries.known.insert(id, Arc::downgrade(&entry));
        drop(entries);
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
        entry.cancel(CancelReason::Caller);
        entry.waker.wake();
        Ok(())
    }

    fn owned_by(&self, caller: &Identity, database: &str) -> Vec<Arc<Entry>> {
        // Dropping the last clone of an entry takes the lock, so it must not happen while the lock is held.
        let all: Vec<_> = self.shared.entries().known.values().filter_map(Weak::upgrade).collect();
        all.into_iter().filter(|entry| entry.caller.owner() == caller.owner() && entry.database == database).collect()
    }
}

impl Shared {
    fn entries(&self) -> MutexGuard<'_, Entries> {
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
    pub(super) fn set_transaction(&self, transaction: &str) {
        self.0.transaction.get_or_init(|| transaction.to_owned());
    }

    /// The text that the statement was registered with.
    pub(super) fn text(&self) -> &str {
        &self.0.statement
    }

    /// Waits for `future` until `deadline`, or until the statement is cancelled.
    ///
    /// # Errors
    /// [`Error::cancelled`], or as [`Deadline::bound`].
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
    /// [`Error::cancelled`].
    pub(super) async fn unless_cancelled<T>(&self, mut future: Pin<&mut impl Future<Output = T>>) -> Result<T, Error> {
        poll_fn(|cx| {
            self.0.waker.register(cx.waker());
            if self.0.cancelled.load(Ordering::Acquire) {
                return Poll::Ready(Err(Error::cancelled()));
            }
            future.as_mut().poll(cx).map(Ok)
        })
        .await
    }

    /// Waits for `future`, or until the statement is cancelled; to its end if the database was already told to stop the
    /// statement (`stopping`).
    ///
    /// # Errors
    /// [`Error::cancelled`].
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
        if !self.cancelled.swap(true, Ordering::AcqRel) {
            self.shared.observer.statement_cancelled(self.id, reason);
        }
    }

    fn describe(&self) -> RunningStatement {
        RunningStatement {
            id: name(self.id),
            statement: Arc::clone(&self.statement),
            since: self.since,
            elapsed: self.started.elapsed(),
            state: STATES
                .get(usize::from(self.state.load(Ordering::Relaxed)))
                .copied()
                .unwrap_or(StatementState::Running),
            transaction: self.transaction.get().cloned(),
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.shared.entries().known.remove(&self.id);
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
        let running = registry.register(&caller, "neo4j", &text, StatementKind::Explicit);
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
        assert!(registry.list(&caller, "neo4j").is_empty() && registry.shared.entries().known.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn cancelling_a_statement_wakes_its_waiter() {
        let (registry, caller) = (registry(), caller());
        let running = registry.register(&caller, "neo4j", &"RETURN 1".into(), StatementKind::Statement);
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
}
