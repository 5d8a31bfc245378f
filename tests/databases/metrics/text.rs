//! The text of a scrape: every family is there from the first one, as the documentation has it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use boltgate::telemetry::{
    metrics::{CONTENT_TYPE, Metrics, PoolGauges, Scrape},
    observer::Observer as _,
};

use crate::support::openmetrics::Exposition;

/// The metrics, and what scrapes them.
pub(super) fn metrics() -> (Arc<Metrics>, Scrape) {
    let metrics = Arc::new(Metrics::default());
    (Arc::clone(&metrics), Scrape::new(metrics, PoolGauges::default))
}

pub(super) fn scrape(scrape: &Scrape) -> Exposition {
    Exposition::parse(&scrape.render())
}

/// The samples whose labels are a closed set: name, label, values.
const CLOSED: [(&str, &str, &[&str]); 19] = [
    ("http_connections", "protocol", &["http/1.1", "http/2"]),
    (
        "http_connections_closed_total",
        "reason",
        &["done", "idle", "header_timeout", "body_timeout", "write_stall", "age", "drain", "tls", "error"],
    ),
    (
        "requests_refused_total",
        "reason",
        &[
            "requests",
            "caller_requests",
            "waiting",
            "caller_waiting",
            "acquire_timeout",
            "transactions",
            "body",
            "body_memory",
            "decompressed_body",
            "statement",
            "depth",
            "result_rows",
            "result_bytes",
            "host",
            "origin",
            "websockets",
        ],
    ),
    (
        "websockets_closed_total",
        "reason",
        &["done", "gone", "protocol", "database", "database_failed", "silent", "idle", "age", "off", "shutdown"],
    ),
    ("pool_connections", "state", &["idle", "in_use", "recovering"]),
    (
        "pool_discarded_total",
        "reason",
        &["lifetime", "evicted", "login", "dead", "broken", "protocol", "abandoned", "silent", "shutdown"],
    ),
    ("database_connect_failures_total", "reason", &["unreachable", "timeout", "tls", "handshake", "login"]),
    ("statement_duration_seconds_count", "kind", KINDS),
    ("retries_total", "reason", &["conflict", "transient", "connection"]),
    ("cancels_total", "reason", &["client_gone", "write_stall", "deadline", "caller", "operator", "limit", "shutdown"]),
    (
        "transactions_ended_total",
        "outcome",
        &["committed", "rolled_back", "failed", "idle_timeout", "lifetime", "expired", "operator", "shutdown", "lost"],
    ),
    (
        "auth_failures_total",
        "reason",
        &["malformed", "scheme", "refused", "expired", "token", "keys_unavailable", "rate_limited", "impersonation"],
    ),
    ("tls_handshakes_total", "result", &["ok", "error", "timeout"]),
    ("otlp_spans_total", "result", &["exported", "dropped", "failed"]),
    // Without labels.
    ("pool_opened_total", "", &[]),
    ("pool_acquire_duration_seconds_count", "", &[]),
    ("rows_total", "", &[]),
    ("websockets", "", &[]),
    ("draining", "", &[]),
];
const KINDS: &[&str] = &["explicit", "statement", "batch", "load"];
const OUTCOMES: [&str; 7] = ["ok", "client_error", "transient", "database_error", "cancelled", "timeout", "lost"];

#[test]
fn every_series_of_a_closed_set_is_there_from_the_first_scrape() {
    let (_, first) = metrics();
    let first = scrape(&first);
    for (name, label, values) in CLOSED {
        let name = format!("boltgate_{name}");
        let found: BTreeSet<_> =
            first.samples(&name).into_iter().map(|(labels, value)| (labels.clone(), value == 0.0)).collect();
        let labels = |value: &&str| BTreeMap::from([(label.to_owned(), (*value).to_owned())]);
        let expected: BTreeSet<_> = match values {
            [] => [(BTreeMap::new(), true)].into(),
            values => values.iter().map(|value| (labels(value), true)).collect(),
        };
        assert_eq!(found, expected, "{name}");
    }
    for kind in KINDS {
        for outcome in OUTCOMES {
            let labels = [("kind", *kind), ("outcome", outcome)];
            assert_eq!(first.value("boltgate_statements_total", &labels), 0.0);
        }
    }
    assert_eq!(first.samples("boltgate_statements_total").len(), KINDS.len() * OUTCOMES.len());
}

