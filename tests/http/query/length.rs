//! Short answers and long ones, and those that break off.

use serde_json::{Value, json};

use super::{gateway, gateway_to_fake};
use crate::support::{
    gateway::start_embedded,
    http::Connection,
    query::{body, values, works},
};

const PATH: &str = "/db/neo4j/query/v2";
const ROWS: usize = 50_000;
const BIG: &str = "UNWIND range(1, 50000) AS i RETURN i, 'row ' + toString(i) AS text";

fn row(number: usize) -> Value {
    json!([number, format!("row {number}")])
}

#[tokio::test]
async fn sends_the_length_of_a_short_answer() {
    let response = gateway().await.query("UNWIND range(1, 100) AS i RETURN i").await;
    assert_eq!(response.header("Transfer-Encoding"), None);
    assert_eq!(response.header("Content-Length"), Some(response.body.len().to_string().as_str()));
    assert_eq!(values(&response).as_array().map(Vec::len), Some(100));
}

#[tokio::test]
async fn sends_a_long_answer_in_chunks() {
    let response = gateway().await.query(BIG).await;
    assert_eq!(response.header("Content-Length"), None);
    assert_eq!(response.header("Transfer-Encoding"), Some("chunked"));
    let values = values(&response);
    let values = values.as_array().unwrap();
    assert_eq!(values.len(), ROWS);
    for (index, value) in values.iter().enumerate() {
        assert_eq!(value, &row(index + 1));
    }
    assert_eq!(body(&response)["bookmarks"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn sends_a_long_answer_in_lines() {
    let headers = [("Content-Type", "application/json"), ("Accept", "application/jsonl")];
    let request = json!({ "statement": BIG }).to_string();
    let response = gateway().await.send("POST", PATH, &headers, &request).await;
    assert_eq!(response.header("Transfer-Encoding"), Some("chunked"));
    let text = response.text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), ROWS + 2);
    for (index, line) in lines[1..=ROWS].iter().enumerate() {
        let line: Value = serde_json::from_str(line).expect("a line is a JSON document");
        assert_eq!(line, json!({ "$event": "Record", "_body": row(index + 1) }));
    }
    assert!(lines[ROWS + 1].starts_with(r#"{"$event":"Summary","#), "{}", lines[ROWS + 1]);
}

#[tokio::test]
async fn ends_the_body_with_an_error_after_rows() {
    let gateway = gateway_to_fake().await;
    // Within the first batch, and after several.
    for rows in [3_usize, 5_000] {
        let statement = format!("FAILPULL {rows} Neo.ClientError.Statement.ArithmeticError / by zero");
        let request = json!({ "statement": statement, "includeCounters": true }).to_string();
        let error = json!([{ "code": "Neo.ClientError.Statement.ArithmeticError", "message": "/ by zero" }]);

        let response = gateway.post(PATH, &request).await;
        let body = body(&response);
        assert_eq!((response.status, body["data"]["values"].as_array().map(Vec::len)), (202, Some(rows)));
        assert_eq!(body["errors"], error);
        assert_eq!(body.as_object().unwrap().len(), 2, "nothing but data and errors: {rows}");
        assert!(response.text().ends_with(&format!(r#","errors":{error}}}"#)), "{rows}");

        let headers = [("Content-Type", "application/json"), ("Accept", "application/jsonl")];
        let response = gateway.send("POST", PATH, &headers, &request).await;
        let text = response.text();
        assert_eq!((response.status, text.lines().count()), (202, rows + 2));
        assert_eq!(text.lines().last(), Some(format!(r#"{{"$event":"Error","_body":{error}}}"#).as_str()));
    }
}

#[tokio::test]
async fn ends_the_answer_at_a_record_beyond_the_limit() {
    let gateway = start_embedded(&[("limits.record", "64KiB")]).await;
    let statement = "UNWIND [1, 2, 70000, 3] AS n RETURN [i IN range(1, n) | i % 10] AS list";
    let response = gateway.query(statement).await;
    let body = body(&response);
    assert_eq!((response.status, &body["data"]["values"]), (202, &json!([[[1]], [[1, 2]]])), "{response}");
    let message = body["errors"][0]["message"].as_str().expect("there is an error");
    assert!(message.contains("limits.record"), "{message}");
    works(&gateway).await;
}

#[tokio::test]
async fn keeps_serving_after_a_client_disconnects() {
    let gateway = start_embedded(&[("database.max_connections", "2"), ("transactions.max", "1")]).await;
    for _ in 0..4 {
        let mut connection = Connection::open(gateway.address()).await;
        let request = json!({ "statement": "UNWIND range(1, 5000) AS i RETURN i, $text AS text",
                              "parameters": { "text": "x".repeat(4000) } });
        connection.post(PATH, &request.to_string()).await;
        assert_eq!(connection.head().await.status, 202);
        drop(connection);
    }
    // All connections to the database are free again, or this would wait in vain.
    works(&gateway).await;
    works(&gateway).await;
}
