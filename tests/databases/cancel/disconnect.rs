//! A client hangs up while its statement runs: the database is told to stop, and nobody else notices.

use serde_json::json;

use crate::support::{
    bolt::{
        control::User,
        fake_memgraph::{self, FakeMemgraph},
        fake_neo4j::{self, FakeNeo4j},
        message::basic,
        raw::RawClient,
        value::{Value, list, map},
    },
    gateway::{self, Gateway},
    http::Connection,
    query::{transaction_id, values},
};

async fn start() -> (FakeNeo4j, Gateway) {
    let fake = FakeNeo4j::start_with(fake_neo4j::Options::default().without_auth()).await;
    let gateway = gateway::start_for(&fake.uri()).await;
    (fake, gateway)
}

fn statement(text: &str) -> String {
    json!({ "statement": text }).to_string()
}

/// A client that has sent a statement and waits for its answer.
async fn client(gateway: &Gateway, path: &str, text: &str) -> Connection {
    let mut connection = Connection::open(gateway.address()).await;
    connection.post(path, &statement(text)).await;
    connection
}

#[tokio::test]
async fn cancels_on_neo4j_by_reset() {
    let (fake, gateway) = start().await;
    for (times, text) in [(1, "SLEEP 60000"), (2, "SLEEPRUN 60000")] {
        let client = client(&gateway, "/db/neo4j/query/v2", text).await;
        fake.control.wait_for("the statement", |counts| counts.running == 1).await;
        drop(client);
        let stopped = |counts: &crate::support::bolt::control::Counts| {
            counts.resets == times && counts.running == 0 && counts.transactions == 0
        };
        fake.control.wait_for("the reset", stopped).await;
        assert_eq!(values(&gateway.query("ECHO 7").await), json!([[7]]));
    }
    assert_eq!(fake.control.count("RESET"), 2);
    assert_eq!(fake.control.counts().accepted, 1, "the connection was brought back each time");
}

#[tokio::test]
async fn rolls_back_when_the_client_disconnects_in_a_request() {
    let (fake, gateway) = start().await;
    let begun = gateway.post("/db/neo4j/query/v2/tx", &statement("WRITE k 1")).await;
    let path = format!("/db/neo4j/query/v2/tx/{}", transaction_id(&begun));
    let client = client(&gateway, &path, "SLEEP 60000").await;
    fake.control.wait_for("the statement", |counts| counts.running == 1).await;
    drop(client);
    fake.control.wait_for("the roll-back", |counts| counts.transactions == 0 && counts.rollbacks == 1).await;
    assert_eq!(gateway.post(&format!("{path}/commit"), "{}").await.status, 404);
    assert_eq!(fake.store().committed("neo4j", "k"), None);
}

#[tokio::test]
async fn keeps_a_transaction_when_its_client_disconnects_between_requests() {
    let (fake, gateway) = start().await;
    let mut client = client(&gateway, "/db/neo4j/query/v2/tx", "WRITE k 1").await;
    let head = client.head().await;
    let id = transaction_id(&client.rest(head).await);
    drop(client);
    let path = format!("/db/neo4j/query/v2/tx/{id}/commit");
    assert_eq!(gateway.post(&path, "{}").await.status, 202);
    assert!(fake.store().committed("neo4j", "k").is_some());
}

#[tokio::test]
async fn cancels_a_half_read_result() {
    let (fake, gateway) = start().await;
    let mut client = client(&gateway, "/db/neo4j/query/v2", "ROWS 1000000000").await;
    assert_eq!(client.head().await.status, 202);
    drop(client);
    fake.control.wait_for("the end of the result", |counts| counts.resets == 1 && counts.transactions == 0).await;
    assert_eq!(values(&gateway.query("ECHO 7").await), json!([[7]]));
}

/// The statements that a user sees running.
async fn running(fake: &FakeMemgraph, user: &str, password: &str) -> Vec<Value> {
    let mut raw = RawClient::login(fake.connect(), (5, 2), basic(user, password)).await;
    let rows = raw.rows("SHOW TRANSACTIONS", map([("bookmarks", list([]))])).await;
    let texts = rows.iter().flat_map(|row| row[2].as_list().unwrap_or_default().to_vec());
    texts.filter(|text| text.as_str() != Some("SHOW TRANSACTIONS")).collect()
}

#[tokio::test]
async fn terminates_only_this_statement_on_memgraph() {
    for options in [fake_memgraph::Options::old(), fake_memgraph::Options::default(), fake_memgraph::Options::newest()]
    {
        let fake = FakeMemgraph::start_with(options).await;
        // No administrator: what is one's own may always be ended.
        fake.control.set_user("ann", User { password: "secret".into(), ..User::default() });
        let gateway = gateway::start_for(&fake.uri()).await;
        let mut clients = Vec::new();
        for text in ["SLEEP 60001", "SLEEP 60002", "SLEEP 60003"] {
            let mut client = Connection::open(gateway.address()).await;
            let headers = [("Content-Type", "application/json"), ("Authorization", "Basic YW5uOnNlY3JldA==")];
            let body = json!({ "statement": text, "txMetadata": { "boltgate": "mine", "app": "test" } }).to_string();
            client.request("POST", "/db/memgraph/query/v2", &headers, &body).await;
            clients.push(client);
        }
        fake.control.wait_for("the statements", |counts| counts.running == 3).await;
        drop(clients.remove(1));
        fake.control.wait_for("the end of one", |counts| counts.running == 2).await;
        let mut left: Vec<_> = running(&fake, "ann", "secret").await;
        left.sort_by_key(|text| text.as_str().map(str::to_owned));
        let texts: Vec<_> = left.iter().filter_map(Value::as_str).collect();
        assert_eq!(texts, ["SLEEP 60001", "SLEEP 60003"]);
        let terminations = fake.control.seen().into_iter().filter(|seen| {
            let text = seen.field(0).and_then(Value::as_str).unwrap_or_default();
            seen.name() == "RUN" && text.starts_with("TERMINATE")
        });
        assert_eq!(terminations.count(), 1);
        assert_eq!(fake.violations(), [""; 0]);
    }
}

#[tokio::test]
async fn terminates_a_statement_of_a_transaction_on_memgraph() {
    let fake = FakeMemgraph::start().await;
    let gateway = gateway::start_for(&fake.uri()).await;
    let begun = gateway.post("/db/memgraph/query/v2/tx", &statement("WRITE k 1")).await;
    let path = format!("/db/memgraph/query/v2/tx/{}", transaction_id(&begun));
    let client = client(&gateway, &path, "SLEEP 60000").await;
    fake.control.wait_for("the statement", |counts| counts.running == 1).await;
    drop(client);
    fake.control.wait_for("its end", |counts| counts.running == 0 && counts.transactions == 0).await;
    assert_eq!(gateway.post(&path, "{}").await.status, 404);
    assert_eq!(fake.store().committed("memgraph", "k"), None);
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn terminates_a_statement_that_waits_for_a_worker_on_memgraph() {
    let fake = FakeMemgraph::start_with(fake_memgraph::Options { workers: 1, ..Default::default() }).await;
    let gateway = gateway::start_for(&fake.uri()).await;
    let client = client(&gateway, "/db/memgraph/query/v2", "SLEEP 60000").await;
    fake.control.wait_for("the statement", |counts| counts.running == 1).await;
    drop(client);
    let answer = gateway.post("/db/memgraph/query/v2", &statement("ECHO 7")).await;
    assert_eq!(values(&answer), json!([[7]]));
    assert_eq!(fake.violations(), [""; 0]);
}
