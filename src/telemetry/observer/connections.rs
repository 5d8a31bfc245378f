//! Events of connections to the database.

use std::{fmt::Display, time::Duration};

/// What a connection was opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The pool keeps it.
    Pool,
    /// It only verifies a login, and is closed then.
    Verification,
    /// It only ends an abandoned statement, and is closed then.
    Termination,
    /// A client's own driver speaks over it.
    Relay,
}

/// See [`Observer::connected`](super::Observer::connected).
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

/// See [`Observer::connect_failed`](super::Observer::connect_failed).
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

/// See [`Observer::probed`](super::Observer::probed).
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

/// See [`Observer::login_refused`](super::Observer::login_refused).
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
