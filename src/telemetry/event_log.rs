//! The observer that writes events to the log.
//!
//! Owns the texts and levels of their lines. Lines keep the target of the room that reported the event, so that
//! `log.filter` can name it, such as `boltgate::pool=debug`.

use std::{
    fmt::{self, Display},
    time::Duration,
};

use super::observer::{
    AcquireFailure, AttemptFailed, CancelReason, ConnectFailed, Connected, Discard, LoginRefused, Observer,
    ProbeFailed, RowsReceived, StatementOutcome, StatementState, WebSocketClosed,
};

/// Writes every event to the log of this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct EventLog;

/// The target of the pool's events.
const POOL: &str = "boltgate::pool";
/// The target of the engine's events.
const QUERY: &str = "boltgate::query";
/// The target of the events of WebSockets.
const WEBSOCKET: &str = "boltgate::websocket";

impl Observer for EventLog {
    fn connected(&self, event: &Connected<'_>) {
        let Connected { purpose, took, version, dialect, agent } = *event;
        tracing::debug!(
            target: POOL, %purpose, ?took, %version, %dialect, agent, "opened a connection to the database"
        );
    }

    fn connect_failed(&self, event: &ConnectFailed<'_>) {
        let ConnectFailed { purpose, took, reason, error } = *event;
        tracing::debug!(target: POOL, %purpose, ?took, %reason, %error, "could not open a connection to the database");
    }

    fn probed(&self, failure: Option<&ProbeFailed<'_>>) {
        match failure {
            None => tracing::trace!(target: POOL, "the database answers"),
            Some(ProbeFailed { reason, error }) => {
                tracing::debug!(target: POOL, %reason, %error, "the database does not answer");
            }
        }
    }

    fn login_accepted(&self) {
        tracing::trace!(target: POOL, "the database accepted a login");
    }

    fn login_refused(&self, event: &LoginRefused<'_>) {
        match *event {
            LoginRefused { service_account: false, code, .. } => {
                tracing::debug!(target: POOL, code, "the database refused a login");
            }
            LoginRefused { session_limit: true, code, message, .. } => tracing::warn!(
                target: POOL,
                code,
                message,
                "the database allows the service account (auth.service_account) no more sessions"
            ),
            LoginRefused { code, message, .. } => tracing::error!(
                target: POOL, code, message, "the database refused the service account (auth.service_account)"
            ),
        }
    }

    fn connection_acquired(&self, waited: Duration) {
        if waited.is_zero() {
            tracing::trace!(target: POOL, "lent a connection");
        } else {
            tracing::debug!(target: POOL, ?waited, "lent a connection after a wait");
        }
    }

    fn acquire_failed(&self, reason: AcquireFailure, waited: Duration) {
        tracing::debug!(target: POOL, %reason, ?waited, "could not lend a connection");
    }

    fn connection_discarded(&self, reason: Discard) {
        tracing::debug!(target: POOL, %reason, "closed a connection to the database");
    }

    fn idle_connections_closed(&self, closed: usize) {
        tracing::info!(
            target: POOL,
            connections = closed,
            "closed idle connections, because one that was idle as long was dead"
        );
    }

    fn statement_terminated(&self, found: bool) {
        tracing::debug!(target: POOL, found, "told the database to end an abandoned statement");
    }

    fn termination_failed(&self, error: &dyn Display) {
        tracing::warn!(target: POOL, %error, "an abandoned statement could not be ended and may still run");
    }

    fn statement_state(&self, id: u64, state: StatementState) {
        tracing::trace!(target: QUERY, id = %Id(id), %state, "a statement entered a state");
    }

    fn rows_received(&self, event: &RowsReceived<'_>) {
        let RowsReceived { id, rows, last, kind } = *event;
        tracing::trace!(target: QUERY, id = %Id(id), rows, last, kind, "received rows");
    }

    fn attempt_failed(&self, event: &AttemptFailed<'_>) {
        let AttemptFailed { id, code, class, retry_after } = *event;
        match retry_after {
            Some(pause) => tracing::debug!(target: QUERY, id = %Id(id), code, %class, ?pause, "retrying a statement"),
            None => tracing::debug!(target: QUERY, id = %Id(id), code, %class, "a statement failed"),
        }
    }

    fn statement_cancelled(&self, id: u64, reason: CancelReason) {
        if reason == CancelReason::SlowReader {
            tracing::info!(
                target: QUERY,
                id = %Id(id),
                "cancelled a statement because its client reads too slowly, which blocks a database worker"
            );
        } else {
            tracing::debug!(target: QUERY, id = %Id(id), %reason, "cancelled a statement");
        }
    }

    fn statement_ended(&self, id: u64, outcome: StatementOutcome) {
        tracing::trace!(target: QUERY, id = %Id(id), %outcome, "a statement ended");
    }

    fn transactions_expired(&self, count: usize) {
        tracing::info!(
            target: QUERY,
            transactions = count,
            "rolled back transactions that were idle or open for too long"
        );
    }

    fn websocket_opened(&self) {
        tracing::debug!(target: WEBSOCKET, "a WebSocket was opened");
    }

    fn websocket_closed(&self, event: &WebSocketClosed) {
        let WebSocketClosed { reason, duration, received, sent } = *event;
        let duration_us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        tracing::info!(
            target: WEBSOCKET, %reason, duration_us, received_bytes = received, sent_bytes = sent, "a WebSocket was closed"
        );
    }
}

/// A statement's number as its caller sees it in the list of running statements.
struct Id(u64);

impl Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