#[test]
fn buckets_reach_from_half_a_millisecond_to_half_a_minute() {
    let (_, first) = metrics();
    let first = scrape(&first);
    let buckets = first.samples("boltgate_transaction_duration_seconds_bucket");
    let bounds: Vec<_> = buckets.iter().map(|(labels, _)| labels["le"].as_str()).collect();
    assert_eq!(
        bounds,
        [
            "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0",
            "10.0", "30.0", "+Inf"
        ]
    );
}

#[test]
fn the_beginning_is_a_state_without_faults() {
    let (_, first) = metrics();
    let first = scrape(&first);
    assert_eq!(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert_eq!(first.value("boltgate_config_last_reload_successful", &[]), 1.0);
    let started = first.value("process_start_time_seconds", &[]);
    let reloaded = first.value("boltgate_config_last_reload_success_timestamp_seconds", &[]);
    assert!(started > 1.7e9 && (reloaded - started).abs() < 60.0, "{started}, {reloaded}");
    assert_eq!(
        first.find("boltgate_tls_certificate_expiry_timestamp_seconds", &[]),
        None,
        "a gateway without TLS has no certificate"
    );
    let [(labels, _)] = first.samples("boltgate_build_info")[..] else { panic!("one program") };
    assert_eq!(labels["version"], env!("CARGO_PKG_VERSION"));
    assert!(!labels["revision"].is_empty());
    if cfg!(target_os = "linux") {
        for name in
            ["process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "process_max_fds"]
        {
            assert!(first.value(name, &[]) > 0.0 || name.starts_with("process_cpu"), "{name}");
        }
        assert!(first.value("process_open_fds", &[]) < first.value("process_max_fds", &[]));
    }
}

/// The table of `docs/metrics.md`: name, type and labels of each metric.
#[test]
fn the_documentation_lists_every_metric() {
    let (metrics, scraped) = metrics();
    // Such as are not there without an event.
    metrics.certificate_in_force(Some(1));
    metrics.keys_fetched("corp", true);
    metrics.request_arrived();
    super::counted::one_request(&metrics, "GET", "other", 404);
    super::counted::one_statement(&metrics, Some("Neo.ClientError.Statement.SyntaxError"));
    let scraped = scrape(&scraped);
    let samples = |name: &str, kind: &str| match kind {
        "counter" => format!("{name}_total"),
        "info" => format!("{name}_info"),
        _ => name.to_owned(),
    };
    let labels = |family: &crate::support::openmetrics::Family| -> BTreeSet<String> {
        family.samples.iter().flat_map(|(_, labels, _)| labels.keys()).filter(|name| *name != "le").cloned().collect()
    };
    let rendered: BTreeMap<String, (String, BTreeSet<String>)> = scraped
        .families
        .iter()
        .map(|(name, family)| (samples(name, &family.kind), (family.kind.clone(), labels(family))))
        .collect();
    let page = include_str!("../../../docs/metrics.md");
    let (_, table) = page.split_once("## All metrics").expect("it has them");
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |"));
    let documented: BTreeMap<String, (String, BTreeSet<String>)> = rows
        .take_while(|row| row.contains("`"))
        .map(|row| {
            let cells: Vec<_> = row.split('|').map(str::trim).collect();
            let [name, kind, labels, meaning] = cells[..] else { panic!("{row}") };
            assert!(meaning.len() > 10, "{row}");
            // The labels are the names before an equals sign, or alone.
            let labels = labels.split(';').filter_map(|label| label.split('`').nth(1)).map(str::to_owned).collect();
            (name.trim_end_matches('`').to_owned(), (kind.to_owned(), labels))
        })
        .collect();
    assert_eq!(documented, rendered);
}
