//! What a client is told about the changes of its statements, and what it is not told because the database does not
//! know it.

use serde_json::{Value, json};

use super::gateway;
use crate::support::{
    gateway::Gateway,
    http::Response,
    query::{begin, body},
};

/// Changes whose number the embedded database does not know.
const UNKNOWN: &str = "MATCH (n:A) REMOVE n.x";

async fn counted(gateway: &Gateway, path: &str, statement: &str) -> Response {
    let request = json!({ "statement": statement, "includeCounters": true });
    gateway.post(path, &request.to_string()).await
}

#[tokio::test]
async fn leaves_counters_out_that_the_database_does_not_know() {
    let gateway = gateway().await;
    let known = body(&counted(&gateway, "/db/neo4j/query/v2", "MATCH (n) RETURN n").await);
    assert_eq!(known["counters"]["containsUpdates"], false, "{known}");
    let opened = begin(&gateway, &json!({})).await;
    for path in ["/db/neo4j/query/v2".to_owned(), opened] {
        let response = counted(&gateway, &path, UNKNOWN).await;
        assert_eq!(response.status, 202, "{response}");
        assert_eq!(body(&response).get("counters"), None, "{response}");
    }
}

#[tokio::test]
async fn counts_what_a_statement_has_changed() {
    let gateway = gateway().await;
    let create = "UNWIND [1, 2] AS x CREATE (:A {x: x})-[:R]->(:B)";
    let answer = body(&counted(&gateway, "/db/neo4j/query/v2", create).await);
    let counters = &answer["counters"];
    assert_eq!((&counters["containsUpdates"], &counters["nodesCreated"]), (&json!(true), &json!(4)), "{answer}");
    assert_eq!((&counters["relationshipsCreated"], &counters["propertiesSet"]), (&json!(2), &json!(2)), "{answer}");
    assert_eq!(answer["data"], json!({ "fields": [], "values": [] }));
    let answer = body(&counted(&gateway, "/db/neo4j/query/v2", "CREATE INDEX ON :A(x)").await);
    assert_eq!(answer["counters"]["indexesAdded"], 1, "{answer}");
    let answer = body(&counted(&gateway, "/db/neo4j/query/v2", "MATCH (n) DETACH DELETE n").await);
    assert_eq!(answer["counters"]["nodesDeleted"], 4, "{answer}");
    assert_eq!(answer["counters"]["relationshipsDeleted"], 2, "{answer}");
}

#[tokio::test]
async fn sums_counters_only_if_all_are_known() {
    let gateway = gateway().await;
    let batch = async |statements: Value| {
        let request = json!({ "statements": statements, "includeCounters": true });
        body(&gateway.post("/db/neo4j/query/v2/batch", &request.to_string()).await)
    };
    let answer = batch(json!([{ "statement": "RETURN 1" }, { "statement": UNKNOWN }])).await;
    assert_eq!(answer["results"][0]["counters"]["nodesCreated"], 0, "{answer}");
    assert_eq!((answer["results"][1].get("counters"), answer.get("counters")), (None, None), "{answer}");
    let answer = batch(json!([{ "statement": UNKNOWN, "parametersList": [{}, {}] }])).await;
    assert_eq!((answer["results"][0].get("counters"), answer.get("counters")), (None, None), "{answer}");

    let lines = format!("{}\n{{\"n\": 1}}\n", json!({ "statement": UNKNOWN, "includeCounters": true }));
    let headers = [("Content-Type", "application/x-ndjson")];
    let answer = body(&gateway.send("POST", "/db/neo4j/query/v2/batch", &headers, &lines).await);
    assert_eq!((answer["committed"]["rows"].as_u64(), answer.get("counters")), (Some(1), None), "{answer}");
}
