//! Parameters at which Memgraph would close the connection, or die: refused by name, before anything is sent.

use serde_json::{Value, json};

use super::stand::{Stand, all_versions};
use crate::support::{
    http::Response,
    query::{body, refused, values},
};

const TYPED: &str = "application/vnd.neo4j.query.v1.2";

async fn post_typed(stand: &Stand, path: &str, body: &Value) -> Response {
    stand.gateway.send("POST", path, &[("Content-Type", TYPED)], &body.to_string()).await
}

fn echo(kind: &str, value: &str) -> Value {
    json!({ "statement": "RETURN $p", "parameters": { "p": { "$type": kind, "_value": value } } })
}

#[tokio::test]
async fn rejects_values_that_crash_memgraph() {
    for options in all_versions() {
        let stand = Stand::start_with(options).await;
        assert_eq!(stand.query("RETURN 1").await.status, 202);
        let runs = stand.runs();
        for (kind, value, reason) in [
            ("Base64", "AQI=", "send a Base64 string"),
            ("Time", "12:00:00+01:00", "times with an offset"),
            ("Date", "+10000-01-01", "years 0 to 9999"),
            ("LocalDateTime", "1969-12-31T23:59:59", "localDateTime($…)"),
            ("OffsetDateTime", "2015-06-24T12:50:00+01:30:15", "whole minutes"),
            ("ZonedDateTime", "2015-06-24T12:50:00+01:00[UTC+01:00]", "is not known"),
            ("Duration", "P106751992D", "microseconds"),
            ("Point", "SRID=9999;POINT (1.0 2.0)", "SRID 9999"),
        ] {
            for path in ["/db/memgraph/query/v2", "/db/memgraph/query/v2/tx"] {
                let error = refused(&post_typed(&stand, path, &echo(kind, value)).await);
                assert_eq!((error.status, error.code.as_str()), (400, "Neo.ClientError.Request.Invalid"), "{kind}");
                assert!(error.message.starts_with("Bad Request: parameters.p: "), "{kind}: {}", error.message);
                assert!(error.message.contains(reason), "{kind}: {}", error.message);
            }
        }
        assert_eq!(stand.runs(), runs, "nothing of it was sent");
        stand.is_content().await;
    }
}

#[tokio::test]
async fn accepts_values_that_memgraph_supports() {
    for options in all_versions() {
        let stand = Stand::start_with(options).await;
        for (kind, value) in [
            ("Date", "2015-06-24"),
            ("LocalTime", "12:50:00.142"),
            ("LocalDateTime", "2015-06-24T12:50:00.142"),
            ("LocalDateTime", "1969-12-31T00:00:00"),
            ("OffsetDateTime", "2015-06-24T12:50:00.142+01:30"),
            ("ZonedDateTime", "2015-06-24T14:50:00.142+02:00[Europe/Berlin]"),
            ("Duration", "P1DT2H0.5S"),
            ("Point", "SRID=7203;POINT (1.5 2.5)"),
            ("Point", "SRID=4979;POINT Z (1.5 2.5 3.5)"),
        ] {
            let answer = post_typed(&stand, "/db/memgraph/query/v2", &echo(kind, value)).await;
            assert!(answer.status == 202 && body(&answer).get("errors").is_none(), "{kind} {value}: {answer}");
        }
        stand.is_content().await;
    }
}

#[tokio::test]
async fn rejects_parameters_nested_too_deeply() {
    let stand = Stand::start().await;
    let nested = |depth: usize| {
        let value: Value = serde_json::from_str(&format!("{}1{}", "[".repeat(depth), "]".repeat(depth))).unwrap();
        json!({ "statement": "RETURN $p", "parameters": { "p": value } })
    };
    assert_eq!(stand.post("/db/memgraph/query/v2", &nested(100)).await.status, 202);
    // serde_json reads no more than this either.
    let text = nested(1).to_string().replace("[1]", &format!("{}1{}", "[".repeat(129), "]".repeat(129)));
    let runs = stand.runs();
    let error = refused(&stand.gateway.post("/db/memgraph/query/v2", &text).await);
    assert_eq!(error.status, 400);
    assert!(error.message.starts_with("Bad Request: parameters.p[0]"), "{}", error.message);
    assert!(error.message.contains("nested deeper than 128 levels"), "{}", error.message);
    assert_eq!(stand.runs(), runs);
    stand.is_content().await;
}

#[tokio::test]
async fn rejects_too_many_parameters() {
    let stand = Stand::start().await;
    let many = json!({ "statement": "RETURN 1", "parameters": { "p": vec![0; 1_000_001] } });
    let error = refused(&stand.post("/db/memgraph/query/v2", &many).await);
    assert_eq!(error.status, 400);
    assert!(
        error.message.starts_with("Bad Request: parameters.p[999999]: there are more than 1000000 "),
        "{}",
        error.message
    );
    assert_eq!(stand.runs(), 0);
    stand.is_content().await;
}

#[tokio::test]
async fn keeps_the_transaction_after_a_rejected_parameter() {
    let stand = Stand::start().await;
    let path = stand.begin().await;
    assert_eq!(stand.post(&path, &json!({ "statement": "WRITE k 1" })).await.status, 202);
    let error = refused(&post_typed(&stand, &path, &echo("Base64", "AQI=")).await);
    assert_eq!(error.status, 400);
    assert_eq!(values(&stand.post(&path, &json!({ "statement": "READ k" })).await), json!([[1]]));
    assert_eq!(stand.post(&format!("{path}/commit"), &json!({})).await.status, 202);
    assert!(stand.committed("k").is_some());
    stand.is_content().await;
}

#[tokio::test]
async fn validates_metadata_like_parameters() {
    let stand = Stand::start().await;
    let request = json!({ "statement": "WHOAMI", "txMetadata": { "app": "test", "n": 1 } });
    let answer = stand.post("/db/memgraph/query/v2", &request).await;
    let metadata = Stand::who_am_i(&answer)["tx_metadata"].clone();
    assert_eq!((&metadata["app"], &metadata["n"]), (&json!("test"), &json!(1)));
    assert_eq!(metadata["boltgate"].as_str().map(str::len), Some(16), "{metadata}");
    stand.is_content().await;
}
