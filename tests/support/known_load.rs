//! A load of which everything is known beforehand, and what the metrics have to say after it.
//!
//! Its statements are understood by the fake Neo4j as well as by the real one.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{gateway::Gateway, openmetrics::Exposition, query::transaction_id};

/// The setting that the gateway needs.
pub const ADMIN: (&str, &str) = ("admin.listen", "127.0.0.1:0");
/// The longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);

const QUERY: &str = "/db/neo4j/query/v2";
const TX: &str = "/db/neo4j/query/v2/tx";

/// What was sent, counted by the client.
#[derive(Debug, Default)]
pub struct Sent {
    /// Method, route and status of each request.
    requests: BTreeMap<(&'static str, &'static str, u16), u64>,
    /// Requests that needed a connection to the database.
    acquired: u64,
    rows: u64,
    /// By kind and outcome.
    statements: BTreeMap<(&'static str, &'static str), u64>,
}

impl Sent {
    /// Sends the load `times` times, one request after the other.
    pub async fn to(gateway: &Gateway, times: u64) -> Self {
        let mut sent = Self::default();
        for round in 0..times {
            sent.round(gateway, &format!("round-{round}")).await;
        }
        sent
    }

    async fn round(&mut self, gateway: &Gateway, key: &str) {
        let (good, bad) = (json!({ "statement": "RETURN 1 AS n" }), json!({ "statement": "NOT A STATEMENT" }));
        for _ in 0..5 {
            self.send(gateway, ("POST", QUERY, QUERY, &[]), &good, 202).await;
        }
        for _ in 0..2 {
            self.send(gateway, ("POST", QUERY, QUERY, &[]), &bad, 400).await;
        }
        let batch = json!({ "statements": [good, good, good] });
        self.send(gateway, ("POST", &format!("{QUERY}/batch"), &format!("{QUERY}/batch"), &[]), &batch, 202).await;
        for _ in 0..2 {
            self.send(gateway, ("POST", QUERY, QUERY, &[("Idempotency-Key", key)]), &good, 202).await;
        }
        for end in ["commit", "roll back"] {
            let opened = self.send(gateway, ("POST", TX, TX, &[]), &good, 202).await;
            let path = format!("{TX}/{opened}");
            match end {
                "commit" => {
                    let path = format!("{path}/commit");
                    self.send(gateway, ("POST", &path, &format!("{TX}/{{id}}/commit"), &[]), &good, 202).await
                }
                _ => self.send(gateway, ("DELETE", &path, &format!("{TX}/{{id}}"), &[]), &json!({}), 200).await,
            };
        }
        self.send(gateway, ("POST", "/nowhere", "other", &[]), &good, 404).await;
        // The second request with the key needs nothing of the database.
        self.acquired += 5 + 2 + 1 + 1 + 2;
        self.rows += 5 + 3 + 1 + 3;
        for (kind, outcome, count) in
            [("statement", "ok", 6), ("statement", "client_error", 2), ("batch", "ok", 3), ("explicit", "ok", 3)]
        {
            *self.statements.entry((kind, outcome)).or_default() += count;
        }
    }

