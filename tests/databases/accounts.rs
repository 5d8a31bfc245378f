//! The events that counters are made of: one for each request and each statement that was sent, whatever ends it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use boltgate::telemetry::{
    observer::{CancelReason, Observer, RequestEnded, RetryReason, RowsReceived, StatementFinished, StatementKind},
    record::GivingUp,
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    cancel::stand::{Fake, Kind, POOL, Stand},
    support::bolt::control::When,
};

/// Counts events by their names.
#[derive(Default)]
struct Accounts(Mutex<BTreeMap<String, u64>>);

impl Accounts {
    fn add(&self, event: String, count: u64) {
        *self.0.lock().unwrap().entry(event).or_default() += count;
    }

    fn all(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap().clone()
    }

    /// Waits until the counts are these and no others.
    async fn become_equal<const N: usize>(&self, expected: [(&str, u64); N]) {
        let expected: BTreeMap<_, _> = expected.into_iter().map(|(event, count)| (event.to_owned(), count)).collect();
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.all() != expected {
            assert!(Instant::now() < deadline, "{:#?} instead of {expected:#?}", self.all());
            sleep(Duration::from_millis(1)).await;
        }
    }
}

impl Observer for Accounts {
    fn request_arrived(&self) {
        self.add("arrived".into(), 1);
    }

    fn request_ended(&self, event: &RequestEnded<'_>) {
        self.add(format!("{} {} {}", event.method, event.route, event.status), 1);
    }

    fn statement_sent(&self, kind: StatementKind) {
        self.add(format!("{kind} sent"), 1);
    }

    fn statement_finished(&self, event: &StatementFinished<'_>) {
        let outcome = event.failure.map_or("ok".to_owned(), |class| class.to_string());
        let code = event.code.map(|code| format!(": {code}")).unwrap_or_default();
        self.add(format!("{} {outcome}{code}", event.kind), 1);
    }

    fn rows_received(&self, event: &RowsReceived<'_>) {
        if event.rows > 0 {
            self.add("rows".into(), event.rows.into());
        }
    }

    fn retried(&self, reason: RetryReason) {
        self.add(format!("retried: {reason}"), 1);
    }

    fn statement_cancelled(&self, _id: u64, reason: CancelReason) {
        self.add(format!("cancelled: {reason}"), 1);
    }
}

async fn stand(kind: Kind) -> (Arc<Fake>, Arc<Accounts>, Stand) {
    let (fake, accounts) = (Fake::start(kind).await, Arc::new(Accounts::default()));
    let stand = Stand::observed(&fake, 64 * 1024, POOL, Arc::<Accounts>::clone(&accounts));
    (fake, accounts, stand)
}

#[tokio::test]
async fn statements_are_counted_by_what_they_belong_to() {
    for kind in [Kind::Neo4j, Kind::Memgraph] {
        let (_fake, accounts, stand) = stand(kind).await;
        assert_eq!(stand.run("", "ROWS 2500").await.status, 202);
        let transaction = stand.begin("ROWS 2").await;
        assert_eq!(stand.run(&transaction, "ROWS 3").await.status, 202);
        assert_eq!(stand.run(&format!("{transaction}/commit"), "ROWS 4").await.status, 202);
        let statements = json!([{ "statement": "ROWS 5" }, { "statement": "ROWS 0" }, { "statement": "ROWS 6" }]);
        assert_eq!(stand.send("POST", "/batch", &json!({ "statements": statements })).await.status, 202);
        let reading = json!({ "statement": "ROWS 7", "accessMode": "READ" });
        assert_eq!(stand.send("POST", "", &reading).await.status, 202);
        accounts
            .become_equal([
                ("arrived", 6),
                ("POST /db/{db}/query/v2 202", 2),
                ("POST /db/{db}/query/v2/tx 202", 1),
                ("POST /db/{db}/query/v2/tx/{id} 202", 1),
                ("POST /db/{db}/query/v2/tx/{id}/commit 202", 1),
                ("POST /db/{db}/query/v2/batch 202", 1),
                ("statement sent", 2),
                ("statement ok", 2),
                ("explicit sent", 3),
                ("explicit ok", 3),
                ("batch sent", 3),
                ("batch ok", 3),
                ("rows", 2500 + 2 + 3 + 4 + 5 + 6 + 7),
            ])
            .await;
    }
}

#[tokio::test]
async fn what_was_never_sent_is_not_counted() {
    let (_fake, accounts, stand) = stand(Kind::Neo4j).await;
    assert_eq!(stand.send("POST", "/tx", &json!({})).await.status, 202);
    assert_eq!(stand.run("/tx/none", "ROWS 1").await.status, 404);
    assert_eq!(stand.send("POST", "", &json!({})).await.status, 400);
    accounts
        .become_equal([
            ("arrived", 3),
            ("POST /db/{db}/query/v2/tx 202", 1),
            ("POST /db/{db}/query/v2/tx/{id} 404", 1),
            ("POST /db/{db}/query/v2 400", 1),
        ])
        .await;
}

