//! Statements that would run for ages, and whose client goes away: a real Neo4j is free again soon after.
//!
//! Its own list of transactions says so, and so does the processor time of its process. No time is asserted; how long it
//! took is printed. Needs a Neo4j (`eval "$(tests/servers/all start)"`) on this machine, and Linux to look at it.
#![cfg(target_os = "linux")]

mod gateway_ends;
mod leaving;
mod request_ends;

use serde_json::{Value, json};
use tokio::{
    sync::{Mutex, MutexGuard},
    task::block_in_place,
};

use crate::support::{
    client::{Client, QUERY, Said},
    http::Connection,
    process::{Process, boltgate},
    processor::Processor,
    servers::Server,
};

/// Gives rows for ages.
const STREAM: &str = "UNWIND range(1, 1000000000000) AS x RETURN x";
/// Returns much data per row, so that a reader who stops is noticed soon.
const FLOOD: &str = "UNWIND range(1, 1000000000000) AS x RETURN x, [n IN range(1, 5000) | n] AS list";
/// Gives none for ages.
const SILENCE: &str = "UNWIND range(1, 1000000000000) AS x WITH x WHERE x < 0 RETURN count(x) AS n";

/// The processor is looked at, so that only one of these tests may have it.
static TURN: Mutex<()> = Mutex::const_new(());

/// Neo4j, to oneself.
struct Stage {
    server: Server,
    processor: Processor,
    /// By this our transactions are known in its list.
    name: String,
    _turn: MutexGuard<'static, ()>,
}

struct Gateway {
    process: Process,
    client: Client,
}

impl Stage {
    async fn enter() -> Option<Self> {
        let turn = TURN.lock().await;
        let server = Server::neo4j()?;
        let processor = Processor::of_listener(server.port());
        let processor = processor.unwrap_or_else(|| panic!("no process of this machine listens at {}", server.bolt));
        let name = format!("runaway{}", std::process::id());
        processor.until_idle("nobody else uses the database, which this test needs to itself").await;
        Some(Self { server, processor, name, _turn: turn })
    }

    /// A gateway of its own, which leaves nothing behind when the test fails.
    fn gateway(&self, settings: &[(&str, &str)]) -> Gateway {
        let mut command = boltgate(&["serve", "--log-format=json", "--database-uri", &self.server.bolt]);
        // A database with its hands full takes its time to let somebody in.
        command.env("BOLTGATE_DATABASE__CONNECT_TIMEOUT", "60s").env("BOLTGATE_DATABASE__ACQUIRE_TIMEOUT", "60s");
        command.envs(settings.iter().copied());
        let process = block_in_place(|| Process::serve(command));
        let client = Client { address: process.address(), authorization: None };
        Gateway { process, client }
    }

    /// A request for this statement.
    fn request(&self, statement: &str) -> Value {
        json!({ "statement": statement, "txMetadata": { "test": self.name } })
    }

    /// Waits until Neo4j lists this number of the test's transactions.
    async fn is_listed(&self, count: usize) {
        self.server.until("it to run", &self.name, |list| list.len() == count).await;
    }

    /// Waits also until it is hard at work.
    async fn is_at_work(&self, count: usize) {
        self.is_listed(count).await;
        self.processor.until_busy().await;
    }

    /// Waits until Neo4j has no transaction of the test and nothing to do, and returns how long that took.
    async fn is_free(&self, after: &str) {
        let listed = self.server.until("it to end", &self.name, <[_]>::is_empty).await;
        let busy = self.processor.until_idle("the database is at rest once the statement has ended").await;
        println!("{after}: not listed {listed:.2?} later, and at rest {:.2?} later", listed + busy);
    }
}

impl Gateway {
    /// Sends a request, and leaves the answer where it is.
    async fn send(&self, path: &str, request: &Value) -> Connection {
        let mut connection = Connection::open(&self.client.address).await;
        connection.post(path, &request.to_string()).await;
        connection
    }

    /// Shows that it still serves.
    async fn works(&self) {
        let answer = self.client.post(QUERY, &json!({ "statement": "RETURN 1" })).await;
        assert_eq!(Said::by(&answer).yes()["data"]["values"], json!([[1]]));
    }
}

/// Reads the head and this number of bytes of an answer that never ends.
async fn read(connection: &mut Connection, bytes: usize) {
    let head = connection.head().await;
    assert_eq!(head.status, 202, "{head}");
    connection.wait_for_bytes(bytes).await;
}
