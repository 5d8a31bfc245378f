//! All connections are in use: other callers are told so in time, and their holders continue.

use std::time::Duration;

use boltgate::pool;
use serde_json::json;

use super::stand::{Fake, Kind, POOL, Polled, Stand};

const SINGLE: pool::Settings = pool::Settings { max: 1, acquire_timeout: Duration::from_millis(200), ..POOL };

/// Time passes by itself as soon as all wait, so that only those who wait in vain run out of it.
#[tokio::test(start_paused = true)]
async fn serves_nobody_while_transactions_hold_all_connections() {
    for kind in [Kind::Neo4j, Kind::Memgraph] {
        let fake = Fake::start(kind).await;
        let stand = Stand::new(&fake, 64 * 1024, SINGLE);
        let transaction = stand.begin("WRITE k 1").await;
        for path in ["", "/tx"] {
            let answer = stand.run(path, "RETURN 1").await;
            let (status, message) = answer.error();
            assert_eq!(status, 503, "{message}");
            assert!(message.contains("database.max_connections"), "{message}");
            assert!(message.contains("database.acquire_timeout"), "{message}");
        }
        // The transaction needs no other connection, and gives its own back.
        assert_eq!(stand.run(&transaction, "READ k").await.values(), &json!([[1]]));
        assert_eq!(stand.send("POST", &format!("{transaction}/commit"), &json!({})).await.status, 202);
        assert_eq!(stand.run("", "READ k").await.values(), &json!([[1]]));
        assert_eq!(fake.control().counts().accepted, 1);
        assert_eq!(fake.control().violations(), [""; 0]);
    }
}

#[tokio::test]
async fn hands_a_free_connection_to_a_waiting_request() {
    let patient = pool::Settings { max: 1, acquire_timeout: Duration::from_secs(60), ..POOL };
    let fake = Fake::start(Kind::Neo4j).await;
    let stand = Stand::new(&fake, 64 * 1024, patient);
    let transaction = stand.begin("WRITE k 1").await;
    let waiting = tokio::spawn(stand.send("POST", "", &json!({ "statement": "READ k" })));
    // Somebody in front of the line leaves.
    assert!(Polled::new(stand.run("", "RETURN 1"), 1).await.is_none());
    assert_eq!(stand.send("POST", &format!("{transaction}/commit"), &json!({})).await.status, 202);
    assert_eq!(waiting.await.unwrap().values(), &json!([[1]]));
    stand.quiet("the waiter").await;
}

#[tokio::test]
async fn withholds_a_connection_until_it_is_clean() {
    for kind in [Kind::Neo4j, Kind::Memgraph] {
        let fake = Fake::start(kind).await;
        let stand = Stand::new(&fake, 64 * 1024, pool::Settings { max: 1, ..POOL });
        let request = tokio::spawn(stand.send("POST", "", &json!({ "statement": "SLEEP 60000" })));
        fake.control().wait_for("the statement", |counts| counts.running == 1).await;
        request.abort();
        assert_eq!(stand.run("", "ECHO 7").await.values(), &json!([[7]]));
        fake.control().wait_for("its end", |counts| counts.running == 0 && counts.transactions == 0).await;
        stand.quiet("the abandoned statement").await;
        assert_eq!(fake.control().violations(), [""; 0]);
    }
}