#[tokio::test]
async fn failures_are_counted_with_their_codes() {
    let (_fake, accounts, stand) = stand(Kind::Neo4j).await;
    let syntax = "Neo.ClientError.Statement.SyntaxError";
    assert_eq!(stand.run("", "NOT A STATEMENT").await.status, 400);
    assert_eq!(stand.run("/tx", "NOT A STATEMENT").await.status, 400);
    // Rows, and then a failure.
    assert_eq!(stand.run("", "FAILPULL 1500 Neo.DatabaseError.General.UnknownError x").await.status, 202);
    let statements = json!([{ "statement": "ROWS 1" }, { "statement": "NO" }, { "statement": "ROWS 2" }]);
    assert_eq!(stand.send("POST", "/batch", &json!({ "statements": statements })).await.status, 400);
    accounts
        .become_equal([
            ("arrived", 4),
            ("POST /db/{db}/query/v2 400", 1),
            ("POST /db/{db}/query/v2 202", 1),
            ("POST /db/{db}/query/v2/tx 400", 1),
            ("POST /db/{db}/query/v2/batch 400", 1),
            ("statement sent", 2),
            (&*format!("statement client_error: {syntax}"), 1),
            ("statement database_error: Neo.DatabaseError.General.UnknownError", 1),
            ("explicit sent", 1),
            (&*format!("explicit client_error: {syntax}"), 1),
            ("batch sent", 2),
            ("batch ok", 1),
            (&*format!("batch client_error: {syntax}"), 1),
            ("rows", 1501),
        ])
        .await;
}

#[tokio::test]
async fn each_attempt_is_counted() {
    let (fake, accounts, stand) = stand(Kind::Neo4j).await;
    let deadlock = "Neo.TransientError.Transaction.DeadlockDetected";
    fake.control().fail_statements("ECHO", 2, When::Run, deadlock, "again");
    let retry = json!({ "maxTransactionRetryTime": 30 });
    let body = json!({ "statement": "ECHO 1", "retry": retry });
    assert_eq!(stand.send("POST", "", &body).await.status, 202);
    accounts
        .become_equal([
            ("arrived", 1),
            ("POST /db/{db}/query/v2 202", 1),
            ("statement sent", 3),
            (&*format!("statement transient: {deadlock}"), 2),
            ("retried: conflict", 2),
            ("statement ok", 1),
            ("rows", 1),
        ])
        .await;
}

#[tokio::test]
async fn statements_whose_client_has_left_are_counted_as_cancelled() {
    for kind in [Kind::Neo4j, Kind::Memgraph] {
        for path in ["", "/tx"] {
            let (fake, accounts, stand) = stand(kind).await;
            let request = tokio::spawn(stand.send("POST", path, &json!({ "statement": "SLEEP 60000" })));
            fake.control().wait_for("the statement", |counts| counts.running == 1).await;
            request.abort();
            let group = if path.is_empty() { "statement" } else { "explicit" };
            accounts
                .become_equal([
                    ("arrived", 1),
                    (&*format!("POST /db/{{db}}/query/v2{path} 499"), 1),
                    (&*format!("{group} sent"), 1),
                    (&*format!("{group} cancelled"), 1),
                    ("cancelled: client_gone", 1),
                ])
                .await;
            stand.quiet("the abandoned statement").await;
        }
    }
}

#[tokio::test]
async fn a_statement_is_cancelled_for_the_reason_of_whoever_gives_its_client_up() {
    let (fake, accounts, stand) = stand(Kind::Neo4j).await;
    let mut request = Box::pin(stand.send("POST", "", &json!({ "statement": "SLEEP 60000" })));
    let running = fake.control().wait_for("the statement", |counts| counts.running == 1);
    tokio::select! {
        _ = &mut request => panic!("it has ended"),
        _ = running => {}
    }
    let mut giving_up = GivingUp::default();
    giving_up.because(CancelReason::WriteStall);
    drop(request);
    drop(giving_up);
    accounts
        .become_equal([
            ("arrived", 1),
            ("POST /db/{db}/query/v2 499", 1),
            ("statement sent", 1),
            ("statement cancelled", 1),
            ("cancelled: write_stall", 1),
        ])
        .await;
}

#[tokio::test]
async fn statements_that_their_caller_cancels_are_counted_once() {
    let (fake, accounts, stand) = stand(Kind::Neo4j).await;
    let request = tokio::spawn(stand.send("POST", "", &json!({ "statement": "SLEEP 60000" })));
    fake.control().wait_for("the statement", |counts| counts.running == 1).await;
    let listed = stand.send("GET", "/running", &Value::Null).await;
    let id = listed.body["running"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(stand.send("DELETE", &format!("/running/{id}"), &Value::Null).await.status, 200);
    assert_eq!(request.await.unwrap().status, 202);
    accounts
        .become_equal([
            ("arrived", 3),
            ("GET /db/{db}/query/v2/running 200", 1),
            ("DELETE /db/{db}/query/v2/running/{id} 200", 1),
            ("POST /db/{db}/query/v2 202", 1),
            ("statement sent", 1),
            ("statement cancelled: Neo.ClientError.Transaction.Terminated", 1),
            ("cancelled: caller", 1),
        ])
        .await;
}
