//! What the rooms report as it happens.
//!
//! Owns the trait that observers implement and the events they receive. Promises that events carry no credentials, no
//! statements and no parameters, and that reporting one allocates nothing. May not know HTTP, Bolt, pools or statements:
//! events consist of the standard library's types and of the small enums here.

use std::{
    fmt::{self, Display},
    time::Duration,
};

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

    /// A caller was not authenticated.
    fn authentication_failed(&self, _reason: AuthFailure) {}

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

/// What a connection was opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The pool keeps it.
    Pool,
    /// It only verifies a login, and is closed then.
    Verification,
    /// It only ends an abandoned statement, and is closed then.
    Termination,
}

/// See [`Observer::connected`].
#[derive(Clone, Copy)]
pub struct Connected<'a> {
    /// What it was opened for.
    pub purpose: Purpose,
    /// Name resolution, TCP, TLS, handshake and login together.
    pub took: Duration,
    /// The negotiated version of Bolt.
    pub version: &'a dyn Display,
    /// How the server is spoken to.
    pub dialect: &'a dyn Display,
    /// What the server calls itself.
    pub agent: &'a str,
}

/// See [`Observer::connect_failed`].
#[derive(Clone, Copy)]
pub struct ConnectFailed<'a> {
    /// What it was to be opened for.
    pub purpose: Purpose,
    /// How long it took to fail.
    pub took: Duration,
    /// What failed.
    pub reason: ConnectFailure,
    /// The same in words.
    pub error: &'a dyn Display,
}

/// See [`Observer::probed`].
#[derive(Clone, Copy)]
pub struct ProbeFailed<'a> {
    /// What failed.
    pub reason: ConnectFailure,
    /// The same in words.
    pub error: &'a dyn Display,
}

/// What failed when a connection was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectFailure {
    /// Nothing accepts connections at the address, or the connection broke before the login ended.
    Unreachable,
    /// The database was silent for too long.
    Timeout,
    /// TLS.
    Tls,
    /// The other side does not speak Bolt as this gateway does.
    Handshake,
    /// The database refused the login.
    Login,
}

/// See [`Observer::login_refused`].
#[derive(Debug, Clone, Copy)]
pub struct LoginRefused<'a> {
    /// The database's code.
    pub code: &'a str,
    /// The database's message.
    pub message: &'a str,
    /// The login was the gateway's own (`auth.service_account`), not a caller's.
    pub service_account: bool,
    /// The credential may be good, but its user has as many sessions as the database allows.
    pub session_limit: bool,
}

/// Why a request received no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcquireFailure {
    /// None came free within `database.acquire_timeout`.
    Exhausted,
    /// As many requests as may wait already, in total or of this caller.
    QueueFull,
    /// Too many unverified logins wait already.
    LoginLaneFull,
    /// None could be opened.
    Connection,
    /// The caller's credential expired during the wait.
    Expired,
    /// The gateway is stopping.
    Stopping,
}

/// Why a connection of the pool was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discard {
    /// It was older than `database.max_lifetime`.
    Lifetime,
    /// Its login expired and cannot be renewed, or the database refused to renew it.
    Login,
    /// It was dead when it was about to be lent.
    Dead,
    /// It made room for another one.
    Evicted,
    /// It was lost in use, or the database closes it after a failure.
    Broken,
    /// The database did not answer in time.
    Silent,
    /// The database sent what is not Bolt.
    Protocol,
    /// A statement changed its session.
    Stale,
    /// Its last user left it in a state from which it could not be recovered.
    Abandoned,
    /// The gateway is stopping.
    Shutdown,
}

/// The state of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementState {
    /// It waits for a connection.
    Queued,
    /// The database is executing it.
    Running,
    /// Its rows are on their way to the client.
    Streaming,
    /// An attempt failed, and it waits for the next one.
    Retrying,
}

/// See [`Observer::rows_received`].
#[derive(Debug, Clone, Copy)]
pub struct RowsReceived<'a> {
    /// The statement. The statements of one batch request share it.
    pub id: u64,
    /// The number of rows.
    pub rows: u32,
    /// Whether these were the last rows of a result.
    pub last: bool,
    /// The kind of statement in the database's letters, with the last rows: `r`, `w`, `rw` or `s`.
    pub kind: Option<&'a str>,
}

/// See [`Observer::attempt_failed`].
#[derive(Debug, Clone, Copy)]
pub struct AttemptFailed<'a> {
    /// The statement.
    pub id: u64,
    /// The code that callers see.
    pub code: &'a str,
    /// What kind of failure it is.
    pub class: FailureClass,
    /// The pause before the next attempt; `None` if the statement is not retried.
    pub retry_after: Option<Duration>,
}

