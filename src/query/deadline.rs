//! Deadlines: a time limit, or the expiry of the caller's token if that comes first.

use std::{future::Future, pin::Pin, time::Duration};

use tokio::time::{Instant, timeout_at};

use super::error::Error;
use crate::auth::Identity;

/// The time after which nothing more is done for a caller's request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    at: Instant,
    /// Whether this is when the caller's token expires, not a time limit.
    of_token: bool,
    /// How long the database may take to do what it was told to do at the deadline.
    grace: Duration,
}

impl Deadline {
    /// Returns the deadline `at`, or the expiry of the caller's credentials if that comes earlier.
    pub(super) fn new(at: Instant, grace: Duration, caller: &Identity) -> Self {
        match caller.until() {
            Some(end) if end < at => Self { at: end, of_token: true, grace },
            _ => Self { at, of_token: false, grace },
        }
    }

    /// Returns the deadline `grace` after a time `limit` that the database enforces itself, bounded as in
    /// [`Deadline::new`].
    pub(super) fn after(limit: Duration, grace: Duration, caller: &Identity) -> Self {
        Self::new(Instant::now() + limit + grace, grace, caller)
    }

    /// Returns the deadline for an answer to a termination, a COMMIT or a ROLLBACK: the grace period from now, whatever
    /// the time limit was.
    pub(super) fn grace_period(self) -> Self {
        Self { at: Instant::now() + self.grace, of_token: false, grace: self.grace }
    }

    /// Returns the deadline, but at most `limit` from now.
    pub(super) fn within(self, limit: Duration) -> Self {
        Self { at: self.at.min(Instant::now() + limit), ..self }
    }

    /// Whether the deadline has passed.
    pub(super) fn has_passed(self) -> bool {
        self.at <= Instant::now()
    }

    /// Whether the deadline is the expiry of the caller's credentials, not a time limit.
    pub(super) fn is_expiry(self) -> bool {
        self.of_token
    }

    /// Returns the earlier of two deadlines.
    pub(super) fn min(self, other: Self) -> Self {
        if other.at < self.at { other } else { self }
    }

    /// The time of the deadline.
    pub(super) fn at(self) -> Instant {
        self.at
    }

    /// Waits for `future` until the deadline. Does not poll it if the deadline has already passed.
    ///
    /// The caller pins the future, because an async function that takes a future by value doubles its size.
    ///
    /// # Errors
    /// [`Error::timed_out`] or [`Error::token_expired`], when the deadline passes.
    pub(super) async fn bound<T>(self, future: Pin<&mut impl Future<Output = T>>) -> Result<T, Error> {
        let passed = || if self.of_token { Error::token_expired() } else { Error::timed_out() };
        if self.has_passed() {
            return Err(passed());
        }
        timeout_at(self.at, future).await.map_err(|_| passed())
    }
}

#[cfg(test)]
mod tests {
    use std::{future::pending, pin::pin};

    use super::*;
    use crate::bolt::AuthToken;

    #[tokio::test(start_paused = true)]
    async fn nothing_is_polled_after_the_deadline() {
        let caller = Identity::sample(AuthToken::none(), false);
        let deadline = Deadline::new(Instant::now(), Duration::ZERO, &caller);
        let begun = pin!(async { unreachable!("the deadline has passed") });
        assert_eq!(deadline.bound::<()>(begun).await, Err(Error::timed_out()));
        let later = Deadline::after(Duration::from_secs(1), Duration::ZERO, &caller);
        assert_eq!(later.bound(pin!(async { 1 })).await, Ok(1));
        assert_eq!(later.bound(pin!(pending::<()>())).await, Err(Error::timed_out()));
    }

    #[tokio::test(start_paused = true)]
    async fn the_expiry_of_credentials_is_a_deadline() {
        let end = Instant::now() + Duration::from_secs(5);
        let caller = Identity::sample_until(end);
        let deadline = Deadline::after(Duration::from_secs(60), Duration::ZERO, &caller);
        assert_eq!(deadline.at(), end);
        assert_eq!(deadline.bound(pin!(pending::<()>())).await, Err(Error::token_expired()));
    }
}
