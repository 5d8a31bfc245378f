//! What Memgraph says when it commits: that a replica may not have it. The client that committed is told.

use serde_json::{Value, json};

use super::stand::Stand;
use crate::support::query::{body, transaction_id};

const PATH: &str = "/db/memgraph/query/v2";

fn codes(list: &Value) -> Vec<&str> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|one| one["code"].as_str().unwrap()).collect()
}

const LAGS: [&str; 1] = ["SyncReplicationFailure"];

#[tokio::test]
async fn reports_a_lagging_replica() {
    let stand = Stand::start().await;
    stand.fake.lag(true);
    let write = json!({ "statement": "WRITE k 1" });

    let automatic = body(&stand.post(PATH, &write).await);
    assert_eq!(codes(&automatic["notifications"]), LAGS, "{automatic}");

    let path = stand.begin().await;
    let inside = body(&stand.post(&path, &write).await);
    assert_eq!(inside.get("notifications"), None, "nothing is committed yet: {inside}");
    let committed = body(&stand.post(&format!("{path}/commit"), &json!({})).await);
    assert_eq!(codes(&committed["notifications"]), LAGS, "{committed}");
    assert!(committed["bookmarks"][0].is_string(), "{committed}");

    // With a last statement that has something to say itself.
    let begun = stand.post(&format!("{PATH}/tx"), &write).await;
    let path = format!("{PATH}/tx/{}/commit", transaction_id(&begun));
    let last = body(&stand.post(&path, &json!({ "statement": "NOTIFY" })).await);
    assert_eq!(codes(&last["notifications"]), ["CreateIndex", "PlanHinting", "SyncReplicationFailure"], "{last}");

    let batch = json!({ "statements": [{ "statement": "NOTIFY" }, write] });
    let batch = body(&stand.post(&format!("{PATH}/batch"), &batch).await);
    assert_eq!(codes(&batch["results"][0]["notifications"]), ["CreateIndex", "PlanHinting"], "{batch}");
    assert_eq!(codes(&batch["notifications"]), LAGS, "{batch}");

    let lines = [("Content-Type", "application/json"), ("Accept", "application/vnd.neo4j.query.v1.1+jsonl")];
    let request = json!({ "statements": [{ "statement": "WRITE k 1" }] }).to_string();
    let answer = stand.gateway.send("POST", &format!("{PATH}/batch"), &lines, &request).await;
    assert!(answer.text().lines().last().unwrap().contains("SyncReplicationFailure"), "{answer}");
    stand.is_content().await;
}

#[tokio::test]
async fn reports_a_lagging_replica_of_a_bulk_load() {
    let stand = Stand::start().await;
    stand.fake.lag(true);
    let lines = format!("{}\n{}\n", json!({ "statement": "ADD k 1" }), json!({ "x": 1 }));
    let headers = [("Content-Type", "application/x-ndjson")];
    let answer = stand.gateway.send("POST", &format!("{PATH}/batch"), &headers, &lines).await;
    let loaded = body(&answer);
    assert_eq!(codes(&loaded["notifications"]), LAGS, "{answer}");
    stand.is_content().await;
}

#[tokio::test]
async fn reports_nothing_when_replicas_follow() {
    let stand = Stand::start().await;
    let path = stand.begin().await;
    let committed = body(&stand.post(&format!("{path}/commit"), &json!({})).await);
    let members: Vec<_> = committed.as_object().unwrap().keys().collect();
    assert_eq!(members, ["bookmarks"]);
    stand.is_content().await;
}
