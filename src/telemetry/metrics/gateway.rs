//! The gateway itself: who was let in, its stored answers, its settings, its end.

use std::{
    fmt,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    time::{SystemTime, UNIX_EPOCH},
};

use prometheus_client::metrics::{MetricType, counter::Counter};

use super::{bounded::BoundedCounts, families::Families, series::Counters};
use crate::telemetry::observer::{AuthFailure, Reloaded, SpanOutcome};

/// The most issuers that are kept apart.
const ISSUERS: usize = 200;
/// The results of fetching keys, and their places among the counts.
const RESULTS: [&str; 2] = ["ok", "error"];
/// The commit that the program was built from, if its builder has said so.
const REVISION: Option<&str> = option_env!("BOLTGATE_REVISION");

/// What happens to the gateway as a whole.
#[derive(Debug)]
pub(super) struct Gateway {
    pub(super) auth_failures: Counters<AuthFailure>,
    key_fetches: BoundedCounts<2>,
    pub(super) kept_bytes: AtomicU64,
    pub(super) replays: Counter,
    /// Whether the settings, and the certificates, could not be used when they were last read.
    failed: [AtomicBool; 2],
    /// When the settings in force were read, in milliseconds since 1970.
    reloaded: AtomicU64,
    pub(super) draining: AtomicBool,
    pub(super) spans: Counters<SpanOutcome>,
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            auth_failures: Counters::default(),
            key_fetches: BoundedCounts::new(ISSUERS),
            kept_bytes: AtomicU64::default(),
            replays: Counter::default(),
            failed: <[AtomicBool; 2]>::default(),
            reloaded: AtomicU64::new(now()),
            draining: AtomicBool::default(),
            spans: Counters::default(),
        }
    }
}

impl Gateway {
    pub(super) fn keys_wanted(&self, issuer: &str) {
        self.key_fetches.expect(issuer);
    }

    pub(super) fn keys_fetched(&self, issuer: &str, succeeded: bool) {
        self.key_fetches.inc(issuer, usize::from(!succeeded));
    }

    pub(super) fn reloaded(&self, of: Reloaded, succeeded: bool) {
        let [settings, certificates] = &self.failed;
        match of {
            Reloaded::Settings => settings,
            Reloaded::Certificates => certificates,
        }
        .store(!succeeded, Relaxed);
        if succeeded {
            self.reloaded.store(now(), Relaxed);
        }
    }

    pub(super) fn encode(&self, out: &mut Families<'_>) -> fmt::Result {
        out.counters("auth_failures", "Requests whose caller was not let in", "reason", &self.auth_failures)?;
        let mut samples = out.family("jwks_fetches", MetricType::Counter, "Fetches of the keys of issuers")?;
        for (issuer, counts) in self.key_fetches.snapshot() {
            for (result, count) in RESULTS.iter().zip(counts) {
                samples.counter(&[("issuer", &issuer), ("result", result)], count)?;
            }
        }
        out.gauge(
            "idempotency_kept_bytes",
            "Memory that is counted for stored answers and their keys",
            self.kept_bytes.load(Relaxed),
        )?;
        out.counter("idempotency_replays", "Requests that got a stored answer", self.replays.get())?;
        out.gauge(
            "config_last_reload_successful",
            "1 if the settings and the certificates could be used when they were last read",
            u32::from(!self.failed.iter().any(|failed| failed.load(Relaxed))),
        )?;
        out.gauge(
            "config_last_reload_success_timestamp_seconds",
            "When settings or certificates were last read and taken over",
            self.reloaded.load(Relaxed) as f64 / 1000.0,
        )?;
        out.gauge("draining", "1 once the gateway was told to stop", u32::from(self.draining.load(Relaxed)))?;
        out.counters("otlp_spans", "Spans for the collector of traces", "result", &self.spans)?;
        out.family("build", MetricType::Info, "The program")?.info(&[
            ("version", env!("CARGO_PKG_VERSION")),
            ("revision", REVISION.filter(|revision| !revision.is_empty()).unwrap_or("unknown")),
        ])
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
