//! Every event counts where it should, once, from several threads as well.

use std::{thread, time::Duration};

use boltgate::telemetry::{
    metrics::{Metrics, PoolGauges, Scrape},
    observer::{
        AcquireFailure, CancelReason, ClientClose, ConnectFailed, ConnectFailure, Connected, Discard, FailureClass,
        HttpProtocol, Observer as _, ProbeFailed, Purpose, Reloaded, RequestEnded, StatementFinished, StatementKind,
        TransactionOutcome,
    },
};

use super::text::{metrics, scrape};

/// A request that took 3 ms.
pub(super) fn one_request(metrics: &Metrics, method: &str, route: &str, status: u16) {
    let duration = Duration::from_millis(3);
    let event = RequestEnded { method, route, status, duration, request_bytes: 10, response_bytes: 200 };
    metrics.request_ended(&event);
}

/// A statement that took 3 ms, and failed if there is a code.
pub(super) fn one_statement(metrics: &Metrics, code: Option<&str>) {
    metrics.statement_sent(StatementKind::Statement);
    metrics.statement_finished(&StatementFinished {
        kind: StatementKind::Statement,
        duration: Duration::from_millis(3),
        failure: code.map(|_| FailureClass::ClientError),
        code,
    });
}

fn connected(metrics: &Metrics, purpose: Purpose) {
    let took = Duration::from_millis(3);
    metrics.connected(&Connected { purpose, took, version: &"5.8", dialect: &"neo4j", agent: "Neo4j/5.26.0" });
}

#[test]
fn requests_count_by_method_route_and_status() {
    let (metrics, scraped) = metrics();
    for (method, route, status) in [
        ("POST", "/db/{db}/query/v2", 202),
        ("POST", "/db/{db}/query/v2", 202),
        ("POST", "/db/{db}/query/v2", 499),
        ("BREW", "/", 405),
        ("GET", "other", 404),
        ("GET", "/", 999),
    ] {
        metrics.request_arrived();
        one_request(&metrics, method, route, status);
    }
    metrics.request_arrived();
    let scraped = scrape(&scraped);
    let count = |method, route, status| {
        scraped.find("boltgate_http_requests_total", &[("method", method), ("route", route), ("status", status)])
    };
    assert_eq!(count("POST", "/db/{db}/query/v2", "202"), Some(2.0));
    assert_eq!(count("POST", "/db/{db}/query/v2", "499"), Some(1.0));
    assert_eq!(count("other", "/", "405"), Some(1.0));
    assert_eq!(count("GET", "other", "404"), Some(1.0));
    assert_eq!(count("GET", "/", "599"), Some(1.0), "no status is left out");
    assert_eq!(scraped.sum("boltgate_http_requests_total"), 6.0);
    assert_eq!(scraped.value("boltgate_http_requests_in_flight", &[]), 1.0);
    let duration = "boltgate_http_request_duration_seconds";
    assert_eq!(scraped.sum(&format!("{duration}_count")), 6.0);
    let of = |le| scraped.value(&format!("{duration}_bucket"), &[("route", "/"), ("le", le)]);
    assert_eq!((of("0.0025"), of("0.005")), (0.0, 2.0));
    assert_eq!(scraped.value("boltgate_http_request_body_bytes_total", &[]), 60.0);
    assert_eq!(scraped.value("boltgate_http_response_body_bytes_total", &[]), 1200.0);
}

/// If a fault let clients choose routes or codes, they would not fill the memory.
#[test]
fn neither_routes_nor_codes_are_kept_without_end() {
    let (metrics, scraped) = metrics();
    for number in 0..1000 {
        metrics.request_arrived();
        one_request(&metrics, "GET", &format!("/{number}"), 200);
        one_statement(&metrics, Some(&format!("Neo.ClientError.X.Y{number}")));
    }
    let scraped = scrape(&scraped);
    assert_eq!(scraped.samples("boltgate_http_requests_total").len(), 65);
    assert_eq!(scraped.sum("boltgate_http_requests_total"), 1000.0);
    let other = [("method", "GET"), ("route", "other"), ("status", "200")];
    assert_eq!(scraped.value("boltgate_http_requests_total", &other), 936.0);
    assert_eq!(scraped.samples("boltgate_statement_errors_total").len(), 201);
    assert_eq!(scraped.value("boltgate_statement_errors_total", &[("code", "other")]), 800.0);
    assert_eq!(scraped.sum("boltgate_statement_errors_total"), 1000.0);
}

