//! Attempts to write with the tool that reads.

use serde_json::{Value, json};

use super::{call, start};
use crate::support::query::values;

/// The same attempts that are made on real servers.
const ATTEMPTS: &str = include_str!("../../clients/agents/attempts.json");

#[tokio::test]
async fn nothing_is_written_by_reading() {
    let gateway = start(&[("mcp.deny", "[]")]).await;
    values(&gateway.query("CREATE (:Kept {n: 1})-[:HELD]->(:Kept {n: 2})").await);
    let graph = async || {
        let nodes = values(&gateway.query("MATCH (n) RETURN labels(n), properties(n) ORDER BY n.n").await);
        let indexes = values(&gateway.query("SHOW INDEXES").await);
        (nodes, values(&gateway.query("MATCH ()-[r]->() RETURN type(r), properties(r)").await), indexes)
    };
    let before = graph().await;
    let attempts: Vec<Value> = serde_json::from_str(ATTEMPTS).expect("the attempts are a list");
    assert!(attempts.len() >= 60, "{}", attempts.len());
    for attempt in attempts {
        // Some are carried out and rolled back, most are refused.
        call(&gateway, "read_cypher", json!({"query": attempt})).await;
        assert_eq!(graph().await, before, "{attempt}");
    }
}
