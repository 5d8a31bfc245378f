//! The gauges of the pool follow its connections, and its counters explain them.

use std::time::Duration;

use serde_json::json;

use crate::support::{
    bolt::{
        control::Control,
        fake_memgraph::{self, FakeMemgraph},
        fake_neo4j::{FakeNeo4j, Options},
    },
    gateway::{Gateway, start_memory},
    http::request,
    known_load::{ADMIN, assert_open, quiet, until},
    openmetrics::Exposition,
    query::{begin, values},
};

const QUERY: &str = "/db/neo4j/query/v2";

async fn neo4j(options: Options, settings: &[(&'static str, &str)]) -> (Gateway, Control) {
    let fake = FakeNeo4j::start_with(options).await;
    let control = fake.control.clone();
    let settings: Vec<_> = [ADMIN].iter().chain(settings).copied().collect();
    (start_memory(move || fake.connect(), &settings).await, control)
}

fn connections(metrics: &Exposition, state: &str) -> f64 {
    metrics.value("boltgate_pool_connections", &[("state", state)])
}

fn discarded(metrics: &Exposition, reason: &str) -> f64 {
    metrics.value("boltgate_pool_discarded_total", &[("reason", reason)])
}

/// Sends a statement that nobody waits for the end of.
fn send(gateway: &Gateway, statement: &str, authorization: &str) -> tokio::task::JoinHandle<u16> {
    let (address, body) = (gateway.address().to_owned(), json!({ "statement": statement }).to_string());
    let authorization = authorization.to_owned();
    tokio::spawn(async move {
        let headers = [("Content-Type", "application/json"), ("Authorization", &*authorization)];
        let headers = if authorization.is_empty() { &headers[..1] } else { &headers[..] };
        request(&address, "POST", QUERY, headers, body.as_bytes()).await.status
    })
}

#[tokio::test]
async fn a_connection_is_idle_or_in_use_or_recovering() {
    let fake = FakeMemgraph::start_with(fake_memgraph::Options::default()).await;
    let gateway = start_memory(move || fake.connect(), &[ADMIN, ("transactions.idle_timeout", "60s")]).await;
    let before = gateway.metrics().await;
    assert_eq!(
        (before.value("boltgate_pool_connections_max", &[]), before.sum("boltgate_pool_connections")),
        (100.0, 0.0)
    );
    assert_eq!(before.value("boltgate_pool_callers", &[]), 0.0);

    let path = "/db/memgraph/query/v2";
    let transaction = gateway.post(&format!("{path}/tx"), r#"{"statement":"RETURN 1"}"#).await;
    assert_eq!(transaction.status, 202, "{transaction}");
    let used = until(&gateway, "it is in use", |metrics| connections(metrics, "in_use") == 1.0).await;
    assert_eq!((connections(&used, "idle"), used.value("boltgate_pool_callers", &[])), (0.0, 1.0));

    let id = crate::support::query::transaction_id(&transaction);
    assert_eq!(gateway.send("DELETE", &format!("{path}/tx/{id}"), &[], "").await.status, 200);
    let idle = until(&gateway, "it is idle", |metrics| connections(metrics, "idle") == 1.0).await;
    assert_eq!(idle.value("boltgate_pool_opened_total", &[]), 1.0);
}

#[tokio::test]
async fn an_abandoned_statement_is_cleaned_up_after() {
    let fake = FakeMemgraph::start_with(fake_memgraph::Options::default()).await;
    let control = fake.control.clone();
    // It is not listed, so nobody can end it, and its connection is given up after a while.
    fake.hide_transactions(usize::MAX);
    let gateway = start_memory(move || fake.connect(), &[ADMIN]).await;
    let body = json!({ "statement": "SLEEP 600000" }).to_string();
    let address = gateway.address().to_owned();
    let client = tokio::spawn(async move {
        let json = [("Content-Type", "application/json")];
        request(&address, "POST", "/db/memgraph/query/v2", &json, body.as_bytes()).await
    });
    control.wait_for("the statement", |counts| counts.running == 1).await;
    client.abort();
    until(&gateway, "it is being cleaned", |metrics| connections(metrics, "recovering") == 1.0).await;
    let after = quiet(&gateway).await;
    assert_eq!(after.sum("boltgate_pool_connections"), 0.0);
    assert_eq!(after.sum("boltgate_pool_discarded_total"), 1.0);
}

/// Two connections: one for a transaction, one for a statement that runs for ages.
const TWO: [(&str, &str); 3] =
    [("database.max_connections", "2"), ("database.caller_share", "100"), ("transactions.max", "1")];

#[tokio::test]
async fn requests_that_wait_are_counted_until_they_are_served() {
    let settings = [&TWO[..], &[("database.acquire_timeout", "60s")]].concat();
    let (gateway, control) = neo4j(Options::default().without_auth(), &settings).await;
    let transaction = begin(&gateway, &json!({ "statement": "RETURN 1" })).await;
    let long = send(&gateway, "SLEEP 600000", "");
    control.wait_for("the statement", |counts| counts.running == 1).await;
    let waiting: Vec<_> = (0..3).map(|_| send(&gateway, "RETURN 1", "")).collect();
    let all = until(&gateway, "all three wait", |metrics| metrics.value("boltgate_pool_waiting", &[]) == 3.0).await;
    assert_eq!(connections(&all, "in_use"), 2.0);
    assert_eq!(gateway.send("DELETE", &transaction, &[], "").await.status, 200);
    for request in waiting {
        assert_eq!(request.await.unwrap(), 202);
    }
    long.abort();
    let after = quiet(&gateway).await;
    assert_eq!(after.value("boltgate_pool_acquire_duration_seconds_count", &[]), 5.0);
    assert_eq!(after.value("boltgate_pool_acquire_timeouts_total", &[]), 0.0);
}

#[tokio::test]
async fn requests_that_wait_in_vain_are_counted() {
    let settings = |acquire_timeout| [&[ADMIN], &TWO[..], &[("database.acquire_timeout", acquire_timeout)]].concat();
    let (gateway, control) = neo4j(Options::default().without_auth(), &settings("60s")[1..]).await;
    begin(&gateway, &json!({ "statement": "RETURN 1" })).await;
    let long = send(&gateway, "SLEEP 600000", "");
    control.wait_for("the statement", |counts| counts.running == 1).await;
    // Both connections are in use, so only what is refused has to be in time.
    gateway.reload(&settings("100ms"));
    assert_eq!(send(&gateway, "RETURN 1", "").await.unwrap(), 503);
    let after = gateway.metrics().await;
    assert_eq!(after.value("boltgate_pool_waiting", &[]), 0.0);
    let timeouts = after.value("boltgate_pool_acquire_timeouts_total", &[]);
    assert!(timeouts >= 1.0);
    assert_eq!(after.value("boltgate_pool_acquire_duration_seconds_count", &[]), 2.0 + timeouts, "each attempt counts");
    assert!(after.value("boltgate_pool_acquire_duration_seconds_sum", &[]) >= 0.1 * timeouts);
    long.abort();
}

/// Users take turns on fewer connections than there are of them, and some statements break theirs.
#[tokio::test]
async fn what_was_opened_is_open_or_discarded_at_every_moment() {
    let (gateway, control) = neo4j(Options::default(), &TWO).await;
    // neo4j:password, alice:wonderland, bob:builder
    let users = ["Basic bmVvNGo6cGFzc3dvcmQ=", "Basic YWxpY2U6d29uZGVybGFuZA==", "Basic Ym9iOmJ1aWxkZXI="];
    for round in 0..6 {
        let requests: Vec<_> = users.iter().cycle().take(9).map(|user| send(&gateway, "RETURN 1", user)).collect();
        if round % 2 == 1 {
            control.close_all();
        }
        while !requests.iter().all(tokio::task::JoinHandle::is_finished) {
            assert_open(&gateway.metrics().await);
        }
    }
    let after = quiet(&gateway).await;
    assert_open(&after);
    assert_eq!(after.value("boltgate_pool_acquire_timeouts_total", &[]), 0.0);
    assert!(after.value("boltgate_pool_callers", &[]) <= after.sum("boltgate_pool_connections"));
}

#[tokio::test]
async fn the_end_of_a_connection_has_a_reason() {
    let (gateway, control) = neo4j(Options::default().without_auth(), &[]).await;
    let engine = gateway.engine().clone();
    assert_eq!(values(&gateway.query("RETURN 1").await), json!([[1]]));
    control.close_all();
    // Whether the end is noticed before the connection is used or while it is, it is not lent again.
    let gone = until(&gateway, "the connection is closed", |metrics| {
        metrics.value("boltgate_pool_connections", &[("state", "idle")]) >= 1.0
    });
    gone.await;
    assert_eq!(values(&gateway.query("RETURN 1").await), json!([[1]]));
    let dead = quiet(&gateway).await;
    assert_eq!(discarded(&dead, "dead") + discarded(&dead, "broken"), 1.0);
    tokio::time::timeout(Duration::from_secs(60), engine.close()).await.unwrap();
    let closed = gateway.metrics().await;
    assert_eq!(discarded(&closed, "shutdown"), 1.0);
    assert_eq!(closed.sum("boltgate_pool_connections"), 0.0);
    assert_eq!(closed.value("boltgate_pool_callers", &[]), 0.0);
}
