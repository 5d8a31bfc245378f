//! How the pool behaves, as its owner sets it.

use std::time::Duration;

/// How the pool behaves.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Most connections open at a time, over all identities.
    pub max: usize,
    /// Most connections that one caller may use at a time.
    pub share: usize,
    /// Longest wait for a connection, opening it included.
    pub acquire_timeout: Duration,
    /// No connection is lent that is older than this.
    pub max_lifetime: Duration,
    /// A login this old is proved again before the connection is lent. Zero: every time.
    pub login_age: Duration,
    /// A connection idle for longer is asked for a sign of life first.
    pub liveness_after: Duration,
    /// How long that sign of life may take.
    pub liveness_timeout: Duration,
    /// How long the cancelling of an abandoned statement may take where RESET interrupts, or once the database
    /// was told to end it.
    pub recovery: Duration,
    /// How long an abandoned statement may go on by itself where RESET does not interrupt.
    pub patience: Duration,
}
