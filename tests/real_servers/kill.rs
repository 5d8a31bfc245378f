//! The end of the gateway, and what it leaves in the database: real processes, real signals, real databases.
//!
//! Against Neo4j and ArcadeDB where the environment names them (`eval "$(tests/servers/all start)"`), and against the
//! embedded database, which ends with its gateway.
#![cfg(unix)]

mod sigkill;
mod sigterm;

use serde_json::{Value, json};
use tokio::task::block_in_place;

use crate::support::{
    client::{Client, Said, TX, transaction},
    process::{Process, boltgate},
    servers::Server,
};

/// A gateway in front of a database that has a shelf with numbered cups for the test.
struct Shop {
    label: String,
    server: Server,
    process: Process,
    client: Client,
}

impl Shop {
    /// Opens a shop with this number of empty cups.
    async fn open(server: Server, test: &str, cups: usize, settings: &[(&str, &str)]) -> Self {
        let label = format!("Cup{test}{}", std::process::id());
        let mut command = boltgate(&["serve", "--log-format=json", "--database-uri", &server.bolt]);
        command.envs(settings.iter().copied());
        let process = block_in_place(|| Process::serve(command));
        let client = Client { address: process.address(), authorization: server.authorization() };
        let shop = Self { label, server, process, client };
        shop.remove().await;
        shop.ask(
            "UNWIND range(1, $count) AS number CREATE (:Cup {number: number, full: 0})",
            &json!({ "count": cups }),
        )
        .await;
        // The first of a kind has databases make room for it.
        shop.ask("CREATE (:CupShard {number: 0})", &json!({})).await;
        shop.ask("MATCH (shard:CupShard) DELETE shard", &json!({})).await;
        shop
    }

    fn text(&self, text: &str) -> String {
        text.replace("Cup", &self.label)
    }

    /// A statement that is known by the test's name in the database's list.
    fn request(&self, text: &str, parameters: &Value) -> Value {
        let metadata = json!({ "test": self.label });
        json!({ "statement": self.text(text), "parameters": parameters, "txMetadata": metadata })
    }

    /// Past the gateway.
    async fn ask(&self, text: &str, parameters: &Value) {
        self.server.rows(&self.text(text), parameters.clone()).await;
    }

    async fn full(&self) -> i64 {
        self.server.number(&self.text("MATCH (cup:Cup) WHERE cup.full > 0 RETURN count(cup)")).await
    }

    async fn shards(&self) -> i64 {
        self.server.number(&self.text("MATCH (shard:CupShard) RETURN count(shard)")).await
    }

    /// Opens a transaction that fills a cup and breaks another, and gives its path.
    async fn fill_and_break(&self, number: usize) -> String {
        let text = "MATCH (cup:Cup {number: $number}) SET cup.full = 1 CREATE (:CupShard {number: $number})";
        let answer = self.client.post(TX, &self.request(text, &json!({ "number": number }))).await;
        format!("{TX}/{}", transaction(&Said::by(&answer).yes()))
    }

    async fn remove(&self) {
        self.ask("MATCH (cup:Cup) DELETE cup", &json!({})).await;
        self.ask("MATCH (shard:CupShard) DELETE shard", &json!({})).await;
    }
}