#[test]
fn no_count_is_lost_between_threads() {
    const TIMES: usize = 2000;
    let (metrics, scraped) = metrics();
    thread::scope(|scope| {
        for thread in 0..4 {
            let metrics = &metrics;
            scope.spawn(move || {
                for _ in 0..TIMES {
                    metrics.request_arrived();
                    one_request(metrics, "POST", "/a", 200);
                    one_request(metrics, "GET", &format!("/{thread}"), 200);
                    metrics.request_arrived();
                    one_statement(metrics, Some("A.B"));
                }
            });
        }
        // Whoever reads meanwhile sees a whole.
        for _ in 0..20 {
            scrape(&scraped);
        }
    });
    let scraped = scrape(&scraped);
    assert_eq!(scraped.sum("boltgate_http_requests_total"), (8 * TIMES) as f64);
    assert_eq!(scraped.sum("boltgate_http_request_duration_seconds_count"), (8 * TIMES) as f64);
    assert_eq!(scraped.value("boltgate_http_requests_in_flight", &[]), 0.0);
    assert_eq!(scraped.value("boltgate_statement_errors_total", &[("code", "A.B")]), (4 * TIMES) as f64);
    assert_eq!(scraped.value("boltgate_statements_running", &[]), 0.0);
}

#[test]
fn only_connections_of_the_pool_are_opened_and_discarded() {
    let metrics = std::sync::Arc::new(Metrics::default());
    let gauges =
        PoolGauges { max: 7, idle: 5, recovering: 1, waiting: 2, callers: 3, sent_bytes: 11, received_bytes: 13 };
    let scraped = Scrape::new(std::sync::Arc::clone(&metrics), move || gauges);
    for purpose in [Purpose::Pool, Purpose::Pool, Purpose::Pool, Purpose::Verification, Purpose::Termination] {
        connected(&metrics, purpose);
    }
    metrics.connection_discarded(Discard::Stale);
    let scraped = scrape(&scraped);
    let value = |name: &str, labels: &[(&str, &str)]| scraped.value(&format!("boltgate_{name}"), labels);
    assert_eq!(value("pool_opened_total", &[]), 3.0);
    assert_eq!(value("database_connect_duration_seconds_count", &[]), 5.0);
    assert_eq!(value("pool_discarded_total", &[("reason", "abandoned")]), 1.0, "its session cannot be cleaned");
    // Numbers that were read a moment apart do not contradict one another.
    assert_eq!(value("pool_connections", &[("state", "idle")]), 2.0);
    assert_eq!(scraped.sum("boltgate_pool_connections"), 2.0);
    assert_eq!(
        (value("pool_connections_max", &[]), value("pool_waiting", &[]), value("pool_callers", &[])),
        (7.0, 2.0, 3.0)
    );
    assert_eq!(value("database_sent_bytes_total", &[]), 11.0);
    assert_eq!(value("database_received_bytes_total", &[]), 13.0);
}

#[test]
fn a_database_that_refuses_a_login_is_up() {
    let (metrics, scraped) = metrics();
    let is_up = || scrape(&scraped).value("boltgate_database_up", &[]) == 1.0;
    let failed = |reason| {
        let took = Duration::from_millis(3);
        metrics.connect_failed(&ConnectFailed { purpose: Purpose::Pool, took, reason, error: &"no" });
    };
    assert!(!is_up(), "nobody has asked yet");
    metrics.probed(None);
    assert!(is_up());
    failed(ConnectFailure::Unreachable);
    assert!(!is_up());
    failed(ConnectFailure::Login);
    assert!(is_up());
    metrics.probed(Some(&ProbeFailed { reason: ConnectFailure::Timeout, error: &"no" }));
    assert!(!is_up());
    metrics.login_accepted();
    assert!(is_up());
    let failures = scrape(&scraped).sum("boltgate_database_connect_failures_total");
    assert_eq!(failures, 2.0, "a probe is not a connection");
}