    /// Sends a request, and returns the transaction that the answer names.
    async fn send(
        &mut self,
        gateway: &Gateway,
        (method, path, route, headers): (&'static str, &str, &str, &[(&str, &str)]),
        request: &Value,
        status: u16,
    ) -> String {
        let headers: Vec<_> = [("Content-Type", "application/json")].iter().chain(headers).copied().collect();
        let response = gateway.send(method, path, &headers, &request.to_string()).await;
        assert_eq!(response.status, status, "{response}");
        let route = match route {
            "other" => "other",
            route => *ROUTES.iter().find(|known| known.replace("{db}", "neo4j") == route).expect("it is a route"),
        };
        *self.requests.entry((method, route, status)).or_default() += 1;
        if route.ends_with("/tx") { transaction_id(&response) } else { String::new() }
    }

    /// What the metrics say of the database: connections, rows, answers.
    ///
    /// # Panics
    /// When they are wrong, or a connection is still in use.
    pub async fn assert_database(&self, gateway: &Gateway) {
        let metrics = quiet(gateway).await;
        let value = |name: &str, labels: &[(&str, &str)]| metrics.value(&format!("boltgate_{name}"), labels);
        assert_eq!(value("pool_acquire_duration_seconds_count", &[]), self.acquired as f64);
        assert_eq!(value("rows_total", &[]), self.rows as f64);
        assert_eq!(value("database_up", &[]), 1.0);
        assert_eq!(value("pool_acquire_timeouts_total", &[]), 0.0);
        assert_eq!(value("idempotency_replays_total", &[]), self.requests_of(QUERY_ROUTE, 202) / 7.0, "one in seven");
        assert!(value("idempotency_kept_bytes", &[]) > 0.0);
        assert!(value("database_sent_bytes_total", &[]) > 0.0);
        assert!(value("database_received_bytes_total", &[]) > 0.0);
        assert_eq!(metrics.sum("boltgate_database_connect_failures_total"), 0.0);
        assert_eq!(value("pool_callers", &[]), 1.0, "nobody but the anonymous caller has connections");
        for state in ["in_use", "recovering"] {
            assert_eq!(value("pool_connections", &[("state", state)]), 0.0, "{state}");
        }
        assert!(value("pool_connections", &[("state", "idle")]) >= 1.0);
        assert_open(&metrics);
    }

    /// What the metrics say of explicit transactions.
    ///
    /// # Panics
    /// When they are wrong.
    pub async fn assert_transactions(&self, gateway: &Gateway) {
        let metrics = quiet(gateway).await;
        let opened = self.requests_of(TX_ROUTE, 202);
        assert_eq!(metrics.value("boltgate_transactions_opened_total", &[]), opened);
        assert_eq!(metrics.value("boltgate_transactions_open", &[]), 0.0);
        for (outcome, count) in [("committed", opened / 2.0), ("rolled_back", opened / 2.0), ("failed", 0.0)] {
            assert_eq!(metrics.value("boltgate_transactions_ended_total", &[("outcome", outcome)]), count, "{outcome}");
        }
        assert_eq!(metrics.value("boltgate_transaction_duration_seconds_count", &[]), opened);
    }

    /// What the metrics say of statements.
    ///
    /// # Panics
    /// When they are wrong.
    pub async fn assert_statements(&self, gateway: &Gateway) {
        let metrics = quiet(gateway).await;
        for ((kind, outcome), count) in &self.statements {
            let labels = [("kind", *kind), ("outcome", *outcome)];
            assert_eq!(metrics.value("boltgate_statements_total", &labels), *count as f64, "{labels:?}");
        }
        let all = self.statements.values().sum::<u64>() as f64;
        assert_eq!(metrics.sum("boltgate_statements_total"), all);
        assert_eq!(metrics.sum("boltgate_statement_duration_seconds_count"), all);
        assert_eq!(metrics.value("boltgate_statements_running", &[]), 0.0);
        let code = ("code", "Neo.ClientError.Statement.SyntaxError");
        assert_eq!(metrics.value("boltgate_statement_errors_total", &[code]), self.requests_of(QUERY_ROUTE, 400));
        assert_eq!(metrics.sum("boltgate_retries_total") + metrics.sum("boltgate_cancels_total"), 0.0);
    }

    /// What the metrics say of requests and the connections of clients.
    ///
    /// # Panics
    /// When they are wrong.
    pub async fn assert_clients(&self, gateway: &Gateway) {
        let all: u64 = self.requests.values().sum();
        let metrics = until(gateway, "all connections are closed", |metrics| {
            metrics.sum("boltgate_http_connections_closed_total") == all as f64
                && metrics.sum("boltgate_http_requests_total") == all as f64
        })
        .await;
        for ((method, route, status), count) in &self.requests {
            let labels = [("method", *method), ("route", *route), ("status", &status.to_string())];
            assert_eq!(metrics.value("boltgate_http_requests_total", &labels), *count as f64, "{labels:?}");
        }
        assert_eq!(metrics.sum("boltgate_http_request_duration_seconds_count"), all as f64);
        assert_eq!(metrics.value("boltgate_http_requests_in_flight", &[]), 0.0);
        assert_eq!(
            metrics.value("boltgate_http_connections_total", &[]),
            all as f64,
            "each has a connection of its own"
        );
        assert_eq!(metrics.sum("boltgate_http_connections"), 0.0);
        assert_eq!(metrics.value("boltgate_http_connections_closed_total", &[("reason", "done")]), all as f64);
        assert!(metrics.value("boltgate_http_request_body_bytes_total", &[]) > 0.0);
        assert!(metrics.value("boltgate_http_response_body_bytes_total", &[]) > 0.0);
    }

    /// The requests of a route that were answered like this.
    fn requests_of(&self, route: &str, status: u16) -> f64 {
        let of = self.requests.iter().filter(|((_, of, answered), _)| *of == route && *answered == status);
        of.map(|(_, count)| count).sum::<u64>() as f64
    }
}

const QUERY_ROUTE: &str = "/db/{db}/query/v2";
const TX_ROUTE: &str = "/db/{db}/query/v2/tx";
const ROUTES: [&str; 5] =
    [QUERY_ROUTE, "/db/{db}/query/v2/batch", TX_ROUTE, "/db/{db}/query/v2/tx/{id}", "/db/{db}/query/v2/tx/{id}/commit"];

/// Every connection that was opened is either closed or in one of the states.
///
/// # Panics
/// When not.
pub fn assert_open(metrics: &Exposition) {
    let (opened, discarded) =
        (metrics.value("boltgate_pool_opened_total", &[]), metrics.sum("boltgate_pool_discarded_total"));
    assert_eq!(metrics.sum("boltgate_pool_connections"), opened - discarded, "{opened} opened, {discarded} closed");
}

/// The metrics once no connection is in use, or being cleaned.
pub async fn quiet(gateway: &Gateway) -> Exposition {
    until(gateway, "all connections are returned", |metrics| {
        ["in_use", "recovering"]
            .iter()
            .all(|state| metrics.value("boltgate_pool_connections", &[("state", state)]) == 0.0)
            && metrics.value("boltgate_pool_waiting", &[]) == 0.0
    })
    .await
}

/// The metrics once they are as they should be.
///
/// # Panics
/// When they never are.
pub async fn until(gateway: &Gateway, what: &str, is_right: impl Fn(&Exposition) -> bool) -> Exposition {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let metrics = gateway.metrics().await;
        assert_open(&metrics);
        if is_right(&metrics) {
            return metrics;
        }
        assert!(Instant::now() < deadline, "waited in vain until {what}: {metrics:#?}");
        sleep(Duration::from_millis(5)).await;
    }
}
