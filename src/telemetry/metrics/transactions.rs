//! Explicit transactions.

use std::{fmt, time::Duration};

use prometheus_client::metrics::{MetricType, counter::Counter};

use super::{
    families::Families,
    series::{Counters, Durations},
};
use crate::telemetry::observer::{TransactionOutcome, Word as _};

/// What happens to explicit transactions.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    pub(super) opened: Counter,
    ended: Counters<TransactionOutcome>,
    durations: Durations,
}

impl Transactions {
    pub(super) fn ended(&self, outcome: TransactionOutcome, duration: Duration) {
        self.ended.inc(outcome);
        self.durations.observe(duration);
    }

    pub(super) fn encode(&self, out: &mut Families<'_>) -> fmt::Result {
        // In this order, and once: what has ended was opened.
        let ended: Vec<_> = self.ended.counts().collect();
        let opened = self.opened.get();
        let open = opened.saturating_sub(ended.iter().map(|(_, count)| count).sum());
        out.gauge("transactions_open", "Explicit transactions that are open", open)?;
        out.counter("transactions_opened", "Explicit transactions that were opened", opened)?;
        let mut samples = out.family("transactions_ended", MetricType::Counter, "Explicit transactions that ended")?;
        for (outcome, count) in ended {
            samples.counter(&[("outcome", outcome.word())], count)?;
        }
        out.histogram("transaction_duration_seconds", "Duration of explicit transactions", &self.durations)
    }
}
