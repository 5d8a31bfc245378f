//! New settings in a gateway that runs: what they change for connections, transactions and waiting.
//!
//! Runs against the fake of Neo4j, over TCP.

use crate::support::{
    bolt::fake_neo4j::{FakeNeo4j, Options},
    gateway::{self, Gateway},
    http::Connection,
    query::transaction_id,
};

const QUERY: &str = "/db/neo4j/query/v2";
const STATEMENT: &str = r#"{"statement":"RETURN 1"}"#;

/// A gateway that reads its settings again.
struct Stand {
    _neo4j: FakeNeo4j,
    uri: String,
    gateway: Gateway,
}

impl Stand {
    async fn start(changes: &[(&'static str, &str)]) -> Self {
        let neo4j = FakeNeo4j::start_with(Options::default().without_auth()).await;
        let (uri, gateway) = (neo4j.uri(), gateway::start_for_with(&neo4j.uri(), changes).await);
        Self { _neo4j: neo4j, uri, gateway }
    }

    fn reload(&self, changes: &[(&'static str, &str)]) {
        let changes: Vec<_> =
            [("database.uri", self.uri.as_str())].into_iter().chain(changes.iter().copied()).collect();
        self.gateway.reload(&changes);
    }
}

#[tokio::test]
async fn waits_for_a_connection_as_long_as_the_new_settings_say() {
    let share = [("database.max_connections", "2"), ("database.caller_share", "50"), ("transactions.max", "1")];
    let with = |timeout: &'static str| [share.as_slice(), &[("database.acquire_timeout", timeout)]].concat();
    let stand = Stand::start(&with("1h")).await;
    let begun = stand.gateway.post(&format!("{QUERY}/tx"), "{}").await;
    stand.reload(&with("1ms"));
    let refused = stand.gateway.query("RETURN 1").await;
    assert_eq!(refused.status, 503, "the transaction has the caller's only connection: {refused}");
    let id = transaction_id(&begun);
    assert_eq!(stand.gateway.post(&format!("{QUERY}/tx/{id}/commit"), "{}").await.status, 202);
}

#[tokio::test]
async fn ends_idle_transactions_as_soon_as_the_new_settings_say() {
    let stand = Stand::start(&[("transactions.idle_timeout", "9m")]).await;
    let begun = stand.gateway.post(&format!("{QUERY}/tx"), "{}").await;
    let id = transaction_id(&begun);
    stand.reload(&[("transactions.idle_timeout", "1ms")]);
    let path = format!("{QUERY}/tx/{id}");
    // Its own time counts from its next request on.
    assert_eq!(stand.gateway.post(&path, STATEMENT).await.status, 202);
    loop {
        let answer = stand.gateway.post(&path, STATEMENT).await;
        if answer.status == 404 {
            assert!(answer.text().contains("transactions.idle_timeout"), "{answer}");
            return;
        }
        assert_eq!(answer.status, 202, "{answer}");
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn has_the_new_timeouts_for_connections_from_then_on() {
    let stand = Stand::start(&[("server.idle_timeout", "1h")]).await;
    let mut old = Connection::open(stand.gateway.address()).await;
    old.request("GET", "/", &[], "").await;
    assert_eq!(old.answer().await.status, 200);
    stand.reload(&[("server.idle_timeout", "1ms")]);
    let mut new = Connection::open(stand.gateway.address()).await;
    new.request("GET", "/", &[], "").await;
    assert_eq!(new.answer().await.status, 200);
    assert_eq!(new.end().await, b"", "it is closed");
    old.request("GET", "/", &[], "").await;
    assert_eq!(old.answer().await.status, 200);
}
