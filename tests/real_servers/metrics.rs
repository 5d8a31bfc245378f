//! A known load on a real Neo4j: every metric is what was sent.

use crate::support::{
    gateway::start_for_with,
    known_load::{ADMIN, Sent},
    servers::Server,
};

#[tokio::test]
async fn every_metric_is_what_was_sent() {
    let Some(server) = Server::neo4j() else { return };
    let gateway = start_for_with(&server.bolt, &[ADMIN]).await;
    let sent = Sent::to(&gateway, 5).await;
    sent.assert_database(&gateway).await;
    sent.assert_transactions(&gateway).await;
    sent.assert_statements(&gateway).await;
    sent.assert_clients(&gateway).await;
}
