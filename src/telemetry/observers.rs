//! The observers of a gateway: each event goes to the log, to the state of the database, and to the metrics.
//!
//! Promises that each receives every event, in this order.

use std::{fmt::Display, sync::Arc, time::Duration};

use super::{
    database_log::DatabaseLog,
    event_log::EventLog,
    metrics::Metrics,
    observer::{
        AcquireFailure, AttemptFailed, AuthFailure, CancelReason, ClientClose, ConnectFailed, Connected, Discard,
        HttpProtocol, LoginRefused, Observer, ProbeFailed, RefusalReason, Reloaded, RequestEnded, RetryReason,
        RowsReceived, SpanOutcome, StatementFinished, StatementKind, StatementOutcome, StatementState, TlsOutcome,
        TransactionOutcome, WebSocketClosed,
    },
};

/// All observers of a gateway.
#[derive(Debug)]
pub struct Observers {
    log: EventLog,
    database: DatabaseLog,
    metrics: Arc<Metrics>,
}

impl Observers {
    /// The observers of a gateway in front of the database at `address`.
    #[must_use]
    pub fn new(address: String, metrics: Arc<Metrics>) -> Self {
        Self { log: EventLog, database: DatabaseLog::new(address), metrics }
    }
}

macro_rules! forward {
    ($($event:ident($($argument:ident: $kind:ty),*);)+) => {
        impl Observer for Observers {
            $(fn $event(&self, $($argument: $kind),*) {
                self.log.$event($($argument),*);
                self.database.$event($($argument),*);
                self.metrics.$event($($argument),*);
            })+
        }

        #[cfg(test)]
        const FORWARDED: &[&str] = &[$(stringify!($event)),+];
    };
}

forward! {
    connected(event: &Connected<'_>);
    connect_failed(event: &ConnectFailed<'_>);
    probed(failure: Option<&ProbeFailed<'_>>);
    login_accepted();
    login_refused(event: &LoginRefused<'_>);
    connection_acquired(waited: Duration);
    acquire_failed(reason: AcquireFailure, waited: Duration);
    connection_discarded(reason: Discard);
    idle_connections_closed(closed: usize);
    statement_terminated(found: bool);
    termination_failed(error: &dyn Display);
    statement_state(id: u64, state: StatementState);
    rows_received(event: &RowsReceived<'_>);
    attempt_failed(event: &AttemptFailed<'_>);
    statement_cancelled(id: u64, reason: CancelReason);
    statement_ended(id: u64, outcome: StatementOutcome);
    transactions_expired(count: usize);
    client_accepted();
    client_connected(protocol: HttpProtocol);
    client_disconnected(protocol: Option<HttpProtocol>, reason: ClientClose);
    tls_handshake(outcome: TlsOutcome);
    certificate_in_force(expires: Option<i64>);
    reloaded(of: Reloaded, succeeded: bool);
    draining();
    request_arrived();
    request_ended(event: &RequestEnded<'_>);
    request_refused(reason: RefusalReason);
    websocket_opened();
    websocket_closed(event: &WebSocketClosed);
    authentication_failed(reason: AuthFailure);
    keys_wanted(issuer: &str);
    keys_fetched(issuer: &str, succeeded: bool);
    answer_replayed();
    answers_kept(bytes: u64);
    statement_sent(kind: StatementKind);
    statement_finished(event: &StatementFinished<'_>);
    retried(reason: RetryReason);
    transaction_opened();
    transaction_ended(outcome: TransactionOutcome, duration: Duration);
    spans_ended(outcome: SpanOutcome, count: usize);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_forwarded() {
        let source = include_str!("observer/mod.rs");
        let (_, events) = source.split_once("pub trait Observer").unwrap();
        let (events, _) = events.split_once("\n}\n").unwrap();
        let events = events.lines().filter_map(|line| line.trim().strip_prefix("fn ")?.split_once('('));
        let events: Vec<_> = events.map(|(name, _)| name).collect();
        assert!(events.len() > 30, "{events:?}");
        assert_eq!(events, FORWARDED, "each is a line here, in the order of the trait");
    }
}
