//! A value that can be replaced while others use it: settings that SIGHUP takes over.
//!
//! Promises that a reader sees one whole value, and that reading never waits. Knows nothing of what it holds.

use std::{fmt, sync::Arc};

use arc_swap::{ArcSwap, Guard};

/// A value shared by clones, which all see the newest one.
pub struct Live<T>(Arc<ArcSwap<T>>);

impl<T> Live<T> {
    /// Starts with `value`.
    pub fn new(value: T) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(value)))
    }

    /// The newest value, for a look. Cheap; not to be held across an `await`.
    pub fn get(&self) -> Guard<Arc<T>> {
        self.0.load()
    }

    /// The newest value, to be kept for as long as a request or a connection needs the same one.
    pub fn snapshot(&self) -> Arc<T> {
        self.0.load_full()
    }

    /// Replaces the value.
    pub fn set(&self, value: T) {
        self.0.store(Arc::new(value));
    }
}

impl<T> Clone for Live<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: fmt::Debug> fmt::Debug for Live<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_see_the_newest_value_and_snapshots_keep_theirs() {
        let live = Live::new(1);
        let (clone, kept) = (live.clone(), live.snapshot());
        live.set(2);
        assert_eq!((**clone.get(), *kept), (2, 1));
    }
}
