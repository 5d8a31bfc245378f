//! Trying again: when it is safe, how long to wait before, and when to give up.
//!
//! Only what the database has reported as undone is tried again, and only while nothing of the answer has left.

use std::time::Duration;

use tokio::time::Instant;

use super::policy::Retry;
use crate::query::{
    error::{AUTHORIZATION_EXPIRED, Error, Kind, UNAVAILABLE},
    statement::inspect,
};

/// What became of a request that may take more than one attempt.
#[derive(Debug)]
pub struct Attempted<T, E = Error> {
    /// Of the last attempt.
    pub outcome: Result<T, E>,
    /// How many got as far as the database.
    pub attempts: u32,
}

/// The attempts at one request.
#[derive(Debug)]
pub(in crate::query) struct Attempts {
    retry: Retry,
    /// The whole request ends then.
    end: Instant,
    count: u32,
    first_failure: Option<Instant>,
    pause: Duration,
    may_reauthenticate: bool,
}

impl Attempts {
    /// None yet.
    pub(in crate::query) fn new(retry: Retry, end: Instant) -> Self {
        Self { retry, end, count: 0, first_failure: None, pause: retry.initial_delay, may_reauthenticate: true }
    }

    /// The next one is on its way to the database.
    pub(in crate::query) fn start_next(&mut self) {
        self.count += 1;
    }

    /// How many got as far as the database, the one under way included.
    pub(in crate::query) fn count(&self) -> u32 {
        self.count
    }

    /// What is left of the time for the whole request; never nothing.
    pub(in crate::query) fn time_left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
    }

    /// How long to wait until the next attempt, if one may follow this failure of statements that begin with `texts`.
    pub(in crate::query) fn pause_after<'t>(
        &mut self,
        error: &Error,
        mut texts: impl Iterator<Item = &'t str>,
    ) -> Option<Duration> {
        if error.code == AUTHORIZATION_EXPIRED {
            // The database has carried out nothing, and the next connection will have logged in anew.
            self.count = self.count.saturating_sub(1);
            return std::mem::take(&mut self.may_reauthenticate).then_some(Duration::ZERO);
        }
        let may_follow = is_retryable(error) && !texts.any(inspect::may_commit_in_batches);
        if may_follow { self.next_pause_within_limits() } else { None }
    }

    /// How long to wait until the next attempt, if there is time for one.
    pub(in crate::query) fn next_pause_within_limits(&mut self) -> Option<Duration> {
        let now = Instant::now();
        let give_up = *self.first_failure.get_or_insert(now) + self.retry.max_time;
        let pause = self.next_pause();
        if now + pause >= give_up.min(self.end) {
            return None;
        }
        Some(pause)
    }

    fn next_pause(&mut self) -> Duration {
        let Retry { initial_delay, multiplier, jitter, .. } = self.retry;
        let pause = self.pause.max(Retry::SHORTEST_PAUSE);
        self.pause = pause.mul_f64(multiplier).min(initial_delay.max(Retry::LONGEST_PAUSE));
        pause.mul_f64(1.0 + jitter * (2.0 * random() - 1.0)).max(Retry::SHORTEST_PAUSE)
    }
}

/// The database has undone everything and says that it may go well next time. It has to be the same database: where
/// another would have to be found, or bookmarks waited for, clients know better.
fn is_retryable(error: &Error) -> bool {
    matches!(error.kind, Kind::Conflict | Kind::Transient)
        && error.code != UNAVAILABLE
        && !error.code.ends_with(".BookmarkTimeout")
}

/// From 0 to 1. Without randomness from the system pauses are simply not spread.
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
    async fn pauses_grow_up_to_a_point() {
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
    async fn no_attempt_begins_after_the_end() {
        assert_eq!(pauses(RETRY, Duration::from_millis(300)), [50, 100, 200]);
        let mut attempts = Attempts::new(RETRY, Instant::now() + Duration::from_secs(3600));
        attempts.start_next();
        while let Some(pause) = attempts.pause_after(&conflict(), std::iter::empty()) {
            tokio::time::advance(pause).await;
            attempts.start_next();
        }
        // 3.15 s until the pauses are 2 s, then one each 2 s.
        assert_eq!(attempts.count(), 20);
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_is_undone_is_tried_again() {
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
    async fn a_forgotten_login_is_asked_for_once() {
        let mut attempts = Attempts::new(Retry::NEVER, Instant::now() + Duration::from_secs(60));
        let forgotten = Error::new(Kind::Unauthorized, AUTHORIZATION_EXPIRED, "");
        attempts.start_next();
        assert_eq!(attempts.pause_after(&forgotten, std::iter::empty()), Some(Duration::ZERO));
        assert_eq!(attempts.count(), 0, "nothing was carried out");
        attempts.start_next();
        assert_eq!(attempts.count(), 1);
        assert_eq!(attempts.pause_after(&forgotten, std::iter::empty()), None);
    }
}
