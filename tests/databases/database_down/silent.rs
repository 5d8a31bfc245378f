//! A database that takes a statement and never says a word again.

use serde_json::json;

use crate::support::{
    bolt::{
        control::Fault,
        fake_neo4j::{FakeNeo4j, Options},
    },
    gateway::start_memory,
    query::{begin, body, works},
};

#[tokio::test]
async fn reports_what_is_known_when_the_grace_period_ends() {
    let fake = FakeNeo4j::start_with(Options::default().without_auth()).await;
    let control = fake.control.clone();
    let gateway = start_memory(move || fake.connect(), &[("database.termination_grace", "100ms")]).await;
    for message in ["RUN", "PULL"] {
        control.on_next(message, Fault::Hang);
        let request = json!({ "statement": "WRITE k", "maxExecutionTime": 1 });
        let headers = [("Content-Type", "application/json"), ("Boltgate-Statuses", "precise")];
        let answer = gateway.send("POST", "/db/neo4j/query/v2", &headers, &request.to_string()).await;
        let error = &body(&answer)["errors"][0];
        assert_eq!((answer.status, &error["retryable"]), (504, &json!(false)), "{answer}");
        assert_eq!(error["code"], "Neo.ClientError.Transaction.TransactionTimedOut");
        assert!(error["message"].as_str().unwrap().contains("It is unknown whether"), "{answer}");
        works(&gateway).await;
    }
}

#[tokio::test]
async fn reports_an_unknown_outcome_of_an_unanswered_commit() {
    let fake = FakeNeo4j::start_with(Options::default().without_auth()).await;
    let control = fake.control.clone();
    let settings = [("database.termination_grace", "100ms")];
    let gateway = start_memory(move || fake.connect(), &settings).await;
    for body in ["{}", r#"{"statement":"WRITE k"}"#] {
        let path = begin(&gateway, &json!({})).await;
        control.on_next("COMMIT", Fault::Hang);
        let answer = gateway.post(&format!("{path}/commit"), body).await;
        let text = answer.text();
        assert!(text.contains("Boltgate.DatabaseError.Transaction.OutcomeUnknown"), "{answer}");
        assert!(text.contains("it is unknown whether the transaction was committed"), "{answer}");
        works(&gateway).await;
    }
}
