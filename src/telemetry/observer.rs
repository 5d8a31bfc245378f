//! What the pool and the engine report as it happens.
//!
//! Owns the trait that observers implement and the events they receive. Promises that events carry no credentials, no
//! statements and no parameters, and that reporting one allocates nothing. May not know Bolt, pools or statements:
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
    fn probed(&self, _failure: Option<ConnectFailure>) {}

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

/// Gives each variant the word by which logs know it.
macro_rules! words {
    ($($name:ident { $($variant:ident => $word:literal),+ $(,)? })+) => {
        $(impl Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $word),+ })
            }
        })+
    };
}

words! {
    Purpose { Pool => "pool", Verification => "verification", Termination => "termination" }
    ConnectFailure {
        Unreachable => "unreachable", Timeout => "timeout", Tls => "tls", Handshake => "handshake", Login => "login",
    }
    AcquireFailure {
        Exhausted => "exhausted", LoginLaneFull => "login_lane_full", Connection => "connection", Expired => "expired",
        Stopping => "stopping",
    }
    StatementState { Queued => "queued", Running => "running", Streaming => "streaming", Retrying => "retrying" }
    FailureClass {
        ClientError => "client_error", Transient => "transient", DatabaseError => "database_error",
        Cancelled => "cancelled", Timeout => "timeout", Lost => "lost",
    }
    CancelReason { Caller => "caller", SlowReader => "slow_reader" }
    StatementOutcome { Abandoned => "abandoned", Failed => "failed", Completed => "completed" }
    Discard {
        Lifetime => "lifetime", Login => "login", Dead => "dead", Evicted => "evicted", Broken => "broken",
        Silent => "silent", Protocol => "protocol", Stale => "stale", Abandoned => "abandoned", Shutdown => "shutdown",
    }
}
