//! The queue of spans that wait for their export.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use super::span::Span;
use crate::telemetry::observer::{Observer, SpanOutcome};

/// The most spans that wait. Further ones are dropped: a collector that is away must not fill the memory.
const LONGEST_QUEUE: usize = 2048;
/// The number of spans that ends the wait for more.
const BATCH: usize = 512;

/// Spans that wait.
pub(in crate::telemetry) struct SpanQueue {
    spans: Mutex<VecDeque<Span>>,
    /// There are spans.
    arrived: Notify,
    /// There are as many as make a batch.
    gathered: Notify,
    pub(in crate::telemetry) observer: Arc<dyn Observer>,
}

impl SpanQueue {
    pub(super) fn new(observer: Arc<dyn Observer>) -> Self {
        Self { spans: Mutex::default(), arrived: Notify::new(), gathered: Notify::new(), observer }
    }

    /// Adds a span, or drops it if too many wait.
    pub(super) fn push(&self, span: Span) {
        let mut spans = self.spans();
        if spans.len() >= LONGEST_QUEUE {
            drop(spans);
            self.observer.spans_ended(SpanOutcome::Dropped, 1);
            return;
        }
        spans.push_back(span);
        let length = spans.len();
        drop(spans);
        if length == 1 {
            self.arrived.notify_one();
        }
        if length == BATCH {
            self.gathered.notify_one();
        }
    }

    /// Takes up to a batch of those that have waited longest.
    pub(in crate::telemetry) fn take(&self) -> Vec<Span> {
        let mut spans = self.spans();
        let count = spans.len().min(BATCH);
        spans.drain(..count).collect()
    }

    /// Waits until there are spans. May return without any.
    pub(in crate::telemetry) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// Waits until there is a batch. May return without one.
    pub(in crate::telemetry) async fn gathered(&self) {
        self.gathered.notified().await;
    }

    fn spans(&self) -> MutexGuard<'_, VecDeque<Span>> {
        // The queue is consistent after every statement, so a panic of another thread does no harm.
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SpanQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanQueue").field("waiting", &self.spans().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::SystemTime,
    };

    use super::{super::span::What, *};
    use crate::telemetry::trace_context::{SpanId, TraceId};

    #[derive(Default)]
    struct Dropped(AtomicUsize);

    impl Observer for Dropped {
        fn spans_ended(&self, outcome: SpanOutcome, count: usize) {
            assert_eq!(outcome, SpanOutcome::Dropped);
            self.0.fetch_add(count, Ordering::Relaxed);
        }
    }

    fn span(id: u64) -> Span {
        let (started, ended) = (SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH);
        Span { trace: TraceId(1), id: SpanId(id), parent: None, started, ended, what: What::Internal("x") }
    }

    #[test]
    fn spans_that_find_the_queue_full_are_dropped_and_counted() {
        let dropped = Arc::new(Dropped::default());
        let queue = SpanQueue::new(Arc::clone(&dropped) as Arc<dyn Observer>);
        for id in 1..=3000 {
            queue.push(span(id));
        }
        assert_eq!(dropped.0.load(Ordering::Relaxed), 3000 - 2048);
        let taken: Vec<_> = std::iter::from_fn(|| Some(queue.take()).filter(|batch| !batch.is_empty())).collect();
        assert!(taken.iter().all(|batch| batch.len() <= BATCH));
        let ids: Vec<_> = taken.iter().flatten().map(|span| span.id.0).collect();
        assert_eq!(ids, (1..=2048).collect::<Vec<_>>());
        queue.push(span(1));
        assert_eq!(queue.take().len(), 1);
    }
}
