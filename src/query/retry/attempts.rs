//! The attempts at one request: whether another may follow, after which pause, and when to give up.
//!
//! Promises that a retry is safe: only failures that the database reported as undone are retried. Callers retry only
//! while no part of the answer has been sent.

use std::time::Duration;

use tokio::time::Instant;

use super::policy::Retry;
use crate::query::{
    error::{AUTHORIZATION_EXPIRED, Error, Kind, UNAVAILABLE},
    statement::inspect,
};

/// The outcome of a request that may take several attempts.
#[derive(Debug)]
pub struct Attempted<T, E = Error> {
    /// The outcome of the last attempt.
    pub outcome: Result<T, E>,
    /// The number of attempts that were sent to the database.
    pub attempts: u32,
}

/// The attempts at one request.
#[derive(Debug)]
pub(in crate::query) struct Attempts {
    retry: Retry,
    /// The time limit of the whole request.
    end: Instant,
    count: u32,
    first_failure: Option<Instant>,
    pause: Duration,
    may_reauthenticate: bool,
}

impl Attempts {
    /// Creates the record of a request that ends at `end` and has had no attempt yet.
    pub(in crate::query) fn new(retry: Retry, end: Instant) -> Self {
        Self { retry, end, count: 0, first_failure: None, pause: retry.initial_delay, may_reauthenticate: true }
    }

    /// Counts an attempt that has been sent to the database.
    pub(in crate::query) fn count_attempt(&mut self) {
        self.count += 1;
    }

    /// The number of attempts that were sent to the database, the current one included.
    pub(in crate::query) fn count(&self) -> u32 {
        self.count
    }

    /// The time left for the whole request, at least a millisecond.
    pub(in crate::query) fn time_left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
    }

    /// Returns the pause before the next attempt, if `error` may be retried for statements with these texts and there
    /// is time for it.
    pub(in crate::query) fn pause_after<'t>(
        &mut self,
        error: &Error,
        mut texts: impl Iterator<Item = &'t str>,
    ) -> Option<Duration> {
        if error.code == AUTHORIZATION_EXPIRED {
            // The database executed nothing, and the next connection logs in again. This attempt does not count.
            self.count = self.count.saturating_sub(1);
            return std::mem::take(&mut self.may_reauthenticate).then_some(Duration::ZERO);
        }
        let may_follow = is_retryable(error) && !texts.any(inspect::may_commit_in_batches);
        if may_follow { self.next_pause() } else { None }
    }

    /// Returns the pause before the next attempt, if there is time for one.
    pub(in crate::query) fn next_pause(&mut self) -> Option<Duration> {
        let now = Instant::now();
        let give_up = *self.first_failure.get_or_insert(now) + self.retry.max_time;
        let pause = self.advance_pause();
        if now + pause >= give_up.min(self.end) {
            return None;
        }
        Some(pause)
    }

    fn advance_pause(&mut self) -> Duration {
        let Retry { initial_delay, multiplier, jitter, .. } = self.retry;
        let pause = self.pause.max(Retry::SHORTEST_PAUSE);
        self.pause = pause.mul_f64(multiplier).min(initial_delay.max(Retry::LONGEST_PAUSE));
        pause.mul_f64(1.0 + jitter * (2.0 * random() - 1.0)).max(Retry::SHORTEST_PAUSE)
    }
}

/// Whether the database has undone everything and a later attempt on the same database may succeed. Finding another
/// database, or waiting for a bookmark, is left to clients.
fn is_retryable(error: &Error) -> bool {
    matches!(error.kind, Kind::Conflict | Kind::Transient)
        && error.code != UNAVAILABLE
        && !error.code.ends_with(".BookmarkTimeout")
}

/// Returns a random number from 0 to 1, or 0.5, which adds no jitter, if the system has no random numbers.
fn random() -> f64 {
    getrandom::u32().map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETRY: Retry = Retry {
        max_time: Duration::from_secs(30),
        initial_delay: Duration::from_millis(50),
        multiplier: 2.0,
        jitter: 0.0,
    };

    fn conflict() -> Error {
        Error::new(Kind::Conflict, "Neo.TransientError.Transaction.DeadlockDetected", "")
    }

    fn pauses(retry: Retry, end: Duration) -> Vec<u128> {
        let mut attempts = Attempts::new(retry, Instant::now() + end);
        std::iter::from_fn(|| attempts.pause_after(&conflict(), ["CREATE ()"].into_iter()))
            .take(9)
            .map(|pause| pause.as_millis())
            .collect()
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_up_to_the_longest() {
        let day = Duration::from_secs(86_400);
        assert_eq!(pauses(RETRY, day), [50, 100, 200, 400, 800, 1600, 2000, 2000, 2000]);
        assert_eq!(pauses(Retry { initial_delay: Duration::from_secs(5), ..RETRY }, day)[..3], [5000, 5000, 5000]);
        let spread = pauses(Retry { jitter: 0.5, ..RETRY }, day);
        assert!((25..=75).contains(&spread[0]) && (1000..=3000).contains(&spread[8]), "{spread:?}");
        assert_eq!(pauses(Retry::NEVER, day), []);
        let hasty = Retry { initial_delay: Duration::ZERO, jitter: 1.0, ..RETRY };
        let hasty = pauses(hasty, day);
        assert!(hasty.iter().all(|pause| *pause >= 5) && *hasty.last().unwrap() <= 5 * 512, "{hasty:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn no_attempt_starts_after_the_time_limit() {
        assert_eq!(pauses(RETRY, Duration::from_millis(300)), [50, 100, 200]);
        let mut attempts = Attempts::new(RETRY, Instant::now() + Duration::from_secs(3600));
        attempts.count_attempt();
        while let Some(pause) = attempts.pause_after(&conflict(), std::iter::empty()) {
            tokio::time::advance(pause).await;
            attempts.count_attempt();
        }
        // The pauses reach 2 s after 3.15 s; from then on there is one attempt every 2 s.
        assert_eq!(attempts.count(), 20);
    }

    #[tokio::test(start_paused = true)]
    async fn only_failures_that_were_undone_are_retried() {
        let attempts = || Attempts::new(RETRY, Instant::now() + Duration::from_secs(60));
        let after = |error: &Error, text| attempts().pause_after(error, [text].into_iter());
        assert!(after(&conflict(), "CREATE ()").is_some());
        assert!(after(&conflict(), "CALL { CREATE () } IN TRANSACTIONS").is_none());
        let bookmark = Error::new(Kind::Transient, "Neo.TransientError.Transaction.BookmarkTimeout", "");
        for error in [Error::timed_out(), bookmark, Error::from_lost_statement(&crate::bolt::Error::Closed)] {
            assert!(after(&error, "CREATE ()").is_none(), "{error}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_expired_authorization_is_retried_once() {
        let mut attempts = Attempts::new(Retry::NEVER, Instant::now() + Duration::from_secs(60));
        let forgotten = Error::new(Kind::Unauthorized, AUTHORIZATION_EXPIRED, "");
        attempts.count_attempt();
        assert_eq!(attempts.pause_after(&forgotten, std::iter::empty()), Some(Duration::ZERO));
        assert_eq!(attempts.count(), 0, "nothing was executed");
        attempts.count_attempt();
        assert_eq!(attempts.count(), 1);
        assert_eq!(attempts.pause_after(&forgotten, std::iter::empty()), None);
    }
}
