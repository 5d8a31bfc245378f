//! The policy for retries: for how long, and with which pauses.

use std::time::Duration;

/// For how long and with which pauses a transaction is retried. The names are those of Bolt drivers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Retry {
    /// No attempt starts later than this after the first failure. Zero disables retries.
    pub max_time: Duration,
    /// The pause before the second attempt. [`Retry::SHORTEST_PAUSE`] applies if it is longer.
    pub initial_delay: Duration,
    /// The factor by which each pause is longer than the one before, up to [`Retry::LONGEST_PAUSE`]. At least 1.
    pub multiplier: f64,
    /// The part of a pause, from 0 to 1, by which it is randomly shorter or longer, so that transactions that collided
    /// do not collide again.
    pub jitter: f64,
}

impl Retry {
    /// The shortest pause: immediate retries only add to the load.
    pub const SHORTEST_PAUSE: Duration = Duration::from_millis(5);

    /// The longest pause, unless [`Retry::initial_delay`] is longer.
    pub const LONGEST_PAUSE: Duration = Duration::from_secs(2);

    /// Disables retries: the transaction runs exactly once.
    pub const NEVER: Self =
        Self { max_time: Duration::ZERO, initial_delay: Duration::ZERO, multiplier: 1.0, jitter: 0.0 };
}
