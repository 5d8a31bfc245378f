//! SIGKILL with many open transactions: the database has none of them soon after.

use serde_json::json;

use super::Shop;
use crate::support::servers::{Brand, Server};

const OPEN: usize = 100;

const SETTINGS: [(&str, &str); 4] = [
    ("BOLTGATE_TRANSACTIONS__MAX", "100"),
    ("BOLTGATE_TRANSACTIONS__CALLER_SHARE", "100"),
    ("BOLTGATE_DATABASE__MAX_CONNECTIONS", "120"),
    ("BOLTGATE_DATABASE__CALLER_SHARE", "100"),
];

async fn leaves_nothing(server: Server) {
    let brand = server.brand;
    let mut shop = Shop::open(server, "Killed", OPEN, &SETTINGS).await;
    for number in 1..=OPEN {
        shop.fill_and_break(number).await;
    }
    if brand == Brand::Neo4j {
        shop.server.until("all to be open", &shop.label, |list| list.len() == OPEN).await;
    }
    shop.process.signal("KILL");
    tokio::task::block_in_place(|| shop.process.exit());
    if brand == Brand::Neo4j {
        let took = shop.server.until("none to be open", &shop.label, <[_]>::is_empty).await;
        println!("Neo4j: {OPEN} transactions were gone {took:.2?} after the gateway");
    }
    assert_eq!((shop.full().await, shop.shards().await), (0, 0), "nothing of them stays");
    // Nobody holds a lock on any of them.
    shop.ask("MATCH (cup:Cup) SET cup.full = 2", &json!({})).await;
    assert_eq!(shop.full().await, OPEN as i64);
    shop.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leaves_no_transaction_on_neo4j() {
    let Some(server) = Server::neo4j() else { return };
    leaves_nothing(server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leaves_no_transaction_on_arcadedb() {
    let Some(server) = Server::arcadedb() else { return };
    leaves_nothing(server).await;
}

#[cfg(feature = "embedded")]
mod without_servers {
    use serde_json::{Value, json};
    use tokio::task::block_in_place;

    use super::SETTINGS;
    use crate::support::{
        client::{Client, QUERY, Said, TX},
        process::{Process, boltgate},
    };

    /// All that it opens at a time.
    const OPEN: usize = 32;

    async fn count(client: &Client) -> Value {
        let answer = client.post(QUERY, &json!({ "statement": "MATCH (c) RETURN labels(c) AS l, c.full AS f" })).await;
        Said::by(&answer).yes()["data"]["values"].clone()
    }

    /// One of them writes; the others read, since the database has one write lock.
    #[tokio::test(flavor = "multi_thread")]
    async fn leaves_no_transaction_in_the_embedded_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("graph.db");
        let serve = || {
            let file = file.to_str().expect("the test's path is UTF-8");
            let mut command = boltgate(&["serve", "--log-format=json", "--embedded", file]);
            command.envs(SETTINGS);
            let process = block_in_place(|| Process::serve(command));
            let client = Client { address: process.address(), authorization: None };
            (process, client)
        };
        let (mut process, client) = serve();
        Said::by(&client.post(QUERY, &json!({ "statement": "CREATE (:Cup {full: 0})" })).await).yes();
        let write = json!({ "statement": "MATCH (cup:Cup) SET cup.full = 1 CREATE (:Shard)" });
        Said::by(&client.post(TX, &write).await).yes();
        for _ in 1..OPEN {
            let read = json!({ "statement": "MATCH (cup:Cup) RETURN cup.full AS full", "accessMode": "READ" });
            let read = Said::by(&client.post(TX, &read).await).yes();
            assert_eq!(read["data"]["values"], json!([[0]]));
        }
        process.signal("KILL");
        block_in_place(|| process.exit());

        let (_process, client) = serve();
        assert_eq!(count(&client).await, json!([[["Cup"], 0]]));
        Said::by(&client.post(QUERY, &json!({ "statement": "MATCH (cup:Cup) SET cup.full = 2" })).await).yes();
        assert_eq!(count(&client).await, json!([[["Cup"], 2]]), "the turn to write is free");
    }
}
