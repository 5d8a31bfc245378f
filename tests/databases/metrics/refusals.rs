//! Callers who are not let in count once, by the reason.

use crate::support::{
    bolt::fake_neo4j::{FakeNeo4j, Options},
    gateway::{Gateway, start_memory},
    known_load::{ADMIN, quiet},
};

/// `neo4j` and a password that is not his.
const WRONG: (&str, &str) = ("Authorization", "Basic bmVvNGo6d3Jvbmc=");

async fn ask(gateway: &Gateway, headers: &[(&str, &str)], status: u16) {
    let headers: Vec<_> = [("Content-Type", "application/json")].iter().chain(headers).copied().collect();
    let response = gateway.send("POST", "/db/neo4j/query/v2", &headers, r#"{"statement":"RETURN 1"}"#).await;
    assert_eq!(response.status, status, "{response}");
}

#[tokio::test]
async fn refusals_are_counted_by_their_reasons() {
    let fake = FakeNeo4j::start_with(Options::default()).await;
    let settings = [ADMIN, ("auth.bearer", "refuse"), ("auth.impersonation", "off")];
    let gateway = start_memory(move || fake.connect(), &settings).await;
    // The database need not be asked about the second, so soon after the first was refused.
    for _ in 0..2 {
        ask(&gateway, &[WRONG], 401).await;
    }
    ask(&gateway, &[("Authorization", "nonsense")], 400).await;
    ask(&gateway, &[WRONG, ("Authorization", "Basic bmVvNGo6b3RoZXI=")], 400).await;
    ask(&gateway, &[("Authorization", "Bearer abc")], 401).await;
    let metrics = quiet(&gateway).await;
    let failures = |reason| metrics.value("boltgate_auth_failures_total", &[("reason", reason)]);
    assert_eq!(failures("refused"), 2.0);
    assert_eq!(failures("malformed"), 2.0);
    assert_eq!(failures("scheme"), 1.0);
    assert_eq!(metrics.sum("boltgate_auth_failures_total"), 5.0);
    assert!(metrics.value("boltgate_database_connect_failures_total", &[("reason", "login")]) >= 1.0);
    assert_eq!(metrics.value("boltgate_database_up", &[]), 1.0, "it has answered");
    assert_eq!(metrics.value("boltgate_pool_opened_total", &[]), 0.0);
}

#[tokio::test]
async fn a_database_that_is_away_refuses_nobody() {
    let gateway = crate::support::gateway::start_for_with("bolt://127.0.0.1:1", &[ADMIN]).await;
    ask(&gateway, &[WRONG], 503).await;
    let metrics = quiet(&gateway).await;
    assert_eq!(metrics.sum("boltgate_auth_failures_total"), 0.0);
    assert!(metrics.value("boltgate_database_connect_failures_total", &[("reason", "unreachable")]) >= 1.0);
    assert_eq!(metrics.value("boltgate_database_up", &[]), 0.0);
    assert!(metrics.value("boltgate_pool_acquire_duration_seconds_count", &[]) >= 1.0);
}
