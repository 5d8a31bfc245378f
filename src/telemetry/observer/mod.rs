//! What the rooms report as it happens.
//!
//! Owns the trait that observers implement and the events they receive. Promises that events carry no credentials, no
//! statements and no parameters, and that reporting one allocates nothing. May not know HTTP, Bolt, pools or statements:
//! events consist of the standard library's types and of the small enums here.

mod connections;
mod process;
mod requests;
mod statements;
mod words;

use std::{fmt::Display, time::Duration};

pub use self::{connections::*, process::*, requests::*, statements::*, words::Word};

/// Receives every event once, on the thread where it happens. Requests wait for it, so no method may block.
///
/// Methods do nothing by default: an observer implements those that it has a use for.
pub trait Observer: Send + Sync {
    /// A connection to the database was opened and has logged in.
    fn connected(&self, _event: &Connected<'_>) {}

    /// A connection to the database could not be opened, or its first login failed.
    fn connect_failed(&self, _event: &ConnectFailed<'_>) {}

    /// The database was asked whether it is there, without a login.
    fn probed(&self, _failure: Option<&ProbeFailed<'_>>) {}

    /// The database accepted a login, on a new connection or on one that is used again.
    fn login_accepted(&self) {}

    /// The database refused a login.
    fn login_refused(&self, _event: &LoginRefused<'_>) {}

    /// A request received a connection after `waited`; zero if it did not have to wait for anything.
    fn connection_acquired(&self, _waited: Duration) {}

    /// A request received no connection within `waited`.
    fn acquire_failed(&self, _reason: AcquireFailure, _waited: Duration) {}

    /// A connection of the pool was closed. Every connection that was opened for [`Purpose::Pool`] ends here.
    fn connection_discarded(&self, _reason: Discard) {}

    /// An idle connection was dead, so `closed` others that had been idle as long were closed with it.
    fn idle_connections_closed(&self, _closed: usize) {}

    /// The database was told to end a statement that its client had abandoned. `found`: it was still running.
    fn statement_terminated(&self, _found: bool) {}

    /// The database could not be told to end an abandoned statement, which may still run.
    fn termination_failed(&self, _error: &dyn Display) {}

    /// The statement `id` entered a state. Every statement begins as [`StatementState::Queued`].
    fn statement_state(&self, _id: u64, _state: StatementState) {}

    /// The database sent a batch of rows.
    fn rows_received(&self, _event: &RowsReceived<'_>) {}

    /// An attempt at a statement failed.
    fn attempt_failed(&self, _event: &AttemptFailed<'_>) {}

    /// The gateway stopped a statement.
    fn statement_cancelled(&self, _id: u64, _reason: CancelReason) {}

    /// The statement `id` is no longer served.
    fn statement_ended(&self, _id: u64, _outcome: StatementOutcome) {}

    /// Transactions were rolled back because they were idle or open for too long.
    fn transactions_expired(&self, _count: usize) {}

    /// A connection of a client was accepted.
    fn client_accepted(&self) {}

    /// The connection of a client speaks HTTP.
    fn client_connected(&self, _protocol: HttpProtocol) {}

    /// The connection of a client was closed; `protocol` is `None` if it had not spoken HTTP yet.
    fn client_disconnected(&self, _protocol: Option<HttpProtocol>, _reason: ClientClose) {}

    /// A TLS handshake with a client ended.
    fn tls_handshake(&self, _outcome: TlsOutcome) {}

    /// Another certificate for clients is in force. `expires` is the end of its validity in seconds since 1970; `None`
    /// if TLS is off, or the certificate does not say.
    fn certificate_in_force(&self, _expires: Option<i64>) {}

    /// Settings or certificates were read again. If that failed, the old ones stay in force.
    fn reloaded(&self, _of: Reloaded, _succeeded: bool) {}

    /// The gateway is about to stop.
    fn draining(&self) {}

    /// A request of a client arrived: its head is complete.
    fn request_arrived(&self) {}

    /// A request ended: the last byte of its answer is out, or its client has left.
    fn request_ended(&self, _event: &RequestEnded<'_>) {}

    /// A limit of the gateway refused a request.
    fn request_refused(&self, _reason: RefusalReason) {}

    /// A client's WebSocket was opened; [`Observer::websocket_closed`] follows.
    fn websocket_opened(&self) {}

    /// A client's WebSocket was closed.
    fn websocket_closed(&self, _event: &WebSocketClosed) {}

    /// A caller was not authenticated.
    fn authentication_failed(&self, _reason: AuthFailure) {}

    /// The keys of an issuer, by its name in the settings, are to be fetched from now on.
    fn keys_wanted(&self, _issuer: &str) {}

    /// The keys of an issuer, by its name in the settings, were fetched.
    fn keys_fetched(&self, _issuer: &str, _succeeded: bool) {}

    /// A request got the stored answer of an earlier one with the same Idempotency-Key.
    fn answer_replayed(&self) {}

    /// The stored answers to requests with an Idempotency-Key take this many bytes from now on.
    fn answers_kept(&self, _bytes: u64) {}

    /// A statement was sent to the database; [`Observer::statement_finished`] follows.
    fn statement_sent(&self, _kind: StatementKind) {}

    /// A statement that was sent has ended, one event per attempt and per statement of a batch.
    fn statement_finished(&self, _event: &StatementFinished<'_>) {}

    /// An attempt after the first one begins.
    fn retried(&self, _reason: RetryReason) {}

    /// An explicit transaction was opened.
    fn transaction_opened(&self) {}

    /// An explicit transaction ended.
    fn transaction_ended(&self, _outcome: TransactionOutcome, _duration: Duration) {}

    /// Spans are no longer kept for an export.
    fn spans_ended(&self, _outcome: SpanOutcome, _count: usize) {}
}
