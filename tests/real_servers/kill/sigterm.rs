//! SIGTERM: what runs is finished and answered, what was committed stays, the rest is rolled back.

use serde_json::{Value, json};
use tokio::{
    task::{JoinSet, block_in_place},
    time::{Instant, sleep},
};

use super::Shop;
use crate::support::{
    client::{BATCH, QUERY, Said, TX, transaction},
    servers::{Brand, PATIENCE, Server},
};

/// Fills a cup once its lock is released.
const FILL: &str = "MATCH (cup:Cup {number: $number}) SET cup.full = 1 RETURN cup.number AS number";
/// Fills a cup after about a second of computing, for databases whose locks a test cannot hold.
const THINK_AND_FILL: &str = "UNWIND range(1, 3000000) AS n WITH count(n) AS n MATCH (cup:Cup {number: $number}) \
                              SET cup.full = 1 RETURN cup.number AS number";

/// The cups that three requests are about, each in a way of its own, and the one of a transaction that nobody ends.
const AUTOMATIC: usize = 1;
const BATCHED: usize = 2;
const LAST: usize = 3;
const OPEN: usize = 4;
const COMMITTED: usize = 5;

impl Shop {
    /// Sends three requests, and gives the numbers of the cups that their answers name.
    async fn fill(&self, text: &str) -> JoinSet<(usize, Value)> {
        let request = |number: usize| self.request(text, &json!({ "number": number }));
        let metadata = json!({ "test": self.label });
        let begun = self.client.post(TX, &json!({ "txMetadata": metadata })).await;
        let commit = format!("{TX}/{}/commit", transaction(&Said::by(&begun).yes()));
        let mut last = request(LAST);
        last.as_object_mut().expect("it is an object").remove("txMetadata");
        let mut statement = request(BATCHED);
        statement.as_object_mut().expect("it is an object").remove("txMetadata");
        let batch = json!({ "statements": [statement], "txMetadata": metadata });
        let mut answers = JoinSet::new();
        for (number, path, body) in [
            (AUTOMATIC, QUERY.to_owned(), request(AUTOMATIC)),
            (BATCHED, BATCH.to_owned(), batch),
            (LAST, commit, last),
        ] {
            let client = self.client.clone();
            answers.spawn(async move { (number, Said::by(&client.post(&path, &body).await).yes()) });
        }
        answers
    }

    /// Waits until all three are under way.
    async fn until_running(&self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let list = Said::by(&self.client.send("GET", "/db/neo4j/query/v2/running", &Value::Null).await).yes();
            let running = list["running"].as_array().expect("it is a list");
            if running.iter().filter(|one| one["state"] == "running").count() == 3 {
                return;
            }
            assert!(Instant::now() < deadline, "not all are running: {list}");
            sleep(std::time::Duration::from_millis(5)).await;
        }
    }
}

async fn ends_in_order(server: Server) {
    let brand = server.brand;
    let mut shop = Shop::open(server, "Ended", 5, &[]).await;
    let committed = shop.fill_and_break(COMMITTED).await;
    Said::by(&shop.client.post(&format!("{committed}/commit"), &json!({})).await).yes();
    shop.fill_and_break(OPEN).await;

    let mut answers;
    if brand == Brand::Neo4j {
        let hold = shop.text("MATCH (cup:Cup) WHERE cup.number <= 3 SET cup.full = 0");
        let held = shop.server.begin(&hold).await;
        answers = shop.fill(FILL).await;
        let blocked = |one: &serde_json::Map<String, Value>| one["status"].as_str().unwrap().starts_with("Blocked");
        let three = |list: &[_]| list.iter().filter(|one| blocked(one)).count() == 3;
        shop.server.until("three to wait", &shop.label, three).await;
        shop.process.signal("TERM");
        block_in_place(|| shop.process.wait_for_line("stopping"));
        assert!(shop.process.runs() && answers.try_join_next().is_none(), "they are waited for");
        shop.server.commit(&held).await;
    } else {
        answers = shop.fill(THINK_AND_FILL).await;
        shop.until_running().await;
        shop.process.signal("TERM");
    }
    while let Some(answer) = answers.join_next().await {
        let (number, answer) = answer.expect("it is answered");
        let values =
            if number == BATCHED { &answer["results"][0]["data"]["values"] } else { &answer["data"]["values"] };
        assert_eq!(values, &json!([[number]]), "{answer}");
    }
    assert_eq!(block_in_place(|| shop.process.exit()).code(), Some(0), "{:#?}", shop.process.log());
    if brand == Brand::Neo4j {
        shop.server.until("none to be open", &shop.label, <[_]>::is_empty).await;
    }
    let full =
        shop.server.rows(&shop.text("MATCH (c:Cup) WHERE c.full > 0 RETURN c.number AS number"), json!({})).await;
    let mut full: Vec<_> = full.iter().map(|row| row["number"].as_u64().expect("it is a number") as usize).collect();
    full.sort_unstable();
    assert_eq!(full, [AUTOMATIC, BATCHED, LAST, COMMITTED], "all but the open one");
    assert_eq!(shop.shards().await, 1, "that of the committed one");
    shop.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_what_was_answered_on_neo4j() {
    let Some(server) = Server::neo4j() else { return };
    ends_in_order(server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_what_was_answered_on_arcadedb() {
    let Some(server) = Server::arcadedb() else { return };
    ends_in_order(server).await;
}
