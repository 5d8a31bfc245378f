//! What a registered statement reports to the observer, to the record of its request, and to the log of slow
//! statements.
//!
//! Promises that each statement that is sent also finishes, exactly once, whatever ends it.

use std::{
    sync::{Arc, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    error::{Error, Kind, RESULT_ROWS},
    running::{Entry, RegisteredStatement},
    slow,
};
use crate::telemetry::{
    observer::{
        AttemptFailed, CancelReason, FailureClass, RefusalReason, RetryReason, RowsReceived, StatementFinished,
        StatementKind, StatementOutcome,
    },
    spans::{ExchangeOutcome, Operation},
};

/// A statement from RUN to the last reply to it.
pub(super) struct InFlight {
    since: Instant,
    pub(super) text: Arc<str>,
    /// The names of the parameters, if slow statements are logged.
    pub(super) parameters: Option<String>,
    pub(super) rows: u64,
}

impl RegisteredStatement {
    /// Reports that a statement was sent with these parameters, a PackStream map.
    pub(super) fn report_sent(&self, text: &Arc<str>, parameters: &[u8]) {
        let entry = self.entry();
        let parameters = entry.shared.log.slow_query().and_then(|_| slow::names(parameters));
        let sent = InFlight { since: Instant::now(), text: Arc::clone(text), parameters, rows: 0 };
        *entry.in_flight() = Some(sent);
        entry.caller.record.database_asked(Operation::Run, Some(text));
        entry.shared.observer.statement_sent(entry.kind);
    }

    /// Reports a batch of rows; with the `last` one of a result, the kind of the statement is known.
    pub(super) fn report_rows(&self, rows: u32, last: bool, kind: Option<&str>) {
        let entry = self.entry();
        if let Some(in_flight) = &mut *entry.in_flight() {
            in_flight.rows += u64::from(rows);
        }
        entry.caller.record.add_rows(rows);
        entry.shared.observer.rows_received(&RowsReceived { id: entry.id, rows, last, kind });
    }

    /// Reports that the statement which was sent last has succeeded.
    pub(super) fn report_success(&self) {
        self.entry().report_finished(None);
    }

    /// Reports a failed attempt, which another one follows after `retry_after`, if at all.
    pub(super) fn report_failure(&self, error: &Error, retry_after: Option<Duration>) {
        self.set_outcome(StatementOutcome::Failed);
        let entry = self.entry();
        entry.report_finished(Some(error));
        // COMMIT may have failed instead of a statement.
        entry.caller.record.database_answered(ExchangeOutcome::Failed(&error.code));
        if retry_after.is_none() {
            entry.caller.record.fail(&error.code);
        }
        let class = class(error.kind);
        entry.shared.observer.attempt_failed(&AttemptFailed { id: entry.id, code: &error.code, class, retry_after });
    }

    /// Reports that the gateway stops the statement because its result is larger than allowed.
    pub(super) fn report_limit(&self, error: &Error) {
        let entry = self.entry();
        // Not marked as cancelled: its reply may be awaited.
        entry.shared.observer.statement_cancelled(entry.id, CancelReason::Limit);
        let is_of_rows = error.code == RESULT_ROWS;
        let reason = if is_of_rows { RefusalReason::ResultRows } else { RefusalReason::ResultBytes };
        entry.shared.observer.request_refused(reason);
    }

    /// Reports that the gateway cancels the statement because its client blocks the database.
    pub(super) fn report_slow_reader(&self) {
        self.entry().cancel(CancelReason::SlowReader);
    }
}

impl Entry {
    fn in_flight(&self) -> MutexGuard<'_, Option<InFlight>> {
        // What it holds is consistent after every statement, so a panic of another thread does no harm.
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report_finished(&self, failure: Option<&Error>) {
        let Some(in_flight) = self.in_flight().take() else { return };
        if failure.is_some_and(|error| matches!(error.kind, Kind::Timeout | Kind::ExpiredMeanwhile)) {
            self.cancel(CancelReason::Deadline);
        }
        let code = failure.map(|error| error.code.as_str());
        self.finish(&in_flight, failure.map(|error| class(error.kind)), code);
    }

    /// Reports that the caller no longer waits for the statement, if it is still in flight.
    pub(super) fn report_abandoned(&self) {
        let Some(in_flight) = self.in_flight().take() else { return };
        self.cancel(self.caller.record.departure());
        self.finish(&in_flight, Some(FailureClass::Cancelled), None);
    }

    fn finish(&self, in_flight: &InFlight, failure: Option<FailureClass>, code: Option<&str>) {
        let duration = in_flight.since.elapsed();
        self.note_answered(failure, code);
        let finished = StatementFinished { kind: self.kind, duration, failure, code };
        self.shared.observer.statement_finished(&finished);
        if self.shared.log.slow_query().is_some_and(|limit| duration >= limit) {
            slow::log(self, in_flight, duration);
        }
    }

    /// Notes that the database has answered the statement. Those of a batch are sent ahead of the replies, so they are
    /// one exchange with it.
    fn note_answered(&self, failure: Option<FailureClass>, code: Option<&str>) {
        let record = &self.caller.record;
        match (failure, code) {
            (None, _) if matches!(self.kind, StatementKind::Batch | StatementKind::Load) => record.database_goes_on(),
            (None, _) => record.database_answered(ExchangeOutcome::Succeeded),
            (Some(_), Some(code)) => record.database_answered(ExchangeOutcome::Failed(code)),
            (Some(_), None) => record.database_answered(ExchangeOutcome::Abandoned),
        }
    }
}

/// Why another attempt follows `error`; `None` if the one before does not count, since nothing was executed.
pub(super) fn retry_reason(error: &Error) -> Option<RetryReason> {
    match error.kind {
        Kind::Conflict => Some(RetryReason::Conflict),
        Kind::Transient => Some(RetryReason::Transient),
        _ => None,
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
        Kind::Conflict | Kind::Transient | Kind::Unsettled | Kind::Unavailable | Kind::CallerLimit => {
            FailureClass::Transient
        }
        Kind::Database | Kind::Gateway => FailureClass::DatabaseError,
        Kind::Terminated | Kind::Ended | Kind::ResultLimit => FailureClass::Cancelled,
        Kind::TimeLimit | Kind::Timeout | Kind::ExpiredMeanwhile => FailureClass::Timeout,
        Kind::OutcomeUnknown => FailureClass::Lost,
    }
}
