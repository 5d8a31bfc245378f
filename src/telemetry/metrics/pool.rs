//! The connections to the database.

use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use prometheus_client::metrics::{MetricType, counter::Counter};

use super::{
    families::Families,
    series::{Counters, Durations},
};
use crate::telemetry::observer::{AcquireFailure, ConnectFailure, Connected, Discard, Purpose, Word as _};

/// What the pool itself knows at the moment of a scrape.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PoolGauges {
    /// The most connections that may be in use.
    pub max: usize,
    /// Connections that are not in use.
    pub idle: usize,
    /// Connections that are cleaned after an abandoned statement.
    pub recovering: usize,
    /// Requests that wait for a connection.
    pub waiting: usize,
    /// Identities that have connections.
    pub callers: usize,
    /// The bytes sent to the database since the start.
    pub sent_bytes: u64,
    /// The bytes received from the database since the start.
    pub received_bytes: u64,
}

/// What happens to connections to the database.
#[derive(Debug, Default)]
pub(super) struct Pool {
    acquiring: Durations,
    timeouts: Counter,
    opened: Counter,
    discarded: Counters<Discard>,
    is_up: AtomicBool,
    connecting: Durations,
    connect_failures: Counters<ConnectFailure>,
}

impl Pool {
    pub(super) fn connected(&self, event: &Connected<'_>) {
        self.connecting.observe(event.took);
        self.reached(None);
        if event.purpose == Purpose::Pool {
            self.opened.inc();
        }
    }

    pub(super) fn connect_failed(&self, reason: ConnectFailure) {
        self.connect_failures.inc(reason);
        self.reached(Some(reason));
    }

    /// Records whether the database could be reached. One that refuses a login was.
    pub(super) fn reached(&self, failure: Option<ConnectFailure>) {
        self.is_up.store(matches!(failure, None | Some(ConnectFailure::Login)), Relaxed);
    }

    pub(super) fn acquired(&self, waited: std::time::Duration) {
        self.acquiring.observe(waited);
    }

    pub(super) fn acquire_failed(&self, reason: AcquireFailure, waited: std::time::Duration) {
        self.acquiring.observe(waited);
        if reason == AcquireFailure::Exhausted {
            self.timeouts.inc();
        }
    }

    pub(super) fn discarded(&self, reason: Discard) {
        self.discarded.inc(counted_as(reason));
    }

    pub(super) fn encode(&self, gauges: &PoolGauges, out: &mut Families<'_>) -> fmt::Result {
        // In this order, and once: what is discarded was opened, and the sum of the states is the difference.
        let discarded: Vec<_> = self.discarded.counts().collect();
        let opened = self.opened.get();
        let open = opened.saturating_sub(discarded.iter().map(|(_, count)| count).sum());
        let idle = open.min(gauges.idle as u64);
        let recovering = (open - idle).min(gauges.recovering as u64);

        let mut samples = out.family("pool_connections", MetricType::Gauge, "Open connections of the pool")?;
        for (state, count) in [("idle", idle), ("in_use", open - idle - recovering), ("recovering", recovering)] {
            samples.gauge(&[("state", state)], count)?;
        }
        out.gauge("pool_connections_max", "The most connections that may be in use", gauges.max)?;
        out.gauge("pool_waiting", "Requests that wait for a connection", gauges.waiting)?;
        out.gauge("pool_callers", "Identities that have connections", gauges.callers)?;
        out.histogram(
            "pool_acquire_duration_seconds",
            "How long requests waited for a connection, whether they got one or not",
            &self.acquiring,
        )?;
        out.counter("pool_acquire_timeouts", "Requests for which no connection came free", self.timeouts.get())?;
        out.counter("pool_opened", "Connections of the pool that were opened", opened)?;
        let mut samples =
            out.family("pool_discarded", MetricType::Counter, "Connections of the pool that were closed")?;
        for (reason, count) in discarded {
            if counted_as(reason) == reason {
                samples.counter(&[("reason", reason.word())], count)?;
            }
        }
        out.gauge(
            "database_up",
            "1 if the last probe or login reached the database",
            u32::from(self.is_up.load(Relaxed)),
        )?;
        out.histogram(
            "database_connect_duration_seconds",
            "How long it took to connect to the database: TCP, TLS, handshake and login",
            &self.connecting,
        )?;
        out.counters(
            "database_connect_failures",
            "Connections to the database that could not be opened",
            "reason",
            &self.connect_failures,
        )?;
        out.counter("database_sent_bytes", "Bytes sent to the database, without those of TLS", gauges.sent_bytes)?;
        out.counter(
            "database_received_bytes",
            "Bytes received from the database, without those of TLS",
            gauges.received_bytes,
        )
    }
}

/// A connection whose session was changed cannot be cleaned: RESET does not bring the session back.
fn counted_as(reason: Discard) -> Discard {
    if reason == Discard::Stale { Discard::Abandoned } else { reason }
}
