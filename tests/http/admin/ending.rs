//! `DELETE /transactions/{id}`: what an operator ends, and what its caller is told.

use serde_json::{Value, json};

use crate::{
    admin::{FOR_AGES, Stand, until},
    support::{
        bolt::control::Fault,
        http::Response,
        query::{body, refused, values},
    },
};

const ENDED: &str = "Boltgate.ClientError.Transaction.Ended";
const JSON: (&str, &str) = ("Content-Type", "application/json");

impl Stand {
    /// Ends the only transaction, which is in this state. Nothing is left of it in the database by then.
    async fn end_only(&self, state: &str) {
        let one = self.until(state).await;
        let answer = self.end(&one).await;
        assert_eq!((answer.status, body(&answer)), (200, json!({ "id": one["id"], "ended": true })), "{answer}");
        assert_eq!(self.transactions().await, [Value::Null; 0]);
        let counts = self.control.counts();
        assert_eq!((counts.transactions, counts.running), (0, 0));
        assert_eq!(self.end(&one).await.status, 404, "it is over");
    }

    /// The owner of a transaction is told who ended it.
    async fn is_told(&self, path: &str) {
        for (method, path) in
            [("POST", path.to_owned()), ("POST", format!("{path}/commit")), ("DELETE", path.to_owned())]
        {
            let told = refused(&self.send(method, &path, &json!({})).await);
            assert_eq!(told.status, 404, "{method} {path}");
            assert!(told.message.ends_with("It was rolled back because an operator ended it."), "{}", told.message);
        }
    }
}

fn is_ended(answer: &Response) {
    let error = refused(answer);
    assert_eq!((error.status, error.code.as_str()), (400, ENDED), "{answer}");
    assert_eq!(error.message, "An operator ended the transaction. It was rolled back.");
}

#[tokio::test]
async fn ends_a_transaction_that_nobody_uses() {
    for stand in Stand::both().await {
        let (path, _) = stand.begin(&json!({ "statement": "WRITE k 1" })).await;
        stand.end_only("idle").await;
        stand.is_told(&path).await;
        assert_eq!(values(&stand.send("POST", "", &json!({ "statement": "READ k" })).await), json!([[null]]));
        assert_eq!(stand.control.violations(), [""; 0]);
    }
}

#[tokio::test]
async fn ends_a_transaction_in_the_middle_of_a_request() {
    for stand in Stand::both().await {
        let (path, _) = stand.begin(&json!({ "statement": "WRITE k 1" })).await;
        let request = stand.start_statement(&path, FOR_AGES);
        stand.control.wait_for("the statement", |counts| counts.running == 1).await;
        stand.end_only("busy").await;
        is_ended(&request.await.unwrap());
        stand.is_told(&path).await;
        assert_eq!(values(&stand.send("POST", "", &json!({ "statement": "READ k" })).await), json!([[null]]));
    }
}

#[tokio::test]
async fn ends_statements_that_are_in_no_open_transaction() {
    for stand in Stand::both().await {
        // The latter may have been committed when it is told to end, so its own reply is waited for.
        for statement in [FOR_AGES, "DELETE k AFTER 600000"] {
            let request = stand.start_statement("", statement);
            stand.control.wait_for("the statement", |counts| counts.running == 1).await;
            stand.end_only("running").await;
            is_ended(&request.await.unwrap());
        }
        let batch = json!({ "statements": [{ "statement": "WRITE k 1" }, { "statement": FOR_AGES }] }).to_string();
        let request = stand.start("/batch", &[JSON], batch);
        stand.control.wait_for("the statement", |counts| counts.running == 1).await;
        stand.end_only("running").await;
        assert_eq!(body(&request.await.unwrap())["errors"][0]["code"], ENDED);
        let load = format!("{}\n{{\"n\":1}}\n{{\"n\":2}}\n", json!({ "statement": FOR_AGES, "transactionSize": 1 }));
        let request = stand.start("/batch", &[("Content-Type", "application/x-ndjson")], load);
        stand.control.wait_for("the statement", |counts| counts.running == 1).await;
        stand.end_only("running").await;
        let answer = request.await.unwrap();
        assert_eq!((answer.status, &body(&answer)["errors"][0]["code"]), (400, &json!(ENDED)), "{answer}");
        assert_eq!(values(&stand.send("POST", "", &json!({ "statement": "READ k" })).await), json!([[null]]));
    }
}

#[tokio::test]
async fn ends_what_waits_for_a_connection() {
    let stand =
        Stand::neo4j(&[("database.max_connections", "2"), ("database.caller_share", "50"), ("transactions.max", "1")])
            .await;
    let (path, _) = stand.begin(&json!({})).await;
    let request = stand.start_statement("", "RETURN 1");
    let listed = until(async || stand.transactions().await, |list| list.len() == 2).await;
    let waiting = listed.iter().find(|one| one["state"] == "queued").unwrap();
    assert_eq!(stand.end(waiting).await.status, 200);
    is_ended(&request.await.unwrap());
    assert_eq!(stand.send("POST", &format!("{path}/commit"), &json!({})).await.status, 202, "others are left alone");
}

#[tokio::test]
async fn answers_409_to_who_wants_precise_statuses() {
    let stand = Stand::neo4j(&[]).await;
    let statement = json!({ "statement": FOR_AGES }).to_string();
    let request = stand.start("", &[JSON, ("Boltgate-Statuses", "precise")], statement);
    stand.end_only("running").await;
    let answer = request.await.unwrap();
    assert_eq!((answer.status, &body(&answer)["errors"][0]["code"]), (409, &json!(ENDED)), "{answer}");
}

#[tokio::test]
async fn gives_up_the_connection_of_a_commit_that_is_not_answered() {
    let stand = Stand::neo4j(&[]).await;
    let (path, _) = stand.begin(&json!({ "statement": "WRITE k 1" })).await;
    stand.control.on_next("COMMIT", Fault::Hang);
    let request = stand.start(&format!("{path}/commit"), &[JSON], "{}".into());
    let busy = stand.until("busy").await;
    assert_eq!(busy["statement"], Value::Null);
    assert_eq!(stand.end(&busy).await.status, 200);
    let error = refused(&request.await.unwrap());
    assert_eq!((error.status, error.code.as_str()), (502, "Boltgate.DatabaseError.Transaction.OutcomeUnknown"));
    assert_eq!(stand.transactions().await, [Value::Null; 0]);
}

#[tokio::test]
async fn rejects_what_is_no_transaction() {
    let stand = Stand::neo4j(&[]).await;
    let (path, handle) = stand.begin(&json!({})).await;
    for id in ["0123456789abcdef", "x", "%ff", "0123456789ABCDEF", handle.as_str()] {
        let error = refused(&stand.admin("DELETE", &format!("/transactions/{id}")).await);
        assert_eq!((error.status, error.code.as_str()), (404, "Neo.ClientError.Request.Invalid"), "{id}");
    }
    assert_eq!(stand.send("POST", &path, &json!({})).await.status, 202);
}
