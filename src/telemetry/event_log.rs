//! The observer that writes events to the log.
//!
//! Owns the texts and levels of their lines. Lines keep the target of the room that reported the event, so that
//! `log.filter` can name it, such as `boltgate::pool=debug`.

use std::{fmt::Display, time::Duration};

use super::observer::{AcquireFailure, ConnectFailed, ConnectFailure, Connected, Discard, LoginRefused, Observer};

/// Writes every event to the log of this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct EventLog;

/// The target of what the pool reports.
const POOL: &str = "boltgate::pool";

impl Observer for EventLog {
    fn connected(&self, event: &Connected<'_>) {
        let Connected { purpose, took, version, dialect, agent } = *event;
        tracing::debug!(target: POOL, %purpose, ?took, %version, %dialect, agent, "opened a connection to the database");
    }

    fn connect_failed(&self, event: &ConnectFailed<'_>) {
        let ConnectFailed { purpose, took, reason, error } = *event;
        tracing::debug!(target: POOL, %purpose, ?took, %reason, %error, "could not open a connection to the database");
    }

    fn probed(&self, failure: Option<ConnectFailure>) {
        match failure {
            None => tracing::trace!(target: POOL, "the database answers"),
            Some(reason) => tracing::debug!(target: POOL, %reason, "the database does not answer"),
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
                target: POOL, code, message, "the database allows the service account (auth.service_account) no more sessions"
            ),
            LoginRefused { code, message, .. } => tracing::error!(
                target: POOL, code, message, "the database refuses the service account (auth.service_account)"
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
        tracing::info!(target: POOL, connections = closed, "closed idle connections, since one idle as long was dead");
    }

    fn statement_terminated(&self, found: bool) {
        tracing::debug!(target: POOL, found, "told the database to end an abandoned statement");
    }

    fn termination_failed(&self, error: &dyn Display) {
        tracing::warn!(target: POOL, %error, "an abandoned statement could not be ended and may still run");
    }
}
