//! A registered statement, as its executor holds it: it records what happens, and waits unless the statement is
//! cancelled.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{Arc, Weak, atomic::Ordering},
    task::Poll,
};

use super::{
    entry::{Entry, OPERATOR_PATIENCE},
    name,
};
use crate::{
    query::{deadline::Deadline, error::Error, transaction::TransactionId},
    telemetry::{
        observer::{CancelReason, StatementOutcome, StatementState},
        record::Record,
    },
};

/// A registered statement. It is removed from the registry when its last clone is dropped.
#[derive(Clone)]
pub(in crate::query) struct RegisteredStatement(pub(super) Arc<Entry>);

/// A statement that may have ended.
#[derive(Clone, Default)]
pub(in crate::query) struct WeakStatement(Weak<Entry>);

impl WeakStatement {
    /// Returns the statement while it runs.
    pub(in crate::query) fn upgrade(&self) -> Option<RegisteredStatement> {
        self.0.upgrade().map(RegisteredStatement)
    }
}

impl RegisteredStatement {
    /// Records and reports what the statement is doing.
    pub(in crate::query) fn set_state(&self, state: StatementState) {
        if self.0.state.swap(state as u8, Ordering::Relaxed) != state as u8 {
            self.0.shared.observer.statement_state(self.0.id, state);
        }
    }

    /// Records how the statement ends, unless it goes on.
    pub(in crate::query) fn set_outcome(&self, outcome: StatementOutcome) {
        self.0.outcome.store(outcome as u8, Ordering::Relaxed);
    }

    /// What is known of the statement.
    pub(in crate::query) fn entry(&self) -> &Entry {
        &self.0
    }

    /// The record of the request.
    pub(in crate::query) fn record(&self) -> &Record {
        &self.0.caller.record
    }

    /// Records the transaction that the statement belongs to, once it is known.
    pub(in crate::query) fn set_transaction(&self, handle: &str) {
        self.0.transaction.get_or_init(|| handle.to_owned());
    }

    /// The identifier by which operators know the statement, unless it belongs to an open transaction.
    pub(in crate::query) fn id(&self) -> TransactionId {
        TransactionId(self.0.id)
    }

    /// Refers to the statement without keeping it registered.
    pub(in crate::query) fn downgrade(&self) -> WeakStatement {
        WeakStatement(Arc::downgrade(&self.0))
    }

    /// The text that the statement was registered with.
    pub(in crate::query) fn text(&self) -> &Arc<str> {
        &self.0.statement
    }

    /// How long the outcome of a cancelled statement is waited for, within the grace period of `deadline`: operators
    /// wait for less.
    pub(in crate::query) fn grace_period(&self, deadline: Deadline) -> Deadline {
        let grace = deadline.grace_period();
        if self.0.is_cancelled_for(CancelReason::Operator) { grace.within(OPERATOR_PATIENCE) } else { grace }
    }

    /// Waits for `future` until `deadline`, or until the statement is cancelled.
    ///
    /// # Errors
    /// [`Error::cancelled`], [`Error::ended_by_operator`], or as [`Deadline::bound`].
    pub(in crate::query) async fn bound<T>(
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
    pub(in crate::query) async fn unless_cancelled<T>(
        &self,
        mut future: Pin<&mut impl Future<Output = T>>,
    ) -> Result<T, Error> {
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
    pub(in crate::query) async fn unless_cancelled_or<T>(
        &self,
        stopping: bool,
        future: Pin<&mut impl Future<Output = T>>,
    ) -> Result<T, Error> {
        if stopping { Ok(future.await) } else { self.unless_cancelled(future).await }
    }
}

impl fmt::Debug for RegisteredStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RegisteredStatement").field(&name(self.0.id)).finish()
    }
}
