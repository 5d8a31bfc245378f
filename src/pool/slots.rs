//! How many connections are open: each holds a slot, idle or in use. Their ends are reported here, so that none is missed.

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

/// One connection's place in the count; free again when it is dropped.
pub(super) struct ConnectionSlot {
    slots: Arc<ConnectionSlots>,
    /// Why the connection ends, unless something else is said before it does. `None` while there is no connection.
    end: Option<Discard>,
}

impl ConnectionSlots {
    /// No slot is taken.
    pub(super) fn new(observer: Arc<dyn Observer>) -> Self {
        Self { open: AtomicUsize::new(0), observer }
    }

    /// A slot, if fewer than `limit` are taken.
    pub(super) fn take_below(self: &Arc<Self>, limit: usize) -> Option<ConnectionSlot> {
        let more = |open| (open < limit).then_some(open + 1);
        self.open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(ConnectionSlot { slots: Arc::clone(self), end: None })
    }

    /// How many are taken.
    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }
}

impl ConnectionSlot {
    /// A connection is there, and ends for this reason unless another one is given.
    pub(super) fn will_end(&mut self, reason: Discard) {
        self.end = Some(reason);
    }

    /// The connection is closed, and the slot can be used for another one.
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
    fn no_more_are_given_than_the_limit_says() {
        let slots = Arc::new(ConnectionSlots::new(Arc::new(EventLog)));
        let taken: Vec<_> = (0..5).filter_map(|_| slots.take_below(3)).collect();
        assert_eq!((taken.len(), slots.open()), (3, 3));
        assert!(slots.take_below(4).is_some(), "another limit");
        drop(taken);
        assert_eq!(slots.open(), 0);
    }

    #[test]
    fn each_connection_ends_once() {
        let ends = Arc::new(Ends::default());
        let slots = Arc::new(ConnectionSlots::new(Arc::<Ends>::clone(&ends)));
        drop(slots.take_below(1)); // no connection came of it
        let mut slot = slots.take_below(1).unwrap();
        slot.will_end(Discard::Abandoned);
        slot.vacate(Discard::Evicted);
        slot.will_end(Discard::Abandoned);
        slot.will_end(Discard::Silent);
        drop(slot);
        assert_eq!(*ends.0.lock().unwrap(), [Discard::Evicted, Discard::Silent]);
    }
}