/// What kind of failure a statement met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureClass {
    /// The request or the statement was wrong, or its caller was not allowed to do it.
    ClientError,
    /// It may succeed later: a conflict, or a database that is busy or away.
    Transient,
    /// The database failed.
    DatabaseError,
    /// It was ended on purpose.
    Cancelled,
    /// Its time limit passed.
    Timeout,
    /// The connection was lost, and its outcome is not known.
    Lost,
}

/// Why the gateway stopped a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelReason {
    /// Its caller asked for that.
    Caller,
    /// Its client does not read the rows, which blocks the database.
    SlowReader,
    /// Its client has left.
    ClientGone,
    /// Its client took no byte of the answer for too long.
    WriteStall,
    /// Its time limit passed.
    Deadline,
    /// An operator ended it.
    Operator,
    /// Its result reached a limit.
    Limit,
    /// The gateway is stopping.
    Shutdown,
}

/// The protocol of a client's connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpProtocol {
    /// HTTP/1.0 or HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

/// Why the connection of a client was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientClose {
    /// By the client, or after `Connection: close`.
    Done,
    /// `server.idle_timeout`.
    Idle,
    /// `server.header_timeout`.
    HeaderTimeout,
    /// `server.body_timeout`.
    BodyTimeout,
    /// `server.write_stall_timeout`.
    WriteStall,
    /// `server.max_connection_age`.
    Age,
    /// The gateway is stopping.
    Drain,
    /// The TLS handshake failed.
    Tls,
    /// Anything else, such as a connection that was reset, or bytes that are not HTTP.
    Error,
}

/// How a TLS handshake ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsOutcome {
    /// The connection is encrypted.
    Ok,
    /// The client and the gateway found no agreement.
    Error,
    /// It took too long.
    Timeout,
}

/// What was read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reloaded {
    /// The settings, because of SIGHUP.
    Settings,
    /// The certificates of the listener for clients.
    Certificates,
}

/// See [`Observer::request_ended`].
#[derive(Debug, Clone, Copy)]
pub struct RequestEnded<'a> {
    /// The method, whatever the client wrote.
    pub method: &'a str,
    /// The template of the route, such as `/db/{db}/query/v2`; `other` for what leads nowhere.
    pub route: &'a str,
    /// The status of the answer; 499 if the client left before its head.
    pub status: u16,
    /// From the arrival of the head to the end.
    pub duration: Duration,
    /// The bytes of the request's body on the connection.
    pub request_bytes: u64,
    /// The bytes of the answer's body on the connection.
    pub response_bytes: u64,
}

/// Which limit refused a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalReason {
    /// `limits.requests`.
    Requests,
    /// `limits.caller_requests`.
    CallerRequests,
    /// `limits.waiting`.
    Waiting,
    /// `limits.caller_waiting`.
    CallerWaiting,
    /// `database.acquire_timeout`.
    AcquireTimeout,
    /// `transactions.max` or `transactions.caller_share`.
    Transactions,
    /// `limits.body`.
    Body,
    /// `limits.body_memory`.
    BodyMemory,
    /// `limits.decompressed_body`.
    DecompressedBody,
    /// `limits.statement`.
    Statement,
    /// `limits.depth`.
    Depth,
    /// `limits.result_rows`.
    ResultRows,
    /// `limits.result_bytes`.
    ResultBytes,
    /// `server.allowed_hosts`.
    Host,
    /// A page of an origin that is not allowed.
    Origin,
}

/// Why a caller was not authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthFailure {
    /// The credential cannot be read.
    Malformed,
    /// Its scheme is not allowed here.
    Scheme,
    /// The database refused it.
    Refused,
    /// It has expired.
    Expired,
    /// The token was not accepted.
    Token,
    /// The keys of the token's issuer could not be had.
    KeysUnavailable,
    /// The database allows no further attempt for a while.
    RateLimited,
    /// The caller may not act as the user that it named.
    Impersonation,
}

/// What a statement belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementKind {
    /// An explicit transaction.
    Explicit,
    /// A transaction of its own.
    Statement,
    /// A batch.
    Batch,
    /// A bulk load.
    Load,
}

/// See [`Observer::statement_finished`].
#[derive(Debug, Clone, Copy)]
pub struct StatementFinished<'a> {
    /// What it belonged to.
    pub kind: StatementKind,
    /// From RUN to its last SUCCESS or FAILURE.
    pub duration: Duration,
    /// The failure, if it failed.
    pub failure: Option<FailureClass>,
    /// The code of the failure.
    pub code: Option<&'a str>,
}

/// Why a statement or a batch is attempted again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryReason {
    /// A conflict with another transaction.
    Conflict,
    /// Another transient failure.
    Transient,
    /// The connection was lost before anything could have been committed.
    Connection,
}

