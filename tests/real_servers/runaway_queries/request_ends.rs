//! The statement is cancelled on request or times out; the client is told.

use serde_json::{Value, json};

use super::{Gateway, SILENCE, STREAM, Stage};
use crate::support::client::{QUERY, Said};

const RUNNING: &str = "/db/neo4j/query/v2/running";

/// Ends the only statement that runs.
async fn end_it(gateway: &Gateway) {
    let running = Said::by(&gateway.client.send("GET", RUNNING, &Value::Null).await).yes()["running"].take();
    let id = running[0]["id"].as_str().unwrap_or_else(|| panic!("nothing runs: {running}")).to_owned();
    let ended = gateway.client.send("DELETE", &format!("{RUNNING}/{id}"), &Value::Null).await;
    assert_eq!((ended.status, ended.text().as_str()), (200, "{}"));
}

/// The code of the only error.
fn code(text: &str) -> Value {
    let body: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    body["errors"][0]["code"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn cancels_before_the_first_row() {
    let Some(stage) = Stage::enter().await else { return };
    let gateway = stage.gateway(&[]);
    let mut client = gateway.send(QUERY, &stage.request(SILENCE)).await;
    stage.is_at_work(1).await;
    end_it(&gateway).await;
    stage.is_free("DELETE before the first row").await;
    let answer = client.answer().await;
    assert_eq!(code(&answer.text()), "Neo.ClientError.Transaction.Terminated", "{answer}");
    gateway.works().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancels_amid_rows() {
    let Some(stage) = Stage::enter().await else { return };
    let gateway = stage.gateway(&[]);
    let mut client = gateway.send(QUERY, &stage.request(STREAM)).await;
    let head = client.head().await;
    stage.is_listed(1).await;
    end_it(&gateway).await;
    stage.is_free("DELETE amid the rows").await;
    let answer = client.rest(head).await;
    let end = &answer.text()[answer.text().len().saturating_sub(300)..];
    assert!(end.contains("Neo.ClientError.Transaction.Terminated"), "{end}");
    gateway.works().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn times_out_before_the_first_row() {
    let Some(stage) = Stage::enter().await else { return };
    let gateway = stage.gateway(&[]);
    let mut request = stage.request(SILENCE);
    request["maxExecutionTime"] = json!(3);
    let mut client = gateway.send(QUERY, &request).await;
    stage.is_listed(1).await;
    stage.is_free("maxExecutionTime 3 s, without rows").await;
    let answer = client.answer().await;
    let code = code(&answer.text());
    let code = code.as_str().unwrap_or_default();
    assert!(code.starts_with("Neo.ClientError.Transaction.TransactionTimedOut"), "{answer}");
    gateway.works().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn times_out_amid_rows() {
    let Some(stage) = Stage::enter().await else { return };
    let gateway = stage.gateway(&[]);
    let mut request = stage.request(STREAM);
    request["maxExecutionTime"] = json!(3);
    let mut client = gateway.send(QUERY, &request).await;
    // It reads on, so that the rows do not wait for it.
    let reading = tokio::spawn(async move { client.answer().await });
    stage.is_listed(1).await;
    stage.is_free("maxExecutionTime 3 s, amid the rows").await;
    let answer = reading.await.expect("it is answered").text();
    let end = &answer[answer.len().saturating_sub(400)..];
    assert!(end.contains("Neo.ClientError.Transaction.TransactionTimedOut"), "{end}");
    gateway.works().await;
}
