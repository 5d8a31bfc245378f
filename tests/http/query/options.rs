//! Options of a request, and what an answer contains besides the rows.

use serde_json::{Value, json};

use super::{gateway, gateway_to_fake};
use crate::support::{
    gateway::Gateway,
    query::{body, count, refused, values},
};

async fn post(gateway: &Gateway, request: Value) -> crate::support::http::Response {
    gateway.post("/db/neo4j/query/v2", &request.to_string()).await
}

#[tokio::test]
async fn finds_the_embedded_database_under_both_names() {
    let gateway = gateway().await;
    let request = json!({ "statement": "RETURN 1 AS n" }).to_string();
    for name in ["neo4j", "memgraph", "Memgraph"] {
        let answer = gateway.post(&format!("/db/{name}/query/v2"), &request).await;
        assert_eq!(values(&answer), json!([[1]]), "{name}");
    }
    let error = refused(&gateway.post("/db/movies/query/v2", &request).await);
    assert_eq!((error.status, error.code.as_str()), (404, "Neo.ClientError.Database.DatabaseNotFound"));
    assert!(error.message.contains("called neo4j; memgraph is an alias"), "{}", error.message);
}

#[tokio::test]
async fn names_what_the_embedded_database_lacks() {
    let gateway = gateway().await;
    for (statement, feature) in [
        ("CREATE CONSTRAINT FOR (n:L) REQUIRE n.p IS UNIQUE", "A constraint"),
        ("LOAD CSV FROM 'file:///a' AS row RETURN row", "`LOAD CSV`"),
        ("SHOW METRICS INFO", "`SHOW METRICS INFO`"),
    ] {
        let error = refused(&post(&gateway, json!({ "statement": statement })).await);
        let code = "Neo.ClientError.Statement.UnsupportedOperationError";
        assert_eq!((error.status, error.code.as_str()), (400, code), "{statement}");
        let message = format!("{feature} is not supported by the embedded database, see docs/embedded.md");
        assert_eq!(error.message, message);
    }
}

#[tokio::test]
async fn returns_counters_when_requested() {
    const NAMES: [&str; 14] = [
        "constraintsAdded",
        "constraintsRemoved",
        "containsSystemUpdates",
        "containsUpdates",
        "indexesAdded",
        "indexesRemoved",
        "labelsAdded",
        "labelsRemoved",
        "nodesCreated",
        "nodesDeleted",
        "propertiesSet",
        "relationshipsCreated",
        "relationshipsDeleted",
        "systemUpdates",
    ];
    let gateway = gateway_to_fake().await;
    let counted = body(&post(&gateway, json!({ "statement": "STATS", "includeCounters": true })).await);
    let mut names: Vec<&str> = counted["counters"].as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, NAMES);
    assert_eq!(counted["counters"]["containsUpdates"], true);
    assert!(counted["counters"]["nodesCreated"].as_u64().unwrap() > 0, "{counted}");

    for request in [json!({ "statement": "STATS" }), json!({ "statement": "STATS", "includeCounters": false })] {
        assert_eq!(body(&post(&gateway, request).await).get("counters"), None);
    }
}

#[tokio::test]
async fn returns_zero_counters_when_the_database_reports_none() {
    let gateway = gateway().await;
    let counted = body(&post(&gateway, json!({ "statement": "RETURN 1 AS a", "includeCounters": true })).await);
    let counters = counted["counters"].as_object().unwrap();
    assert_eq!(counters.len(), 14);
    assert!(counters.values().all(|value| value == &json!(0) || value == &json!(false)), "{counted}");
}

#[tokio::test]
async fn passes_notifications_on() {
    let gateway = gateway_to_fake().await;
    let notified = body(&post(&gateway, json!({ "statement": "NOTIFY" })).await);
    let notifications = notified["notifications"].as_array().expect("there are some");
    assert_eq!(notifications.len(), 2, "{notified}");
    for notification in notifications {
        for key in ["code", "description", "severity", "title", "category"] {
            assert!(notification[key].is_string(), "{key}: {notification}");
        }
        assert!(notification.get("position").is_some(), "{notification}");
    }
    assert_eq!(body(&post(&gateway, json!({ "statement": "RETURN 1" })).await).get("notifications"), None);
}

