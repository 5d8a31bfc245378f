//! The client closes its connection, or stops reading.

use serde_json::json;

use super::{FLOOD, SILENCE, STREAM, Stage, read};
use crate::support::client::{BATCH, QUERY, Said, TX, transaction};

const MEBIBYTE: usize = 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn frees_the_database_amid_rows() {
    let Some(stage) = Stage::enter().await else { return };
    let gateway = stage.gateway(&[]);
    let mut client = gateway.send(QUERY, &stage.request(STREAM)).await;
    read(&mut client, MEBIBYTE).await;
    stage.is_listed(1).await;
    drop(client);
    stage.is_free("client left amid the rows").await;
    gateway.works().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frees_the_database_before_the_first_row() {
    let Some(stage) = Stage::enter().await else { return };
    let gateway = stage.gateway(&[]);
    let client = gateway.send(QUERY, &stage.request(SILENCE)).await;
    stage.is_at_work(1).await;
    drop(client);
    stage.is_free("client left before the first row").await;
    gateway.works().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frees_the_database_of_many_statements() {
    let Some(stage) = Stage::enter().await else { return };
    let gateway = stage.gateway(&[]);
    let mut clients = Vec::new();
    for statement in [STREAM, SILENCE].repeat(3) {
        clients.push(gateway.send(QUERY, &stage.request(statement)).await);
    }
    stage.is_at_work(6).await;
    drop(clients);
    stage.is_free("6 clients left").await;
    gateway.works().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frees_the_database_inside_a_batch() {
    let Some(stage) = Stage::enter().await else { return };
    let gateway = stage.gateway(&[]);
    let mut request = json!({ "statements": [{ "statement": "RETURN 1" }, { "statement": SILENCE }] });
    request["txMetadata"] = stage.request("")["txMetadata"].take();
    let client = gateway.send(BATCH, &request).await;
    stage.is_at_work(1).await;
    drop(client);
    stage.is_free("client left a batch").await;
    gateway.works().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frees_the_database_inside_a_transaction() {
    let Some(stage) = Stage::enter().await else { return };
    let gateway = stage.gateway(&[]);
    let begun = gateway.client.post(TX, &stage.request("RETURN 1")).await;
    let path = format!("{TX}/{}", transaction(&Said::by(&begun).yes()));
    let client = gateway.send(&path, &json!({ "statement": SILENCE })).await;
    stage.is_at_work(1).await;
    drop(client);
    stage.is_free("client left an explicit transaction").await;
    let gone = gateway.client.post(&path, &json!({})).await;
    assert!(gone.status == 404 && gone.text().contains("was interrupted"), "{gone}");
    gateway.works().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frees_the_database_when_a_client_stops_reading() {
    let Some(stage) = Stage::enter().await else { return };
    let gateway = stage.gateway(&[("BOLTGATE_SERVER__WRITE_STALL_TIMEOUT", "1s")]);
    let mut client = gateway.send(QUERY, &stage.request(FLOOD)).await;
    read(&mut client, MEBIBYTE).await;
    stage.is_listed(1).await;
    stage.is_free("client read no more (write_stall_timeout 1 s)").await;
    drop(client);
    gateway.works().await;
}
