//! How often and how patiently a transaction is retried.

use std::time::Duration;

/// How often and how patiently a transaction is tried again. The names of its parts are those of Bolt drivers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Retry {
    /// No further attempt begins later than this after the first failure. Zero: never.
    pub max_time: Duration,
    /// The pause before the second attempt. At least [`Retry::SHORTEST_PAUSE`], whatever is said here.
    pub initial_delay: Duration,
    /// Each pause is so much longer than the one before, up to [`Retry::LONGEST_PAUSE`]. At least 1.
    pub multiplier: f64,
    /// Each pause is shorter or longer by up to this part of it, so that those who collided do not meet again. 0 to 1.
    pub jitter: f64,
}

impl Retry {
    /// No pause is shorter: attempts that follow each other at once only add to the load.
    pub const SHORTEST_PAUSE: Duration = Duration::from_millis(5);

    /// Pauses grow no further than this, unless they begin above it.
    pub const LONGEST_PAUSE: Duration = Duration::from_secs(2);

    /// Exactly once.
    pub const NEVER: Self =
        Self { max_time: Duration::ZERO, initial_delay: Duration::ZERO, multiplier: 1.0, jitter: 0.0 };
}