/// How an explicit transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionOutcome {
    /// COMMIT succeeded.
    Committed,
    /// Its owner rolled it back.
    RolledBack,
    /// A statement or COMMIT failed.
    Failed,
    /// `transactions.idle_timeout`.
    IdleTimeout,
    /// `transactions.max_lifetime`.
    Lifetime,
    /// The credential of its owner expired.
    Expired,
    /// An operator ended it.
    Operator,
    /// The gateway is stopping.
    Shutdown,
    /// Its connection was lost.
    Lost,
}

/// What became of spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanOutcome {
    /// The collector has taken them.
    Exported,
    /// Too many waited already.
    Dropped,
    /// The collector did not take them.
    Failed,
}

/// How a statement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementOutcome {
    /// Its client left it before its end.
    Abandoned,
    /// Its last attempt failed.
    Failed,
    /// Its result was complete.
    Completed,
}

/// A closed set of values, each with the word by which logs and metrics know it.
pub trait Word: Copy + 'static {
    /// All of them, in order.
    const ALL: &'static [Self];

    /// The word.
    fn word(self) -> &'static str;

    /// Its place in [`Word::ALL`].
    fn index(self) -> usize;
}

/// Gives each variant its word. The variants must be in the order of their declaration.
macro_rules! words {
    ($($name:ident { $($variant:ident => $word:literal),+ $(,)? })+) => {
        $(impl Word for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            fn index(self) -> usize {
                self as usize
            }
        }

        impl Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        })+

        #[cfg(test)]
        fn all_words() -> Vec<(usize, usize, &'static str)> {
            let mut all = Vec::new();
            $(all.extend($name::ALL.iter().enumerate().map(|(at, value)| (at, value.index(), value.word())));)+
            all
        }
    };
}

words! {
    Purpose { Pool => "pool", Verification => "verification", Termination => "termination" }
    ConnectFailure {
        Unreachable => "unreachable", Timeout => "timeout", Tls => "tls", Handshake => "handshake", Login => "login",
    }
    AcquireFailure {
        Exhausted => "exhausted", QueueFull => "queue_full", LoginLaneFull => "login_lane_full", Connection => "connection", Expired => "expired",
        Stopping => "stopping",
    }
    StatementState { Queued => "queued", Running => "running", Streaming => "streaming", Retrying => "retrying" }
    FailureClass {
        ClientError => "client_error", Transient => "transient", DatabaseError => "database_error",
        Cancelled => "cancelled", Timeout => "timeout", Lost => "lost",
    }
    CancelReason {
        Caller => "caller", SlowReader => "slow_reader", ClientGone => "client_gone", WriteStall => "write_stall",
        Deadline => "deadline", Operator => "operator", Limit => "limit", Shutdown => "shutdown",
    }
    HttpProtocol { Http1 => "http/1.1", Http2 => "http/2" }
    ClientClose {
        Done => "done", Idle => "idle", HeaderTimeout => "header_timeout", BodyTimeout => "body_timeout",
        WriteStall => "write_stall", Age => "age", Drain => "drain", Tls => "tls", Error => "error",
    }
    TlsOutcome { Ok => "ok", Error => "error", Timeout => "timeout" }
    RefusalReason {
        Requests => "requests", CallerRequests => "caller_requests", Waiting => "waiting",
        CallerWaiting => "caller_waiting", AcquireTimeout => "acquire_timeout", Transactions => "transactions",
        Body => "body", BodyMemory => "body_memory", DecompressedBody => "decompressed_body",
        Statement => "statement", Depth => "depth", ResultRows => "result_rows", ResultBytes => "result_bytes",
        Host => "host", Origin => "origin",
    }
    AuthFailure {
        Malformed => "malformed", Scheme => "scheme", Refused => "refused", Expired => "expired", Token => "token",
        KeysUnavailable => "keys_unavailable", RateLimited => "rate_limited", Impersonation => "impersonation",
    }
    StatementKind { Explicit => "explicit", Statement => "statement", Batch => "batch", Load => "load" }
    RetryReason { Conflict => "conflict", Transient => "transient", Connection => "connection" }
    TransactionOutcome {
        Committed => "committed", RolledBack => "rolled_back", Failed => "failed", IdleTimeout => "idle_timeout",
        Lifetime => "lifetime", Expired => "expired", Operator => "operator", Shutdown => "shutdown", Lost => "lost",
    }
    SpanOutcome { Exported => "exported", Dropped => "dropped", Failed => "failed" }
    StatementOutcome { Abandoned => "abandoned", Failed => "failed", Completed => "completed" }
    Discard {
        Lifetime => "lifetime", Login => "login", Dead => "dead", Evicted => "evicted", Broken => "broken",
        Silent => "silent", Protocol => "protocol", Stale => "stale", Abandoned => "abandoned", Shutdown => "shutdown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_in_the_order_of_their_variants() {
        for (place, index, word) in all_words() {
            assert_eq!(place, index, "{word}");
        }
    }
}