#[test]
fn waits_count_whether_they_were_worth_it_or_not() {
    let (metrics, scraped) = metrics();
    metrics.connection_acquired(Duration::ZERO);
    metrics.acquire_failed(AcquireFailure::Exhausted, Duration::from_secs(10));
    metrics.acquire_failed(AcquireFailure::Connection, Duration::from_millis(1));
    let scraped = scrape(&scraped);
    assert_eq!(scraped.value("boltgate_pool_acquire_duration_seconds_count", &[]), 3.0);
    assert_eq!(scraped.value("boltgate_pool_acquire_duration_seconds_sum", &[]), 10.001);
    assert_eq!(scraped.value("boltgate_pool_acquire_timeouts_total", &[]), 1.0);
}

#[test]
fn what_has_ended_was_opened() {
    let (metrics, scraped) = metrics();
    for _ in 0..3 {
        metrics.transaction_opened();
    }
    metrics.transaction_ended(TransactionOutcome::IdleTimeout, Duration::from_secs(60));
    metrics.client_accepted();
    metrics.client_connected(HttpProtocol::Http2);
    metrics.client_accepted();
    metrics.client_disconnected(None, ClientClose::HeaderTimeout);
    let open = scrape(&scraped);
    assert_eq!(open.value("boltgate_transactions_open", &[]), 2.0);
    assert_eq!(open.value("boltgate_http_connections", &[("protocol", "http/2")]), 1.0);
    metrics.client_disconnected(Some(HttpProtocol::Http2), ClientClose::Done);
    let closed = scrape(&scraped);
    assert_eq!(closed.value("boltgate_http_connections", &[("protocol", "http/2")]), 0.0);
    assert_eq!(closed.value("boltgate_http_connections_total", &[]), 2.0);
    assert_eq!(closed.value("boltgate_http_connections_closed_total", &[("reason", "header_timeout")]), 1.0);
}

#[test]
fn the_state_of_the_gateway_is_the_newest() {
    let (metrics, scraped) = metrics();
    let value = |name: &str| scrape(&scraped).value(&format!("boltgate_{name}"), &[]);
    metrics.reloaded(Reloaded::Settings, false);
    assert_eq!(value("config_last_reload_successful"), 0.0);
    metrics.reloaded(Reloaded::Certificates, true);
    assert_eq!(value("config_last_reload_successful"), 0.0, "the settings are still those of before");
    metrics.reloaded(Reloaded::Settings, true);
    assert_eq!(value("config_last_reload_successful"), 1.0);
    metrics.certificate_in_force(Some(1_800_000_000));
    assert_eq!(value("tls_certificate_expiry_timestamp_seconds"), 1.8e9);
    metrics.answers_kept(4711);
    metrics.draining();
    assert_eq!((value("idempotency_kept_bytes"), value("draining")), (4711.0, 1.0));
    metrics.statement_cancelled(1, CancelReason::SlowReader);
    let cancels = scrape(&scraped).value("boltgate_cancels_total", &[("reason", "write_stall")]);
    assert_eq!(cancels, 1.0, "whoever reads too slowly stalls the writer");
    let fetches = |result| {
        let labels = [("issuer", "corp"), ("result", result)];
        scrape(&scraped).value("boltgate_jwks_fetches_total", &labels)
    };
    metrics.keys_wanted("corp");
    assert_eq!(["ok", "error"].map(fetches), [0.0, 0.0]);
    metrics.keys_fetched("corp", true);
    metrics.keys_fetched("corp", false);
    assert_eq!(["ok", "error"].map(fetches), [1.0, 1.0]);
}
