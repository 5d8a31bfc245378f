//! Clients that read slowly or not at all: Memgraph has a few workers, and blocks one while rows are not taken.

use serde_json::json;

use crate::support::{
    bolt::fake_memgraph::{FakeMemgraph, Options},
    gateway::{self, Gateway},
    http::Connection,
    query::values,
};

const PATH: &str = "/db/memgraph/query/v2";
const WORKERS: usize = 4;

/// A gateway in front of four workers, with as many clients that have asked for rows and read nothing.
async fn stalled(statement: &str) -> (FakeMemgraph, Gateway, Vec<Connection>) {
    let fake = FakeMemgraph::start_with(Options { workers: WORKERS, ..Options::default() }).await;
    let gateway = gateway::start_for_with(&fake.uri(), &[("server.write_stall_timeout", "1h")]).await;
    let mut clients = Vec::new();
    for _ in 0..WORKERS {
        let mut client = Connection::open(gateway.address()).await;
        client.post(PATH, &json!({ "statement": statement }).to_string()).await;
        assert_eq!(client.head().await.status, 202);
        clients.push(client);
    }
    (fake, gateway, clients)
}

async fn everybody_else_is_served(gateway: &Gateway) {
    for _ in 0..10 {
        assert_eq!(values(&gateway.post(PATH, r#"{"statement":"RETURN 1"}"#).await), json!([[1]]));
    }
}

/// What was asked for is taken from the database at once, and little is asked for before its size is known.
#[tokio::test(flavor = "multi_thread")]
async fn holds_no_worker_for_four_slow_readers() {
    let (fake, gateway, clients) = stalled("ROWS 100000 WIDE 32000").await;
    everybody_else_is_served(&gateway).await;
    assert_eq!(fake.control.counts().transactions, WORKERS, "their statements go on");
    drop(clients);
}

/// Rows that are too large for that have a client that reads, or none.
#[tokio::test(flavor = "multi_thread")]
async fn cuts_off_a_reader_that_holds_a_worker() {
    let (fake, gateway, clients) = stalled("ROWS 100000 WIDE 2000000").await;
    everybody_else_is_served(&gateway).await;
    fake.control.wait_for("the statements end", |counts| counts.transactions == 0).await;
    drop(clients);
}

/// The row that it has taken a part of cannot be completed, so nothing else can be said.
#[tokio::test(flavor = "multi_thread")]
async fn leaves_the_answer_of_a_cut_off_reader_incomplete() {
    let fake = FakeMemgraph::start().await;
    let gateway = gateway::start_for_with(&fake.uri(), &[("server.write_stall_timeout", "1h")]).await;
    let mut client = Connection::open(gateway.address()).await;
    client.post(PATH, &json!({ "statement": "ROWS 100000 WIDE 2000000" }).to_string()).await;
    client.head().await;
    fake.control.wait_for("the statement ends", |counts| counts.transactions == 0 && counts.running == 0).await;
    assert!(!client.end().await.ends_with(b"0\r\n\r\n"), "the transfer was broken off");
}
