//! How long an answer may take: until the limit on time is reached, or the caller's token has expired.

use std::{future::Future, pin::Pin, time::Duration};

use tokio::time::{Instant, timeout_at};

use super::error::Error;
use crate::auth::Identity;

/// The end of what may be done for a caller.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    at: Instant,
    /// It is the caller's token that ends, not the time allowed.
    of_token: bool,
    /// How long the database may take to end what it was told to end.
    grace: Duration,
}

impl Deadline {
    /// `at`, or the end of the caller's credential if that comes earlier.
    pub(super) fn new(at: Instant, grace: Duration, caller: &Identity) -> Self {
        match caller.until() {
            Some(end) if end < at => Self { at: end, of_token: true, grace },
            _ => Self { at, of_token: false, grace },
        }
    }

    /// `grace` after a time `limit` that the database was told, or as [`Deadline::new`].
    pub(super) fn after(limit: Duration, grace: Duration, caller: &Identity) -> Self {
        Self::new(Instant::now() + limit + grace, grace, caller)
    }

    /// `grace` from now, whatever the limit: for what the database was told to end, or to commit.
    pub(super) fn grace_period(self) -> Self {
        Self { at: Instant::now() + self.grace, of_token: false, grace: self.grace }
    }

    /// Whichever is earlier.
    pub(super) fn min(self, other: Self) -> Self {
        if other.at < self.at { other } else { self }
    }

    /// The moment itself.
    pub(super) fn at(self) -> Instant {
        self.at
    }

    /// Waits for `future` until then. When the time is over already, nothing of it is begun.
    ///
    /// It comes pinned where the caller holds it: a future that takes another one in is twice its size.
    ///
    /// # Errors
    /// What is to be said when the time is over.
    pub(super) async fn bound<T>(self, future: Pin<&mut impl Future<Output = T>>) -> Result<T, Error> {
        let passed = || if self.of_token { Error::token_expired() } else { Error::timed_out() };
        if self.at <= Instant::now() {
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
    async fn nothing_is_begun_when_the_time_is_over() {
        let caller = Identity::sample(AuthToken::none(), false);
        let deadline = Deadline::new(Instant::now(), Duration::ZERO, &caller);
        let begun = pin!(async { unreachable!("the time is over") });
        assert_eq!(deadline.bound::<()>(begun).await, Err(Error::timed_out()));
        let later = Deadline::after(Duration::from_secs(1), Duration::ZERO, &caller);
        assert_eq!(later.bound(pin!(async { 1 })).await, Ok(1));
        assert_eq!(later.bound(pin!(pending::<()>())).await, Err(Error::timed_out()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_credential_ends_what_takes_longer() {
        let end = Instant::now() + Duration::from_secs(5);
        let caller = Identity::sample_until(end);
        let deadline = Deadline::after(Duration::from_secs(60), Duration::ZERO, &caller);
        assert_eq!(deadline.at(), end);
        assert_eq!(deadline.bound(pin!(pending::<()>())).await, Err(Error::token_expired()));
    }
}
