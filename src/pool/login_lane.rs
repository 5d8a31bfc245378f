//! The lane for logins of unverified callers, separate from the pool's permits.
//!
//! Anybody can send any number of passwords. So a login that may be refused takes no permit of the pool; it waits for
//! one of the lane's few. Once it has succeeded, the caller takes a permit like everybody else, and is lent the
//! connection that verified the login.

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout_at},
};

use super::error::PoolError;

/// The lane tries one login at a time for this many connections of the pool.
const SHARE: usize = 10;
/// The most waiting logins for each that is tried at a time.
const QUEUE: usize = 100;
/// The most waiting logins in all.
const LONGEST_QUEUE: usize = 1000;

/// Bounds the logins of unverified callers: how many are tried at a time, and how many wait.
pub(super) struct LoginLane {
    logins: Semaphore,
    queue: Semaphore,
    size: usize,
}

impl LoginLane {
    /// Returns the lane for a pool of `max` connections.
    pub(super) fn for_pool(max: usize) -> Self {
        let size = (max / SHARE).max(1);
        let queue = size.saturating_mul(QUEUE).min(LONGEST_QUEUE).max(size);
        Self { logins: Semaphore::new(size), queue: Semaphore::new(queue), size }
    }

    /// The number of logins that are tried at a time.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Joins the queue.
    ///
    /// # Errors
    /// [`PoolError::TooManyUnverified`] if the queue is full.
    pub(super) fn queue(&self) -> Result<SemaphorePermit<'_>, PoolError> {
        self.queue.try_acquire().map_err(|_| PoolError::TooManyUnverified { at_once: self.size })
    }

    /// Waits until a login may be tried.
    ///
    /// # Errors
    /// [`PoolError::TooManyUnverified`] past the deadline.
    pub(super) async fn enter(&self, deadline: Instant) -> Result<SemaphorePermit<'_>, PoolError> {
        match timeout_at(deadline, self.logins.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(PoolError::TooManyUnverified { at_once: self.size }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lane_is_small_but_never_closed() {
        for (max, size, queue) in [(1, 1, 100), (9, 1, 100), (20, 2, 200), (100, 10, 1000), (50_000, 5000, 5000)] {
            let lane = LoginLane::for_pool(max);
            assert_eq!((lane.size(), lane.queue.available_permits()), (size, queue), "{max}");
        }
    }
}
