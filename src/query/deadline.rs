//! How long an answer may take: until the limit on time is reached, or the caller's token has expired.

use std::{future::Future, time::Duration};

use tokio::time::{Instant, timeout_at};

use super::error::Error;
use crate::auth::Identity;

/// The end of what may be done for a caller.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    at: Instant,
    /// It is the caller's token that ends, not the time allowed.
    of_token: bool,
}

impl Deadline {
    /// `at`, or the end of the caller's credential if that comes earlier.
    pub(super) fn new(at: Instant, caller: &Identity) -> Self {
        match caller.until() {
            Some(end) if end < at => Self { at: end, of_token: true },
            _ => Self { at, of_token: false },
        }
    }

    /// After `span`, or as [`Deadline::new`].
    pub(super) fn after(span: Duration, caller: &Identity) -> Self {
        Self::new(Instant::now() + span, caller)
    }

    /// The moment itself.
    pub(super) fn at(self) -> Instant {
        self.at
    }

    /// Waits for `future` until then.
    ///
    /// # Errors
    /// What is to be said when the time is over.
    pub(super) async fn bound<T>(self, future: impl Future<Output = T>) -> Result<T, Error> {
        let passed = |_| if self.of_token { Error::token_expired() } else { Error::timed_out() };
        timeout_at(self.at, future).await.map_err(passed)
    }
}
