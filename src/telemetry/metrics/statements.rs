//! Statements, from their transmission to their last reply.

use std::fmt;

use prometheus_client::metrics::{MetricType, counter::Counter, gauge::Gauge};

use super::{
    bounded::BoundedCounts,
    families::Families,
    series::{Counters, Durations},
};
use crate::telemetry::observer::{
    CancelReason, FailureClass, RetryReason, StatementFinished, StatementKind, Word as _,
};

/// The most codes of errors that are kept apart.
const CODES: usize = 200;
/// The outcome of a statement that succeeded.
const OK: &str = "ok";

/// What happens to statements.
#[derive(Debug)]
pub(super) struct Statements {
    by_kind: [OfKind; StatementKind::ALL.len()],
    running: Gauge,
    errors: BoundedCounts<1>,
    pub(super) rows: Counter,
    pub(super) retries: Counters<RetryReason>,
    cancels: Counters<CancelReason>,
}

/// The statements of one kind.
#[derive(Debug, Default)]
struct OfKind {
    succeeded: Counter,
    failed: Counters<FailureClass>,
    durations: Durations,
}

impl Default for Statements {
    fn default() -> Self {
        Self {
            by_kind: Default::default(),
            running: Gauge::default(),
            errors: BoundedCounts::new(CODES),
            rows: Counter::default(),
            retries: Counters::default(),
            cancels: Counters::default(),
        }
    }
}

impl Statements {
    pub(super) fn sent(&self) {
        self.running.inc();
    }

    pub(super) fn finished(&self, event: &StatementFinished<'_>) {
        self.running.dec();
        if let Some(of_kind) = self.by_kind.get(event.kind.index()) {
            match event.failure {
                None => {
                    of_kind.succeeded.inc();
                }
                Some(class) => of_kind.failed.inc(class),
            }
            of_kind.durations.observe(event.duration);
        }
        if let Some(code) = event.code {
            self.errors.inc(code, 0);
        }
    }

    pub(super) fn cancelled(&self, reason: CancelReason) {
        self.cancels.inc(counted_as(reason));
    }

    pub(super) fn encode(&self, out: &mut Families<'_>) -> fmt::Result {
        let kinds = || StatementKind::ALL.iter().map(|kind| kind.word()).zip(&self.by_kind);
        let mut samples =
            out.family("statements", MetricType::Counter, "Statements that were sent and have ended, one per attempt")?;
        for (kind, of_kind) in kinds() {
            samples.counter(&[("kind", kind), ("outcome", OK)], of_kind.succeeded.get())?;
            for (class, count) in of_kind.failed.counts() {
                samples.counter(&[("kind", kind), ("outcome", class.word())], count)?;
            }
        }
        let mut samples = out.family(
            "statement_duration_seconds",
            MetricType::Histogram,
            "Duration of statements, from RUN to the last SUCCESS or FAILURE",
        )?;
        for (kind, of_kind) in kinds() {
            samples.histogram(&[("kind", kind)], &of_kind.durations)?;
        }
        out.gauge("statements_running", "Statements that were sent and have not ended", self.running.get())?;
        let mut samples = out.family("statement_errors", MetricType::Counter, "Statements that failed, by code")?;
        for (code, [count]) in self.errors.snapshot() {
            samples.counter(&[("code", &code)], count)?;
        }
        out.counter("rows", "Rows received from the database", self.rows.get())?;
        out.counters("retries", "Attempts after the first", "reason", &self.retries)?;
        let mut samples = out.family("cancels", MetricType::Counter, "Statements that the gateway stopped")?;
        for (reason, count) in self.cancels.counts().filter(|(reason, _)| counted_as(*reason) == *reason) {
            samples.counter(&[("reason", reason.word())], count)?;
        }
        Ok(())
    }
}

/// Slow readers and stalled ones differ only in how long the database can bear them.
fn counted_as(reason: CancelReason) -> CancelReason {
    if reason == CancelReason::SlowReader { CancelReason::WriteStall } else { reason }
}