#[tokio::test]
async fn returns_plans_for_explain_and_profile() {
    let gateway = gateway_to_fake().await;
    for (statement, plan, other) in
        [("EXPLAIN RETURN 1", "queryPlan", "profiledQueryPlan"), ("PROFILE RETURN 1", "profiledQueryPlan", "queryPlan")]
    {
        let body = body(&post(&gateway, json!({ "statement": statement })).await);
        assert!(body[plan]["operatorType"].is_string(), "{body}");
        assert!(body[plan]["arguments"].is_object() && body[plan]["identifiers"].is_array(), "{body}");
        assert!(body[plan]["children"].is_array(), "{body}");
        assert_eq!(body.get(other), None);
    }
}

#[tokio::test]
async fn explains_on_the_embedded_database() {
    let body = body(&gateway().await.query("EXPLAIN MATCH (n) RETURN n").await);
    assert_eq!(body["data"], json!({ "fields": ["n"], "values": [] }));
    assert!(body["queryPlan"]["arguments"]["string-representation"].is_string(), "{body}");
}

#[tokio::test]
async fn returns_a_new_bookmark_after_a_write_and_accepts_it() {
    let gateway = gateway().await;
    let bookmark = |response| body(&response)["bookmarks"].clone();
    let written = bookmark(gateway.query("CREATE (:X)").await);
    let read = bookmark(gateway.query("RETURN 1 AS a").await);
    assert_eq!(written, read);
    let next = bookmark(post(&gateway, json!({ "statement": "CREATE (:X)", "bookmarks": written })).await);
    assert_ne!(written, next);
    let both = json!([written[0], next[0]]);
    assert_eq!(values(&post(&gateway, json!({ "statement": "RETURN 1 AS a", "bookmarks": both })).await), json!([[1]]));
}

#[tokio::test]
async fn rejects_writes_in_read_mode() {
    let gateway = gateway().await;
    for mode in ["READ", "Read", " read "] {
        let refused = refused(&post(&gateway, json!({ "statement": "CREATE (:X)", "accessMode": mode })).await);
        assert_eq!((refused.status, refused.code.as_str()), (400, "Neo.ClientError.Statement.AccessMode"), "{mode}");
    }
    assert_eq!(count(&gateway, "X").await, 0);
    let response = post(&gateway, json!({ "statement": "CREATE (:X)", "accessMode": "write" })).await;
    assert_eq!(response.status, 202, "{response}");
    assert_eq!(count(&gateway, "X").await, 1);
}

#[tokio::test]
async fn answers_a_ping_on_every_database() {
    let gateway = gateway().await;
    for database in ["neo4j", "system"] {
        let request = json!({ "statement": "CALL db.ping()", "accessMode": "READ" }).to_string();
        let body = body(&gateway.post(&format!("/db/{database}/query/v2"), &request).await);
        assert_eq!(body["data"], json!({ "fields": ["success"], "values": [[true]] }), "{database}");
        assert_eq!(body["queryType"], "s", "{database}");
    }
}

#[tokio::test]
async fn accepts_database_names_in_any_spelling() {
    let gateway = gateway().await;
    let request = r#"{"statement":"RETURN 1 AS a"}"#;
    for path in ["/db/NEO4J/query/v2", "/db/ne%6f4j/query/v2/", "/db/neo4j;x=1/query/v2?y=2"] {
        assert_eq!(values(&gateway.post(path, request).await), json!([[1]]), "{path}");
    }
    for name in ["nope", "system"] {
        let refused = refused(&gateway.post(&format!("/db/{name}/query/v2"), request).await);
        let code = "Neo.ClientError.Database.DatabaseNotFound";
        assert_eq!((refused.status, refused.code.as_str()), (404, code), "{name}");
        assert!(refused.message.contains(name), "{refused:?}");
    }
}
