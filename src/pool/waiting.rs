//! The count of requests that wait for a connection.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The count.
#[derive(Default)]
pub(super) struct Waiting(AtomicUsize);

/// One request that waits, until this is dropped.
pub(super) struct Waiter<'a>(&'a Waiting);

impl Waiting {
    /// Counts one more.
    pub(super) fn join(&self) -> Waiter<'_> {
        self.0.fetch_add(1, Relaxed);
        Waiter(self)
    }

    /// The present count. It includes, for a moment, requests that do not have to wait.
    pub(super) fn count(&self) -> usize {
        self.0.load(Relaxed)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Relaxed);
    }
}
