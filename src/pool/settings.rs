//! The settings of the pool.

use std::time::Duration;

/// How the pool behaves.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The most connections in use at a time, over all identities. At least 1.
    pub max: usize,
    /// The most connections that one caller may use at a time. At least 1.
    pub share: usize,
    /// The most requests that may wait for a connection. Logins in the login lane have a queue of their own.
    pub waiting: usize,
    /// The most requests of one caller that may wait for a connection.
    pub caller_waiting: usize,
    /// The longest wait for a connection, including the time to open it.
    pub acquire_timeout: Duration,
    /// Connections older than this are not lent.
    pub max_lifetime: Duration,
    /// Logins older than this are re-authenticated before their connection is lent. Zero: every time.
    pub login_age: Duration,
    /// Connections idle for longer than this have to pass a liveness check before they are lent.
    pub liveness_after: Duration,
    /// How long a liveness check may take.
    pub liveness_timeout: Duration,
    /// How long it may take to cancel an abandoned statement where RESET interrupts it, or once the database was told
    /// to end it.
    pub recovery: Duration,
    /// How long an abandoned statement may run on where RESET does not interrupt it.
    pub patience: Duration,
}
