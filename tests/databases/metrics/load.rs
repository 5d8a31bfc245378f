//! A known load on the fake Neo4j: every metric is what was sent.

use crate::support::{
    bolt::fake_neo4j::{FakeNeo4j, Options},
    gateway::{Gateway, start_memory},
    known_load::{ADMIN, Sent},
};

/// Enough that a request that counts twice, or not, is not the only one.
const TIMES: u64 = 3;

async fn loaded() -> (Gateway, Sent) {
    let fake = FakeNeo4j::start_with(Options::default().without_auth()).await;
    let gateway = start_memory(move || fake.connect(), &[ADMIN]).await;
    let sent = Sent::to(&gateway, TIMES).await;
    (gateway, sent)
}

#[tokio::test]
async fn connections_and_rows_are_counted() {
    let (gateway, sent) = loaded().await;
    sent.assert_database(&gateway).await;
}

#[tokio::test]
async fn transactions_are_counted() {
    let (gateway, sent) = loaded().await;
    sent.assert_transactions(&gateway).await;
}

#[tokio::test]
async fn statements_are_counted() {
    let (gateway, sent) = loaded().await;
    sent.assert_statements(&gateway).await;
}

#[tokio::test]
async fn requests_are_counted() {
    let (gateway, sent) = loaded().await;
    sent.assert_clients(&gateway).await;
}
