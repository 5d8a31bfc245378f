//! Writes that are cancelled: what is said of them is what Memgraph has said.

use serde_json::{Value, json};

use crate::support::{
    bolt::{
        control::Fault,
        fake_memgraph::{FakeMemgraph, Options},
    },
    gateway::{self, Gateway},
    http::{Connection, Response},
    query::body,
};

const PATH: &str = "/db/memgraph/query/v2";

/// Has a write cancelled while it is at work, and gives its answer.
async fn cancelled(fake: &FakeMemgraph, gateway: &Gateway, statement: &str) -> Response {
    let mut client = Connection::open(gateway.address()).await;
    client.post(PATH, &json!({ "statement": statement }).to_string()).await;
    fake.control.wait_for("the write", |counts| counts.transactions == 1).await;
    let running = gateway.send("GET", &format!("{PATH}/running"), &[], "").await;
    let id = body(&running)["running"][0]["id"].as_str().expect("it runs").to_owned();
    assert_eq!(gateway.send("DELETE", &format!("{PATH}/running/{id}"), &[], "").await.status, 200);
    client.answer().await
}

#[tokio::test]
async fn reports_success_when_the_commit_precedes_the_termination() {
    let fake = FakeMemgraph::start_with(Options { heeds_terminations: false, ..Options::default() }).await;
    let gateway = gateway::start_for(&fake.uri()).await;
    gateway.query("WRITE k 1").await;
    let answer = cancelled(&fake, &gateway, "DELETE k AFTER 1000").await;
    assert_eq!((answer.status, body(&answer).get("errors")), (202, None), "{answer}");
    assert_eq!(fake.store().committed("memgraph", "k"), None, "it was carried out");
}

#[tokio::test]
async fn undoes_a_terminated_statement() {
    let fake = FakeMemgraph::start().await;
    let gateway = gateway::start_for(&fake.uri()).await;
    gateway.post(PATH, r#"{"statement":"WRITE k 1"}"#).await;
    let answer = cancelled(&fake, &gateway, "DELETE k AFTER 600000").await;
    assert_eq!(body(&answer)["errors"][0]["code"], "Neo.ClientError.Transaction.Terminated", "{answer}");
    assert!(fake.store().committed("memgraph", "k").is_some(), "it is still there");
}

#[tokio::test]
async fn reports_an_unknown_outcome_without_a_reply() {
    let fake = FakeMemgraph::start().await;
    let gateway = gateway::start_for_with(&fake.uri(), &[("database.termination_grace", "200ms")]).await;
    fake.control.on_next("PULL", Fault::Hang);
    let answer = cancelled(&fake, &gateway, "DELETE k").await;
    let error: &Value = &body(&answer)["errors"][0];
    assert_eq!(error["code"], "Boltgate.DatabaseError.Transaction.OutcomeUnknown", "{answer}");
}
