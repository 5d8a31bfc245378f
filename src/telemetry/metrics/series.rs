//! Series that events count in: kept, so that counting looks nothing up.

use std::{marker::PhantomData, time::Duration};

use prometheus_client::metrics::{counter::Counter, histogram};

use crate::telemetry::observer::Word;

/// The upper bounds of the buckets of all histograms, in seconds.
const BUCKETS: [f64; 15] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// A counter for each value of a closed set.
#[derive(Debug)]
pub(super) struct Counters<L>(Box<[Counter]>, PhantomData<L>);

impl<L: Word> Default for Counters<L> {
    fn default() -> Self {
        Self(L::ALL.iter().map(|_| Counter::default()).collect(), PhantomData)
    }
}

impl<L: Word> Counters<L> {
    pub(super) fn inc(&self, label: L) {
        self.inc_by(label, 1);
    }

    pub(super) fn inc_by(&self, label: L, count: u64) {
        if let Some(counter) = self.0.get(label.index()) {
            counter.inc_by(count);
        }
    }

    /// The present count of each value.
    pub(super) fn counts(&self) -> impl Iterator<Item = (L, u64)> {
        L::ALL.iter().copied().zip(self.0.iter().map(Counter::get))
    }
}

/// Durations, in the buckets that all histograms share.
#[derive(Debug, Clone)]
pub(super) struct Durations(pub(super) histogram::Histogram);

impl Default for Durations {
    fn default() -> Self {
        Self(histogram::Histogram::new(BUCKETS))
    }
}

impl Durations {
    pub(super) fn observe(&self, duration: Duration) {
        self.0.observe(duration.as_secs_f64());
    }
}
