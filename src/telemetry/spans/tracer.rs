//! Decides which requests are sampled.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    sync::Arc,
    time::Instant,
};

use super::{
    queue::SpanQueue,
    request::{Head, RequestSpan},
};
use crate::{
    live::Live,
    telemetry::{
        observer::Observer,
        trace_context::{SpanId, TraceContext, TraceId},
    },
};

/// What can be changed while requests are traced.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TraceSettings {
    /// The share of the traces that begin here which is sampled, from 0 to 1.
    pub sample: f64,
    /// Whether spans hold the text of statements.
    pub statements: bool,
}

/// Where the database is, on the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseAddress {
    /// The host name or IP address.
    pub host: String,
    /// The TCP port.
    pub port: u16,
}

/// Makes the spans of requests. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Tracer {
    pub(super) queue: Arc<SpanQueue>,
    settings: Live<TraceSettings>,
    pub(super) database: Option<Arc<DatabaseAddress>>,
}

impl Tracer {
    /// Makes a tracer, whose spans wait for an exporter. `database` is `None` if it is not on the network.
    #[must_use]
    pub fn new(settings: Live<TraceSettings>, database: Option<DatabaseAddress>, observer: Arc<dyn Observer>) -> Self {
        Self { queue: Arc::new(SpanQueue::new(observer)), settings, database: database.map(Arc::new) }
    }

    /// Begins the span of a request that arrived at `started`, if it is sampled: the caller's trace is if the caller says
    /// so, of others a share is.
    pub fn begin(
        &self,
        caller: Option<&TraceContext>,
        started: Instant,
        head: impl FnOnce() -> Head,
    ) -> Option<RequestSpan> {
        let settings = **self.settings.get();
        let sampled = caller.map_or_else(|| is_among(settings.sample), |caller| caller.sampled);
        sampled.then(|| RequestSpan::new(self.clone(), caller, settings.statements, started, head()))
    }

    /// What can be changed while requests are traced.
    #[must_use]
    pub fn settings(&self) -> &Live<TraceSettings> {
        &self.settings
    }

    /// The queue in which the spans wait.
    #[cfg(feature = "otlp")]
    pub(in crate::telemetry) fn queue(&self) -> &Arc<SpanQueue> {
        &self.queue
    }
}

/// Draws whether something is among `share` of all.
fn is_among(share: f64) -> bool {
    // 53 random bits make a number from 0 to 1, without 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    let drawn = (random() >> 11) as f64 / (1_u64 << 53) as f64;
    drawn < share
}

/// Makes the id of a new trace.
pub(super) fn new_trace() -> TraceId {
    TraceId(u128::from(random()) << 64 | u128::from(new_span().0))
}

/// Makes the id of a new span.
pub(super) fn new_span() -> SpanId {
    SpanId(random().max(1))
}

/// Randomly seeded and infallible. Good enough for what does not have to be secret.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::event_log::EventLog;

    fn head() -> Head {
        Head {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            scheme: "http",
            host: None,
            port: None,
            client: None,
            version: "1.1",
            user_agent: None,
        }
    }

    #[test]
    fn the_callers_decision_goes_before_the_share() {
        let settings = Live::new(TraceSettings { sample: 0.0, statements: false });
        let tracer = Tracer::new(settings.clone(), None, Arc::new(EventLog));
        let caller = |sampled| TraceContext { trace_id: TraceId(1), parent_id: SpanId(2), sampled };
        let begins = |caller: Option<&TraceContext>| tracer.begin(caller, Instant::now(), head).is_some();
        for (sample, without_caller) in [(0.0, false), (1.0, true)] {
            settings.set(TraceSettings { sample, statements: false });
            assert!((0..100).all(|_| begins(None) == without_caller), "{sample}");
            assert!(begins(Some(&caller(true))), "{sample}");
            assert!(!begins(Some(&caller(false))), "{sample}");
        }
    }

    #[test]
    fn a_share_of_the_traces_is_sampled() {
        let sampled = (0..10_000).filter(|_| is_among(0.25)).count();
        assert!((2_000..3_000).contains(&sampled), "{sampled}");
    }
}
