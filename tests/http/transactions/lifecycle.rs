//! The ordinary life of a transaction.

use serde_json::{Value, json};

use super::{TX, commit, gateway, is_gone, reading, run};
use crate::support::query::{begin, body, count, refused, transaction_id, values};

fn names(body: &Value) -> Vec<&str> {
    body.as_object().expect("an object").keys().map(String::as_str).collect()
}

/// Seconds since 1970 of `2026-09-27T14:36:50Z`.
fn seconds(body: &Value) -> i64 {
    let expires = body["transaction"]["expires"].as_str().expect("it says when it expires");
    assert!(expires.len() == 20 && expires.ends_with('Z'), "whole seconds in UTC: {expires}");
    expires.parse::<jiff::Timestamp>().expect("an instant").as_second()
}

#[tokio::test]
async fn answers_each_step() {
    let gateway = gateway().await;
    let before = jiff::Timestamp::now().as_second();
    let response = gateway.post(TX, "{}").await;
    let begun = body(&response);
    assert_eq!((response.status, names(&begun)), (202, vec!["transaction"]));
    assert!(seconds(&begun) >= before + 60, "it stays open for a minute: {begun}");
    let path = format!("{TX}/{}", transaction_id(&response));

    let response = run(&gateway, &path, "CREATE (:A) RETURN 1 AS one").await;
    let ran = body(&response);
    assert_eq!(ran["data"], json!({ "fields": ["one"], "values": [[1]] }), "{response}");
    assert_eq!(ran["transaction"]["id"], begun["transaction"]["id"]);
    assert_eq!((response.status, ran.get("bookmarks")), (202, None));

    let response = gateway.post(&path, "{}").await;
    assert_eq!((response.status, names(&body(&response))), (202, vec!["transaction"]));

    let response = commit(&gateway, &path).await;
    let committed = body(&response);
    assert_eq!((response.status, names(&committed)), (202, vec!["bookmarks"]));
    assert_eq!(committed["bookmarks"].as_array().map(Vec::len), Some(1));
    assert_eq!(count(&gateway, "A").await, 1);
    is_gone(&gateway, &path).await;
}

#[tokio::test]
async fn runs_statements_with_begin_and_commit() {
    let gateway = gateway().await;
    let response = run(&gateway, TX, "CREATE (:A {n: 1}) RETURN 1 AS one").await;
    assert_eq!(values(&response), json!([[1]]));
    let path = format!("{TX}/{}", transaction_id(&response));
    let response = run(&gateway, &format!("{path}/commit"), "MATCH (a:A) SET a.n = 2 RETURN a.n AS n").await;
    let committed = body(&response);
    assert_eq!(committed["data"]["values"], json!([[2]]), "{response}");
    assert_eq!((committed["bookmarks"].as_array().map(Vec::len), committed.get("transaction")), (Some(1), None));
    assert_eq!(values(&gateway.query("MATCH (a:A) RETURN a.n AS n").await), json!([[2]]));
    is_gone(&gateway, &path).await;
}

