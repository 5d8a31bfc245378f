//! The count of open connections: each holds a slot, idle or in use. The slot reports the end of its connection, so
//! that every connection that was opened is reported closed exactly once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use crate::telemetry::observer::{Discard, Observer};

/// The count of open connections.
pub(super) struct ConnectionSlots {
    open: AtomicUsize,
    observer: Arc<dyn Observer>,
}

/// One connection's slot, free again when it is dropped.
pub(super) struct ConnectionSlot {
    slots: Arc<ConnectionSlots>,
    /// The reason to report when the slot is dropped. `None` while no connection occupies it.
    end: Option<Discard>,
}

impl ConnectionSlots {
    /// Returns slots of which none is taken.
    pub(super) fn new(observer: Arc<dyn Observer>) -> Self {
        Self { open: AtomicUsize::new(0), observer }
    }

    /// Takes a slot, if fewer than `limit` are taken.
    pub(super) fn take_below(self: &Arc<Self>, limit: usize) -> Option<ConnectionSlot> {
        let more = |open| (open < limit).then_some(open + 1);
        self.open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(ConnectionSlot { slots: Arc::clone(self), end: None })
    }

    /// The number of slots that are taken.
    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }
}

impl ConnectionSlot {
    /// Records that a connection occupies the slot, and the reason to report for its end.
    pub(super) fn will_end(&mut self, reason: Discard) {
        self.end = Some(reason);
    }

    /// Reports that the connection was closed, and frees the slot for another one.
    pub(super) fn vacate(&mut self, reason: Discard) {
        self.end = None;
        self.slots.observer.connection_discarded(reason);
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.slots.open.fetch_sub(1, Ordering::Relaxed);
        if let Some(reason) = self.end {
            self.slots.observer.connection_discarded(reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::telemetry::event_log::EventLog;

    #[derive(Default)]
    struct Ends(Mutex<Vec<Discard>>);

    impl Observer for Ends {
        fn connection_discarded(&self, reason: Discard) {
            self.0.lock().unwrap().push(reason);
        }
    }

    #[test]
    fn no_more_slots_are_taken_than_the_limit_allows() {
        let slots = Arc::new(ConnectionSlots::new(Arc::new(EventLog)));
        let taken: Vec<_> = (0..5).filter_map(|_| slots.take_below(3)).collect();
        assert_eq!((taken.len(), slots.open()), (3, 3));
        assert!(slots.take_below(4).is_some(), "another limit");
        drop(taken);
        assert_eq!(slots.open(), 0);
    }

    #[test]
    fn the_end_of_each_connection_is_reported_once() {
        let ends = Arc::new(Ends::default());
        let slots = Arc::new(ConnectionSlots::new(Arc::<Ends>::clone(&ends)));
        drop(slots.take_below(1)); // no connection was opened in it
        let mut slot = slots.take_below(1).unwrap();
        slot.will_end(Discard::Abandoned);
        slot.vacate(Discard::Evicted);
        slot.will_end(Discard::Abandoned);
        slot.will_end(Discard::Silent);
        drop(slot);
        assert_eq!(*ends.0.lock().unwrap(), [Discard::Evicted, Discard::Silent]);
    }
}
