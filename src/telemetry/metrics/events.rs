//! Which event counts where.

use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use super::Metrics;
use crate::telemetry::observer::{
    AcquireFailure, AuthFailure, CancelReason, ClientClose, ConnectFailed, Connected, Discard, HttpProtocol,
    LoginRefused, Observer, ProbeFailed, RefusalReason, Reloaded, RequestEnded, RetryReason, RowsReceived, SpanOutcome,
    StatementFinished, StatementKind, TlsOutcome, TransactionOutcome, WebSocketClosed,
};

impl Observer for Metrics {
    fn connected(&self, event: &Connected<'_>) {
        self.pool.connected(event);
    }

    fn connect_failed(&self, event: &ConnectFailed<'_>) {
        self.pool.connect_failed(event.reason);
    }

    fn probed(&self, failure: Option<&ProbeFailed<'_>>) {
        self.pool.reached(failure.map(|failed| failed.reason));
    }

    fn login_accepted(&self) {
        self.pool.reached(None);
    }

    fn login_refused(&self, _event: &LoginRefused<'_>) {
        self.pool.reached(None);
    }

    fn connection_acquired(&self, waited: Duration) {
        self.pool.acquired(waited);
    }

    fn acquire_failed(&self, reason: AcquireFailure, waited: Duration) {
        self.pool.acquire_failed(reason, waited);
    }

    fn connection_discarded(&self, reason: Discard) {
        self.pool.discarded(reason);
    }

    fn rows_received(&self, event: &RowsReceived<'_>) {
        self.statements.rows.inc_by(u64::from(event.rows));
    }

    fn statement_cancelled(&self, _id: u64, reason: CancelReason) {
        self.statements.cancelled(reason);
    }

    fn client_accepted(&self) {
        self.connections.accepted.inc();
    }

    fn client_connected(&self, protocol: HttpProtocol) {
        if let Some(open) = self.connections.open(protocol) {
            open.inc();
        }
    }

    fn client_disconnected(&self, protocol: Option<HttpProtocol>, reason: ClientClose) {
        if let Some(open) = protocol.and_then(|protocol| self.connections.open(protocol)) {
            open.dec();
        }
        self.connections.closed.inc(reason);
    }

    fn tls_handshake(&self, outcome: TlsOutcome) {
        self.connections.handshakes.inc(outcome);
    }

    fn certificate_in_force(&self, expires: Option<i64>) {
        self.connections.certificate_in_force(expires);
    }

    fn reloaded(&self, of: Reloaded, succeeded: bool) {
        self.gateway.reloaded(of, succeeded);
    }

    fn draining(&self) {
        self.gateway.draining.store(true, Relaxed);
    }

    fn request_arrived(&self) {
        self.requests.in_flight.inc();
    }

    fn request_ended(&self, event: &RequestEnded<'_>) {
        self.requests.ended(event);
    }

    fn request_refused(&self, reason: RefusalReason) {
        self.requests.refused.inc(reason);
    }

    fn websocket_opened(&self) {
        self.websockets.open.inc();
    }

    fn websocket_closed(&self, event: &WebSocketClosed) {
        self.websockets.closed(event);
    }

    fn authentication_failed(&self, reason: AuthFailure) {
        self.gateway.auth_failures.inc(reason);
    }

    fn keys_wanted(&self, issuer: &str) {
        self.gateway.keys_wanted(issuer);
    }

    fn keys_fetched(&self, issuer: &str, succeeded: bool) {
        self.gateway.keys_fetched(issuer, succeeded);
    }

    fn answer_replayed(&self) {
        self.gateway.replays.inc();
    }

    fn answers_kept(&self, bytes: u64) {
        self.gateway.kept_bytes.store(bytes, Relaxed);
    }

    fn statement_sent(&self, _kind: StatementKind) {
        self.statements.sent();
    }

    fn statement_finished(&self, event: &StatementFinished<'_>) {
        self.statements.finished(event);
    }

    fn retried(&self, reason: RetryReason) {
        self.statements.retries.inc(reason);
    }

    fn transaction_opened(&self) {
        self.transactions.opened.inc();
    }

    fn transaction_ended(&self, outcome: TransactionOutcome, duration: Duration) {
        self.transactions.ended(outcome, duration);
    }

    fn spans_ended(&self, outcome: SpanOutcome, count: usize) {
        self.gateway.spans.inc_by(outcome, count as u64);
    }
}
