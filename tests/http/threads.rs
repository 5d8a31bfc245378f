//! A gateway with several threads: who asks on one is served as well as who asks on another.
//!
//! Runs against the fake of Neo4j, over TCP.

use boltgate::{
    server::{self, ServerHandle, Workers},
    telemetry::logs::LogControl,
};
use serde_json::json;

use crate::support::{
    bolt::fake_neo4j::{FakeNeo4j, Options},
    gateway::settings,
    http::{Connection, Response},
    query::{body, transaction_id, values},
};

const THREADS: usize = 3;
const QUERY: &str = "/db/neo4j/query/v2";

/// A gateway with a client on each of its threads.
struct Stand {
    neo4j: FakeNeo4j,
    clients: Vec<Connection>,
    gateway: ServerHandle,
}

impl Stand {
    async fn start() -> Self {
        let neo4j = FakeNeo4j::start_with(Options::default().without_auth()).await;
        let settings = settings(&[("database.uri", &neo4j.uri())]);
        let endpoint = server::network_endpoint(&settings.settings.database).unwrap();
        let log = LogControl::detached(settings.settings.log.clone());
        let workers = Workers::threads(THREADS).unwrap();
        let gateway = server::start(&settings, log, endpoint, workers).await.unwrap();
        let mut clients = Vec::new();
        for _ in 0..THREADS {
            // The next client goes to another thread, since this one has one then.
            let mut client = Connection::open(&gateway.address().to_string()).await;
            client.request("GET", "/", &[], "").await;
            assert_eq!(client.answer().await.status, 200);
            clients.push(client);
        }
        Self { neo4j, clients, gateway }
    }

    /// One client after the other.
    async fn ask(&mut self, client: usize, path: &str, statement: &str) -> Response {
        let client = &mut self.clients[client];
        client.post(path, &json!({ "statement": statement }).to_string()).await;
        client.answer().await
    }

    async fn each_asks(&mut self) {
        for client in 0..THREADS {
            let answer = self.ask(client, QUERY, "RETURN 1").await;
            assert_eq!(values(&answer), json!([[1]]), "{answer}");
        }
    }
}

#[tokio::test]
async fn moves_a_connection_to_the_thread_that_needs_it() {
    let mut stand = Stand::start().await;
    for _ in 0..3 {
        stand.each_asks().await;
    }
    let counts = stand.neo4j.control.counts();
    assert_eq!((counts.accepted, counts.logons), (1, 1), "one connection is enough for one statement at a time");
    assert_eq!(stand.neo4j.control.violations(), [""; 0]);
    assert_eq!(stand.gateway.engine().pool_status().identities, 1);
}

#[tokio::test]
async fn does_not_take_over_a_closed_connection() {
    let mut stand = Stand::start().await;
    stand.ask(0, QUERY, "RETURN 1").await;
    stand.neo4j.control.close_all();
    stand.neo4j.control.wait_for("their end", |counts| counts.open == 0).await;
    // The thread that holds the connection hears of its end no later than of this request, which needs no connection.
    let client = &mut stand.clients[0];
    client.request("GET", "/", &[], "").await;
    assert_eq!(client.answer().await.status, 200);
    stand.each_asks().await;
    assert_eq!(stand.neo4j.control.counts().accepted, 2);
}

#[tokio::test]
async fn continues_a_transaction_on_any_thread() {
    let mut stand = Stand::start().await;
    let begun = stand.ask(0, &format!("{QUERY}/tx"), "RETURN 1").await;
    let handle = format!("{QUERY}/tx/{}", transaction_id(&begun));
    for _ in 0..2 {
        for client in 0..THREADS {
            let answer = stand.ask(client, &handle, "RETURN 1").await;
            assert_eq!(values(&answer), json!([[1]]), "{answer}");
        }
    }
    let committed = stand.ask(1, &format!("{handle}/commit"), "RETURN 1").await;
    assert!(body(&committed)["bookmarks"].is_array(), "{committed}");
    assert_eq!(stand.neo4j.control.counts().transactions, 0);
    assert_eq!(stand.neo4j.control.counts().accepted, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn opens_at_most_one_connection_per_client() {
    let mut stand = Stand::start().await;
    let clients = stand.clients.drain(..).map(|mut client| {
        tokio::spawn(async move {
            for _ in 0..200 {
                client.post(QUERY, &json!({ "statement": "RETURN 1" }).to_string()).await;
                let answer = client.answer().await;
                assert_eq!(values(&answer), json!([[1]]), "{answer}");
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
    let accepted = stand.neo4j.control.counts().accepted;
    assert!(accepted <= THREADS, "{accepted} connections for {THREADS} clients");
}

#[tokio::test]
async fn waits_for_all_threads_on_shutdown() {
    let mut stand = Stand::start().await;
    for client in &mut stand.clients {
        // Long enough for all to have begun before the first one ends.
        client.post(QUERY, &json!({ "statement": "SLEEP 5000" }).to_string()).await;
    }
    stand.neo4j.control.wait_for("the statements", |counts| counts.running == THREADS).await;
    stand.gateway.shutdown().await;
    for client in &mut stand.clients {
        assert_eq!(client.answer().await.status, 202);
    }
    stand.neo4j.control.wait_for("the good-byes", |counts| counts.open == 0).await;
    assert_eq!(stand.neo4j.control.count("GOODBYE"), THREADS);
}
