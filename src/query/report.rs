//! What a registered statement reports to the observer: its rows, its failures, its cancellation by the gateway.

use std::time::Duration;

use super::{
    error::{Error, Kind},
    running::RegisteredStatement,
};
use crate::telemetry::observer::{AttemptFailed, CancelReason, FailureClass, RowsReceived, StatementOutcome};

impl RegisteredStatement {
    /// Reports a batch of rows; with the `last` one of a result, the kind of the statement is known.
    pub(super) fn report_rows(&self, rows: u32, last: bool, kind: Option<&str>) {
        let (id, observer) = self.observer();
        observer.rows_received(&RowsReceived { id, rows, last, kind });
    }

    /// Reports a failed attempt, which another one follows after `retry_after`, if at all.
    pub(super) fn report_failure(&self, error: &Error, retry_after: Option<Duration>) {
        self.set_outcome(StatementOutcome::Failed);
        let (id, observer) = self.observer();
        observer.attempt_failed(&AttemptFailed { id, code: &error.code, class: class(error.kind), retry_after });
    }

    /// Reports that the gateway cancels the statement because its client blocks the database.
    pub(super) fn report_slow_reader(&self) {
        let (id, observer) = self.observer();
        observer.statement_cancelled(id, CancelReason::SlowReader);
    }
}

fn class(kind: Kind) -> FailureClass {
    match kind {
        Kind::Refused
        | Kind::Constraint
        | Kind::Forbidden
        | Kind::BadRequest
        | Kind::Unauthorized
        | Kind::TooManyAttempts
        | Kind::Busy
        | Kind::DatabaseNotFound
        | Kind::TransactionNotFound
        | Kind::StatementNotFound => FailureClass::ClientError,
        Kind::Conflict | Kind::Transient | Kind::Unsettled | Kind::Unavailable => FailureClass::Transient,
        Kind::Database | Kind::Gateway => FailureClass::DatabaseError,
        Kind::Terminated => FailureClass::Cancelled,
        Kind::TimeLimit | Kind::Timeout | Kind::ExpiredMeanwhile => FailureClass::Timeout,
        Kind::OutcomeUnknown => FailureClass::Lost,
    }
}
