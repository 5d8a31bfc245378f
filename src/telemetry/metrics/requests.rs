//! The requests of clients.

use std::{
    array, fmt,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use prometheus_client::metrics::{MetricType, counter::Counter, gauge::Gauge};

use super::{
    bounded::OTHER,
    families::Families,
    series::{Counters, Durations},
};
use crate::telemetry::observer::{RefusalReason, RequestEnded};

/// The methods that have a label of their own. Whatever else a client writes is the last.
const METHODS: [&str; 10] = ["GET", "POST", "DELETE", "OPTIONS", "HEAD", "PUT", "PATCH", "CONNECT", "TRACE", OTHER];
/// The lowest status that counts apart, and the number of those that do.
const FIRST_STATUS: u16 = 100;
const STATUSES: u16 = 500;
/// The most routes that are kept apart: several times as many as there are.
const ROUTES: usize = 64;

/// Requests from their heads to their ends.
#[derive(Debug)]
pub(super) struct Requests {
    pub(super) in_flight: Gauge,
    request_bytes: Counter,
    response_bytes: Counter,
    pub(super) refused: Counters<RefusalReason>,
    /// In the order in which they were first asked for, without gaps.
    routes: [OnceLock<Route>; ROUTES],
    other: Route,
}

/// The requests of one route.
#[derive(Debug)]
struct Route {
    name: Box<str>,
    /// For each of [`METHODS`] that was used, a count for each status.
    methods: [OnceLock<Box<[AtomicU64]>>; METHODS.len()],
    durations: Durations,
}

impl Default for Requests {
    fn default() -> Self {
        Self {
            in_flight: Gauge::default(),
            request_bytes: Counter::default(),
            response_bytes: Counter::default(),
            refused: Counters::default(),
            routes: array::from_fn(|_| OnceLock::new()),
            other: Route::new(OTHER),
        }
    }
}

impl Requests {
    pub(super) fn ended(&self, event: &RequestEnded<'_>) {
        let RequestEnded { method, route, status, duration, request_bytes, response_bytes } = *event;
        self.in_flight.dec();
        self.request_bytes.inc_by(request_bytes);
        self.response_bytes.inc_by(response_bytes);
        let route = self.route(route);
        route.count(method, status);
        route.durations.observe(duration);
    }

    /// Finds a route. There are few, and comparing their names is cheaper than hashing one.
    fn route(&self, name: &str) -> &Route {
        let of_slot =
            |slot: &'_ OnceLock<Route>| -> bool { slot.get_or_init(|| Route::new(name)).name.as_ref() == name };
        if name == OTHER {
            return &self.other;
        }
        self.routes.iter().find(|slot| of_slot(slot)).and_then(OnceLock::get).unwrap_or(&self.other)
    }

    pub(super) fn encode(&self, out: &mut Families<'_>) -> fmt::Result {
        let routes = || self.routes.iter().map_while(OnceLock::get).chain([&self.other]);
        let mut samples = out.family(
            "http_requests",
            MetricType::Counter,
            "Requests of clients that ended: the last byte is out, or the client has gone (status 499 before the head)",
        )?;
        for route in routes() {
            for (method, status, count) in route.counts() {
                let status = itoa::Buffer::new().format(status).to_owned();
                samples.counter(&[("method", method), ("route", &route.name), ("status", &status)], count)?;
            }
        }
        let mut samples = out.family(
            "http_request_duration_seconds",
            MetricType::Histogram,
            "Duration of requests, from the arrival of the head to the end",
        )?;
        for route in routes() {
            samples.histogram(&[("route", &route.name)], &route.durations)?;
        }
        out.gauge("http_requests_in_flight", "Requests that have arrived and not ended", self.in_flight.get())?;
        out.counter(
            "http_request_body_bytes",
            "Bodies of requests as they are on the connection",
            self.request_bytes.get(),
        )?;
        out.counter(
            "http_response_body_bytes",
            "Bodies of responses as they are on the connection",
            self.response_bytes.get(),
        )?;
        out.counters("requests_refused", "Requests refused by a limit of the gateway", "reason", &self.refused)
    }
}

impl Route {
    fn new(name: &str) -> Self {
        Self { name: name.into(), methods: array::from_fn(|_| OnceLock::new()), durations: Durations::default() }
    }

    fn count(&self, method: &str, status: u16) {
        let method = METHODS.iter().position(|known| *known == method).unwrap_or(METHODS.len() - 1);
        let statuses = || (0..STATUSES).map(|_| AtomicU64::new(0)).collect();
        let place = status.saturating_sub(FIRST_STATUS).min(STATUSES - 1);
        let statuses = self.methods.get(method).map(|of_method| of_method.get_or_init(statuses));
        if let Some(count) = statuses.and_then(|statuses| statuses.get(usize::from(place))) {
            count.fetch_add(1, Relaxed);
        }
    }

    /// The methods and statuses that have occurred.
    fn counts(&self) -> impl Iterator<Item = (&'static str, u16, u64)> {
        METHODS.iter().zip(&self.methods).flat_map(|(method, statuses)| {
            let counts = statuses.get().into_iter().flatten().map(|count| count.load(Relaxed));
            let counts = (FIRST_STATUS..).zip(counts).filter(|(_, count)| *count > 0);
            counts.map(|(status, count)| (*method, status, count))
        })
    }
}
