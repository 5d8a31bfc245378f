//! How many connections are open: each holds a slot, idle or in use.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// The count of open connections.
#[derive(Default)]
pub(super) struct ConnectionSlots {
    open: AtomicUsize,
}

/// One connection's place in the count; free again when it is dropped.
pub(super) struct ConnectionSlot(Arc<ConnectionSlots>);

impl ConnectionSlots {
    /// A slot, if fewer than `limit` are taken.
    pub(super) fn take_below(self: &Arc<Self>, limit: usize) -> Option<ConnectionSlot> {
        let more = |open| (open < limit).then_some(open + 1);
        self.open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(ConnectionSlot(Arc::clone(self)))
    }

    /// How many are taken.
    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_are_given_than_the_limit_says() {
        let slots = Arc::new(ConnectionSlots::default());
        let taken: Vec<_> = (0..5).filter_map(|_| slots.take_below(3)).collect();
        assert_eq!((taken.len(), slots.open()), (3, 3));
        assert!(slots.take_below(4).is_some(), "another limit");
        drop(taken);
        assert_eq!(slots.open(), 0);
    }
}
