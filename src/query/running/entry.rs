//! What is known of one registered statement, and how it is cancelled.

use std::{
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU8, Ordering},
    },
    time::{Duration, SystemTime},
};

use futures_util::task::AtomicWaker;
use tokio::time::Instant;

use super::{RunningStatement, Shared, name};
use crate::{
    query::{
        call::Call,
        error::Error,
        report::InFlight,
        transaction::{OpenTransaction, TransactionId, TransactionState},
    },
    telemetry::observer::{CancelReason, StatementKind, StatementOutcome, StatementState},
};

const STATES: [StatementState; 4] =
    [StatementState::Queued, StatementState::Running, StatementState::Streaming, StatementState::Retrying];

const OUTCOMES: [StatementOutcome; 3] =
    [StatementOutcome::Abandoned, StatementOutcome::Failed, StatementOutcome::Completed];

const NOT_CANCELLED: u8 = u8::MAX;

/// How long the outcome of a transaction that an operator has ended is waited for, before its connection is given up.
pub(in crate::query) const OPERATOR_PATIENCE: Duration = Duration::from_secs(4);

/// A statement from its registration to its end.
pub(in crate::query) struct Entry {
    pub(in crate::query) shared: Arc<Shared>,
    pub(in crate::query) id: u64,
    pub(in crate::query) caller: Call,
    pub(in crate::query) database: String,
    pub(in crate::query) kind: StatementKind,
    pub(super) statement: Arc<str>,
    /// `None` for a statement in an open transaction, which expires with that.
    pub(super) limit: Option<Duration>,
    since: SystemTime,
    pub(super) started: Instant,
    pub(super) state: AtomicU8,
    pub(super) outcome: AtomicU8,
    pub(super) transaction: OnceLock<String>,
    /// A [`CancelReason`], or [`NOT_CANCELLED`].
    cancelled: AtomicU8,
    /// The statement that the database is executing: this one, or one of the batch.
    pub(in crate::query) in_flight: Mutex<Option<InFlight>>,
    pub(super) waker: AtomicWaker,
}

impl Entry {
    /// A statement that waits for a connection.
    pub(super) fn new(
        shared: Arc<Shared>,
        id: u64,
        (caller, database, statement): (&Call, &str, &Arc<str>),
        (kind, limit): (StatementKind, Option<Duration>),
    ) -> Self {
        Self {
            shared,
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
        }
    }

    /// Notes and reports that the gateway stops the statement. The first reason counts.
    pub(in crate::query) fn cancel(&self, reason: CancelReason) {
        let (new, old) = (reason as u8, NOT_CANCELLED);
        if self.cancelled.compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            self.shared.observer.statement_cancelled(self.id, reason);
        }
    }

    /// Cancels the statement, and has its request notice.
    pub(in crate::query) fn interrupt(&self, reason: CancelReason) {
        self.cancel(reason);
        self.waker.wake();
    }

    pub(super) fn is_cancelled_for(&self, reason: CancelReason) -> bool {
        self.cancelled.load(Ordering::Acquire) == reason as u8
    }

    pub(super) fn cancellation(&self) -> Option<Error> {
        if self.cancelled.load(Ordering::Acquire) == NOT_CANCELLED {
            return None;
        }
        let by_operator = self.is_cancelled_for(CancelReason::Operator);
        Some(if by_operator { Error::ended_by_operator() } else { Error::cancelled() })
    }

    /// Describes the transaction of the statement, unless it is an open one.
    pub(super) fn describe_for_operators(&self) -> Option<OpenTransaction> {
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

    pub(super) fn describe(&self) -> RunningStatement {
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
