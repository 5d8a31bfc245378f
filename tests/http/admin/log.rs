//! `/log`: looking at what is logged, and changing it.

use serde_json::{Value, json};

use crate::{
    admin::{BEARER, Stand},
    support::{
        http::Response,
        query::{body, refused},
    },
};

async fn put(stand: &Stand, text: &str) -> Response {
    stand.gateway.admin("PUT", "/log", &[BEARER], text).await
}

async fn log(stand: &Stand) -> Value {
    body(&stand.admin("GET", "/log").await)
}

#[tokio::test]
async fn changes_the_members_that_are_sent() {
    let stand = Stand::neo4j(&[]).await;
    assert_eq!(log(&stand).await, json!({ "filter": "info", "access": "failures", "slow_query": "0s" }));
    for (change, expected) in [
        (json!({ "filter": "debug" }), json!({ "filter": "debug", "access": "failures", "slow_query": "0s" })),
        (json!({ "access": "all" }), json!({ "filter": "debug", "access": "all", "slow_query": "0s" })),
        (json!({ "slow_query": "2s" }), json!({ "filter": "debug", "access": "all", "slow_query": "2s" })),
        (json!({}), json!({ "filter": "debug", "access": "all", "slow_query": "2s" })),
    ] {
        let answer = put(&stand, &change.to_string()).await;
        assert_eq!((answer.status, body(&answer)), (200, expected.clone()), "{change}");
        assert_eq!(log(&stand).await, expected);
    }
}

#[tokio::test]
async fn rejects_what_cannot_be_logged_and_changes_nothing() {
    let stand = Stand::neo4j(&[]).await;
    let before = log(&stand).await;
    for (text, reason) in [
        (r#"{"filter":"boltgate=loud"}"#, "loud"),
        (r#"{"access":"some"}"#, "some"),
        (r#"{"slow_query":"long"}"#, "long"),
        (r#"{"level":"debug"}"#, "level"),
        ("debug", "object"),
        ("", "object"),
    ] {
        let error = refused(&put(&stand, text).await);
        assert_eq!((error.status, error.code.as_str()), (400, "Neo.ClientError.Request.Invalid"), "{text}");
        assert!(error.message.contains(reason), "{text}: {}", error.message);
    }
    let long = format!("{{\"filter\":\"{}\"}}", "x".repeat(20_000));
    assert_eq!(refused(&put(&stand, &long).await).status, 413);
    assert_eq!(log(&stand).await, before);
}
