//! The way in for callers whose credentials are not known to be good.
//!
//! Anybody can send passwords, as many as they like. So a login that may be refused takes no permit: it stands in a line of
//! its own, for one of a few places beside the pool. Once it has succeeded the caller takes a permit as others do, and the
//! connection that proved the login is the one that it is lent.

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout_at},
};

use super::error::PoolError;

/// One place for so many connections of the pool.
const SHARE: usize = 10;
/// So many may wait for each place, and for all of them together.
const LINE: usize = 100;
const LONGEST_LINE: usize = 1000;

/// The places for logins of strangers, and the line for them.
pub(super) struct LoginLane {
    places: Semaphore,
    line: Semaphore,
    size: usize,
}

impl LoginLane {
    /// The lane beside a pool of `max` connections.
    pub(super) fn for_pool(max: usize) -> Self {
        let size = (max / SHARE).max(1);
        let line = size.saturating_mul(LINE).min(LONGEST_LINE).max(size);
        Self { places: Semaphore::new(size), line: Semaphore::new(line), size }
    }

    /// How many logins of strangers there are at a time.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Gets in line. Nobody waits where the line is full already.
    pub(super) fn line_up(&self) -> Result<SemaphorePermit<'_>, PoolError> {
        self.line.try_acquire().map_err(|_| PoolError::TooManyUnverified { places: self.size })
    }

    /// Waits for a place.
    pub(super) async fn enter(&self, deadline: Instant) -> Result<SemaphorePermit<'_>, PoolError> {
        match timeout_at(deadline, self.places.acquire()).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) | Err(_) => Err(PoolError::TooManyUnverified { places: self.size }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lane_is_small_and_never_shut() {
        for (max, size, line) in [(1, 1, 100), (9, 1, 100), (20, 2, 200), (100, 10, 1000), (50_000, 5000, 5000)] {
            let lane = LoginLane::for_pool(max);
            assert_eq!((lane.size(), lane.line.available_permits()), (size, line), "{max}");
        }
    }
}
