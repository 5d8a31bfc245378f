//! The database goes away while connections to it are idle, while a statement runs, and while a transaction is open.

use serde_json::{Value, json};

use super::address::{Address, neo4j};
use crate::support::{
    bolt::control::{Control, Fault},
    gateway::{self, Gateway},
    query::{begin, body, refused, values},
};

const NOT_KNOWN: &str = "it is unknown whether the statement took effect";

/// Opens `count` connections at the same time, and leaves them idle.
async fn idle_connections(gateway: &Gateway, control: &Control, count: usize) {
    let mut open = Vec::new();
    for _ in 0..count {
        open.push(begin(gateway, &json!({})).await);
    }
    for path in open {
        assert_eq!(gateway.send("DELETE", &path, &[], "").await.status, 200);
    }
    assert_eq!(control.counts().open, count);
}

#[tokio::test]
async fn hides_a_restart_while_connections_are_idle() {
    let fake = neo4j().await;
    let gateway = gateway::start_for(&fake.uri()).await;
    idle_connections(&gateway, &fake.control, 3).await;
    fake.control.close_all();
    fake.control.wait_for("the restart", |counts| counts.open == 0).await;
    for n in 0..5 {
        assert_eq!(values(&gateway.query(&format!("ECHO {n}")).await), json!([[n]]));
    }
    assert_eq!(fake.control.counts().accepted, 4);
}

#[tokio::test]
async fn recovers_when_the_database_returns() {
    let fake = neo4j().await;
    let mut place = Address::new();
    place.move_in(fake.addr());
    let gateway = gateway::start_for(&place.uri()).await;
    idle_connections(&gateway, &fake.control, 2).await;
    place.move_out().await;
    fake.control.wait_for("the end of the connections", |counts| counts.open == 0).await;
    let error = refused(&gateway.query("RETURN 1").await);
    assert_eq!(error.status, 503);
    assert!(error.message.starts_with("cannot connect to "), "{}", error.message);
    place.move_in(fake.addr());
    assert_eq!(values(&gateway.query("ECHO 7").await), json!([[7]]));
}

#[tokio::test]
async fn reports_a_server_that_drops_every_connection() {
    let fake = neo4j().await;
    let gateway = gateway::start_for(&fake.uri()).await;
    fake.control.refuse_new(true);
    let error = refused(&gateway.query("RETURN 1").await);
    assert!([502, 503].contains(&error.status), "{error:?}");
    fake.control.refuse_new(false);
    assert_eq!(values(&gateway.query("ECHO 7").await), json!([[7]]));
}

#[tokio::test]
async fn reports_a_loss_before_the_columns() {
    let fake = neo4j().await;
    let gateway = gateway::start_for(&fake.uri()).await;
    for fault in [Fault::CloseBefore, Fault::CloseAfter] {
        fake.control.on_next("RUN", fault);
        let error = refused(&gateway.query("WRITE k 1").await);
        assert_eq!((error.status, error.code.as_str()), (502, "Boltgate.DatabaseError.Transaction.OutcomeUnknown"));
        assert_eq!(error.message, format!("the database closed the connection; {NOT_KNOWN}"));
        assert_eq!(values(&gateway.query("ECHO 7").await), json!([[7]]));
    }
    fake.control.wait_for("the roll-back", |counts| counts.transactions == 0).await;
    assert_eq!(fake.control.count("RUN"), 4, "nothing was sent twice");
}

#[tokio::test]
async fn reports_a_loss_amid_a_result() {
    let fake = neo4j().await;
    let gateway = gateway::start_for(&fake.uri()).await;
    for fault in [Fault::CloseBefore, Fault::CloseAfter] {
        fake.control.on_next("PULL", fault);
        let answer = gateway.query("WRITE k 1 ROWS 3").await;
        // The columns were known, so the answer had begun.
        assert_eq!(answer.status, 202, "{answer}");
        let message = body(&answer)["errors"][0]["message"].clone();
        assert_eq!(message, format!("the database closed the connection; {NOT_KNOWN}"));
        assert!(body(&answer).get("bookmarks").is_none(), "{answer}");
    }
    assert_eq!(values(&gateway.query("READ k").await), json!([[1]]), "the second one took effect");
    assert_eq!(fake.control.count("RUN"), 3, "nothing was sent twice");
}

#[tokio::test]
async fn reports_a_loss_between_statements_of_a_transaction() {
    let fake = neo4j().await;
    let gateway = gateway::start_for(&fake.uri()).await;
    let path = begin(&gateway, &json!({ "statement": "WRITE k 1" })).await;
    fake.control.close_all();
    fake.control.wait_for("the end", |counts| counts.open == 0).await;
    let answer = gateway.post(&path, r#"{"statement":"RETURN 1"}"#).await;
    let error = refused(&answer);
    assert!(error.status == 503 && error.message.contains("was rolled back"), "{error:?}");
    assert_eq!(gateway.post(&path, "{}").await.status, 404, "the transaction is over");
    assert_eq!(values(&gateway.query("READ k").await), json!([[Value::Null]]));
}

#[tokio::test]
async fn reports_an_unknown_outcome_after_a_loss_at_commit() {
    let fake = neo4j().await;
    let gateway = gateway::start_for(&fake.uri()).await;
    for (key, fault, committed) in [("a", Fault::CloseBefore, json!(null)), ("b", Fault::CloseAfter, json!(1))] {
        let path = begin(&gateway, &json!({ "statement": format!("WRITE {key} 1") })).await;
        fake.control.on_next("COMMIT", fault);
        let error = refused(&gateway.post(&format!("{path}/commit"), "{}").await);
        assert!(error.status == 502 && error.message.contains("unknown"), "{error:?}");
        assert_eq!(gateway.post(&format!("{path}/commit"), "{}").await.status, 404);
        assert_eq!(values(&gateway.query(&format!("READ {key}")).await), json!([[committed]]));
    }
    assert_eq!(fake.control.count("COMMIT"), 2, "nothing was sent twice");
}

#[tokio::test]
async fn reports_a_loss_at_begin_or_rollback() {
    let fake = neo4j().await;
    let gateway = gateway::start_for(&fake.uri()).await;
    fake.control.on_next("BEGIN", Fault::CloseBefore);
    assert_eq!(gateway.post("/db/neo4j/query/v2/tx", "{}").await.status, 503);
    assert_eq!(gateway.engine().open_transactions(), 0);

    let path = begin(&gateway, &json!({ "statement": "WRITE k 1" })).await;
    fake.control.on_next("ROLLBACK", Fault::CloseBefore);
    assert_eq!(gateway.send("DELETE", &path, &[], "").await.status, 503);
    assert_eq!(gateway.post(&path, "{}").await.status, 404);
    fake.control.wait_for("the end", |counts| counts.transactions == 0).await;
    assert_eq!(values(&gateway.query("READ k").await), json!([[Value::Null]]));
}

#[tokio::test]
async fn reports_a_server_without_free_threads() {
    let fake = neo4j().await;
    let gateway = gateway::start_for(&fake.uri()).await;
    fake.control.fail_next("LOGON", "Neo.TransientError.Request.NoThreadsAvailable", "no threads");
    let error = refused(&gateway.query("RETURN 1").await);
    assert_eq!((error.status, error.message.as_str()), (503, "no threads"));
    assert_eq!(values(&gateway.query("ECHO 7").await), json!([[7]]));
}