#[tokio::test]
async fn undoes_everything_on_rollback() {
    let gateway = gateway().await;
    let path = begin(&gateway, &json!({ "statement": "CREATE (:A)" })).await;
    run(&gateway, &path, "CREATE (:A)").await;
    // A statement that comes with it is not run.
    let json = [("Content-Type", "application/json")];
    let response = gateway.send("DELETE", &path, &json, r#"{"statement":"CREATE (:A)"}"#).await;
    assert_eq!((response.status, response.text().as_str()), (200, "{}"));
    assert_eq!(count(&gateway, "A").await, 0);
    is_gone(&gateway, &path).await;
}

#[tokio::test]
async fn hides_uncommitted_changes_from_others() {
    let gateway = gateway().await;
    let path = begin(&gateway, &json!({})).await;
    let other = begin(&gateway, &reading()).await;
    run(&gateway, &path, "CREATE (:A)").await;
    let counted = "MATCH (a:A) RETURN count(a) AS n";
    assert_eq!(values(&run(&gateway, &path, counted).await), json!([[1]]), "its own work");
    assert_eq!(count(&gateway, "A").await, 0, "from outside");
    assert_eq!(values(&run(&gateway, &other, counted).await), json!([[0]]), "from another transaction");
    commit(&gateway, &path).await;
    assert_eq!(count(&gateway, "A").await, 1);
    assert_eq!(values(&run(&gateway, &other, counted).await), json!([[0]]), "what it saw at first");
    gateway.send("DELETE", &other, &[], "").await;
}

#[tokio::test]
async fn supports_parameters_and_counters() {
    let gateway = gateway().await;
    let path = begin(&gateway, &reading()).await;
    let typed = [("Content-Type", "application/vnd.neo4j.query"), ("Accept", "application/vnd.neo4j.query")];
    let five = json!({ "$type": "Integer", "_value": "5" });
    let request = json!({ "statement": "RETURN $x AS x", "parameters": { "x": five }, "includeCounters": true });
    let response = gateway.send("POST", &path, &typed, &request.to_string()).await;
    assert_eq!(values(&response), json!([[five]]));
    assert_eq!(body(&response)["counters"]["containsUpdates"], false);
    // The body of the next request may be of another type, or none at all.
    assert_eq!(commit(&gateway, &path).await.status, 202);
}

#[tokio::test]
async fn accepts_empty_bodies() {
    let gateway = gateway().await;
    for headers in
        [&[][..], &[("Content-Type", "application/json")], &[("Content-Type", "application/vnd.neo4j.query")]]
    {
        let response = gateway.send("POST", TX, headers, "").await;
        assert_eq!(response.status, 202, "{response}");
        let path = format!("{TX}/{}", transaction_id(&response));
        assert_eq!(gateway.send("POST", &path, headers, "").await.status, 202);
        assert_eq!(gateway.send("POST", &format!("{path}/commit"), headers, "").await.status, 202);
    }
    for nothing in ["{}", r#"{"statement":null}"#, r#"{"statement":""}"#] {
        let path = format!("{TX}/{}", transaction_id(&gateway.post(TX, nothing).await));
        let kept = gateway.post(&path, nothing).await;
        assert_eq!(body(&kept).get("data"), None, "{nothing}");
        assert_eq!(gateway.post(&format!("{path}/commit"), nothing).await.status, 202, "{nothing}");
    }
    // Without a Content-Type, rolling back needs no body.
    let path = begin(&gateway, &json!({})).await;
    assert_eq!(gateway.send("DELETE", &path, &[], "").await.status, 200);
}

#[tokio::test]
async fn keeps_the_options_of_the_begin() {
    let gateway = gateway().await;
    let bookmark = body(&gateway.query("CREATE (:B)").await)["bookmarks"].clone();
    let options = json!({ "accessMode": "Read", "bookmarks": bookmark, "txType": "IMPLICIT",
                          "txMetadata": { "app": "test" }, "maxExecutionTime": 30 });
    let path = begin(&gateway, &options).await;
    assert_eq!(values(&run(&gateway, &path, "MATCH (b:B) RETURN count(b) AS n").await), json!([[1]]));
    let refused = refused(&run(&gateway, &path, "CREATE (:B)").await);
    assert_eq!((refused.status, refused.code.as_str()), (400, "Neo.ClientError.Statement.AccessMode"));
    is_gone(&gateway, &path).await;
}

#[tokio::test]
async fn answers_a_ping_inside_a_transaction() {
    let gateway = gateway().await;
    for database in ["neo4j", "system"] {
        let response = gateway.post(&format!("/db/{database}/query/v2/tx"), &reading().to_string()).await;
        let path = format!("/db/{database}/query/v2/tx/{}", transaction_id(&response));
        let pinged = body(&run(&gateway, &path, "CALL db.ping()").await);
        assert_eq!(pinged["data"], json!({ "fields": ["success"], "values": [[true]] }), "{database}");
        assert_eq!(commit(&gateway, &path).await.status, 202, "{database}");
    }
}

#[tokio::test]
async fn runs_two_transactions_and_single_statements_concurrently() {
    let gateway = gateway().await;
    for round in 0..5 {
        let (one, other) = (begin(&gateway, &json!({})).await, begin(&gateway, &reading()).await);
        run(&gateway, &one, "CREATE (:R)").await;
        assert_eq!(count(&gateway, "R").await, round);
        commit(&gateway, &one).await;
        commit(&gateway, &other).await;
    }
    assert_eq!((count(&gateway, "R").await, gateway.engine().open_transactions()), (5, 0));
}
