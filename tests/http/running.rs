//! Looking at one's own running statements, and ending them.
//!
//! Runs against the fakes of Neo4j and Memgraph.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{task::JoinHandle, time::sleep};

use crate::support::{
    bolt::{
        control::Control,
        fake_memgraph::{FakeMemgraph, Options as MemgraphOptions},
        fake_neo4j::{FakeNeo4j, Options as Neo4jOptions},
    },
    gateway::{Gateway, start_embedded, start_memory},
    http::{Connection, Response},
    query::{begin, body, refused, values},
};

const PATIENCE: Duration = Duration::from_secs(60);
const ALICE: &str = "Basic YWxpY2U6cHc=";
const BOB: &str = "Basic Ym9iOnB3";
/// Longer than any test.
const FOR_AGES: &str = "SLEEP 600000";

struct Stand {
    gateway: Arc<Gateway>,
    control: Control,
    path: &'static str,
}

async fn stands() -> [Stand; 2] {
    let neo4j = FakeNeo4j::start_with(Neo4jOptions::default().without_auth()).await;
    let memgraph = FakeMemgraph::start_with(MemgraphOptions::default()).await;
    let (one, other) = (neo4j.control.clone(), memgraph.control.clone());
    let settings = [("database.max_connections", "4"), ("database.caller_share", "50"), ("transactions.max", "3")];
    let gateways = [
        start_memory(move || neo4j.connect(), &settings).await,
        start_memory(move || memgraph.connect(), &settings).await,
    ];
    let [first, second] = gateways.map(Arc::new);
    [
        Stand { gateway: first, control: one, path: "/db/neo4j/query/v2" },
        Stand { gateway: second, control: other, path: "/db/memgraph/query/v2" },
    ]
}

impl Stand {
    async fn send(&self, who: &str, method: &str, path: &str, body: &str) -> Response {
        let headers = [("Authorization", who), ("Content-Type", "application/json")];
        self.gateway.send(method, &format!("{}{path}", self.path), &headers, body).await
    }

    /// Starts a statement that keeps running in the background.
    fn start(&self, who: &'static str, path: &str, statement: &str) -> JoinHandle<Response> {
        let (gateway, path) = (Arc::clone(&self.gateway), format!("{}{path}", self.path));
        let request = json!({ "statement": statement }).to_string();
        tokio::spawn(async move {
            let headers = [("Authorization", who), ("Content-Type", "application/json")];
            gateway.send("POST", &path, &headers, &request).await
        })
    }

    async fn running(&self, who: &str) -> Vec<Value> {
        let answer = self.send(who, "GET", "/running", "").await;
        assert_eq!(answer.status, 200, "{answer}");
        body(&answer)["running"].as_array().unwrap().clone()
    }

    /// Waits until the list is as it should be.
    async fn until(&self, who: &str, what: &str, is_right: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let running = self.running(who).await;
            if is_right(&running) {
                return running;
            }
            assert!(Instant::now() < deadline, "{what}: {running:?}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    async fn cancel(&self, who: &str, statement: &Value) -> Response {
        let id = statement["id"].as_str().unwrap();
        self.send(who, "DELETE", &format!("/running/{id}"), "").await
    }
}

#[tokio::test]
async fn lists_and_cancels_a_statement() {
    for stand in stands().await {
        let request = stand.start(ALICE, "", FOR_AGES);
        let running = stand.until(ALICE, "it runs", |list| list.len() == 1 && list[0]["state"] == "running").await;
        let one = &running[0];
        assert_eq!((&one["statement"], &one["transaction"]), (&json!(FOR_AGES), &Value::Null));
        assert!(one["elapsed"].is_u64() && one["since"].as_str().unwrap().ends_with('Z'), "{one}");
        stand.control.wait_for("the statement", |counts| counts.running == 1).await;
        let cancelled = stand.cancel(ALICE, one).await;
        assert_eq!((cancelled.status, cancelled.text().as_str()), (200, "{}"));
        let answer = request.await.unwrap();
        let error = &body(&answer)["errors"][0];
        assert_eq!(error["code"], "Neo.ClientError.Transaction.Terminated", "{answer}");
        assert_eq!(error["message"], "The statement was cancelled on request.");
        // The database stops too, and the connection is good again.
        stand.control.wait_for("the end", |counts| counts.running == 0 && counts.transactions == 0).await;
        assert_eq!(stand.running(ALICE).await, Vec::<Value>::new());
        assert_eq!(stand.cancel(ALICE, one).await.status, 404, "it is over");
        assert_eq!(values(&stand.send(ALICE, "POST", "", r#"{"statement":"RETURN 1"}"#).await), json!([[1]]));
        assert_eq!(stand.control.violations(), [""; 0]);
    }
}

#[tokio::test]
async fn lists_and_cancels_only_the_callers_own_statements() {
    for stand in stands().await {
        let request = stand.start(ALICE, "", FOR_AGES);
        let running = stand.until(ALICE, "it runs", |list| list.len() == 1).await;
        assert_eq!(stand.running(BOB).await, Vec::<Value>::new());
        let elsewhere = "/db/other/query/v2/running";
        let others = stand.gateway.send("GET", elsewhere, &[("Authorization", ALICE)], "").await;
        assert_eq!(body(&others), json!({ "running": [] }));
        let answer = stand.cancel(BOB, &running[0]).await;
        let told = refused(&answer);
        let message = format!("No running statement with id {} was found.", running[0]["id"]);
        assert_eq!((told.status, told.code.as_str()), (404, "Neo.ClientError.Request.Invalid"));
        assert_eq!(told.message, message);
        assert_eq!(stand.running(ALICE).await.len(), 1);
        assert_eq!(stand.cancel(ALICE, &running[0]).await.status, 200);
        request.await.unwrap();
    }
}

#[tokio::test]
async fn reports_every_state_of_a_statement() {
    let [stand, _] = stands().await;
    // Two connections are all that one caller may use here.
    let mut requests = vec![stand.start(ALICE, "", FOR_AGES), stand.start(ALICE, "", FOR_AGES)];
    stand.control.wait_for("both", |counts| counts.running == 2).await;
    requests.push(stand.start(ALICE, "", "RETURN 7"));
    let state = |list: &[Value], state: &str| list.iter().filter(|one| one["state"] == state).count();
    let running = stand.until(ALICE, "one waits", |list| state(list, "queued") == 1).await;
    let queued = running.iter().find(|one| one["state"] == "queued").unwrap();
    assert_eq!(stand.cancel(ALICE, queued).await.status, 200);
    let answer = requests.pop().unwrap().await.unwrap();
    assert_eq!(refused(&answer).code, "Neo.ClientError.Transaction.Terminated");
    assert_eq!(stand.control.count("RUN"), 2, "it was never sent");
    for one in running.iter().filter(|one| one["state"] == "running") {
        stand.cancel(ALICE, one).await;
    }
    for request in requests {
        request.await.unwrap();
    }
    // A reader that takes its time.
    let mut reader = Connection::open(stand.gateway.address()).await;
    let headers = [("Authorization", ALICE), ("Content-Type", "application/json")];
    reader.request("POST", stand.path, &headers, r#"{"statement":"ROWS 100000000 WIDE 500"}"#).await;
    let head = reader.head().await;
    assert_eq!(head.status, 202);
    let running = stand.until(ALICE, "it streams", |list| state(list, "streaming") == 1).await;
    assert_eq!(stand.cancel(ALICE, &running[0]).await.status, 200);
    let rest = reader.rest(head).await.text();
    assert!(rest.contains("The statement was cancelled on request."), "{}", &rest[rest.len().saturating_sub(300)..]);
    // One that has met a conflict, and waits.
    let patient = json!({ "statement": "CONFLICT 1000", "retry": { "initialRetryDelay": 600 } }).to_string();
    let request = {
        let (gateway, path) = (Arc::clone(&stand.gateway), stand.path);
        tokio::spawn(async move { gateway.send("POST", path, &headers, &patient).await })
    };
    // The pause is longer than any attempt may take, so there is none, unless the time allows for it.
    let answer = request.await.unwrap();
    let code = &body(&answer)["errors"][0]["code"];
    assert_eq!(
        (code, answer.header("Boltgate-Attempts")),
        (&json!("Neo.TransientError.Transaction.DeadlockDetected"), None)
    );
    let patient = json!({
        "statement": "CONFLICT 1000", "retry": { "initialRetryDelay": 100, "maxTransactionRetryTime": 3600 },
    });
    let request = {
        let (gateway, path, patient) = (Arc::clone(&stand.gateway), stand.path, patient.to_string());
        tokio::spawn(async move { gateway.send("POST", path, &headers, &patient).await })
    };
    let running = stand.until(ALICE, "it waits", |list| state(list, "retrying") == 1).await;
    assert_eq!(stand.cancel(ALICE, &running[0]).await.status, 200);
    let answer = request.await.unwrap();
    assert_eq!(refused(&answer).code, "Neo.ClientError.Transaction.Terminated");
    assert_eq!(answer.header("Boltgate-Attempts"), None, "the second one was never made");
}

#[tokio::test]
async fn rolls_back_the_transaction_of_a_cancelled_statement() {
    let [stand, _] = stands().await;
    let gateway = &stand.gateway;
    let path = begin(gateway, &json!({ "statement": "WRITE k 1" })).await;
    let id = path.rsplit('/').next().unwrap();
    let request = {
        let (gateway, path) = (Arc::clone(gateway), path.clone());
        tokio::spawn(async move { gateway.post(&path, &json!({ "statement": FOR_AGES }).to_string()).await })
    };
    let list = async || body(&gateway.send("GET", "/db/neo4j/query/v2/running", &[], "").await)["running"].clone();
    let deadline = Instant::now() + PATIENCE;
    let running = loop {
        let running = list().await;
        if running[0]["state"] == "running" {
            break running;
        }
        assert!(Instant::now() < deadline, "{running}");
        sleep(Duration::from_millis(5)).await;
    };
    assert_eq!(running[0]["transaction"], id);
    let cancel = format!("/db/neo4j/query/v2/running/{}", running[0]["id"].as_str().unwrap());
    assert_eq!(gateway.send("DELETE", &cancel, &[], "").await.status, 200);
    let answer = request.await.unwrap();
    assert_eq!(body(&answer)["errors"][0]["code"], "Neo.ClientError.Transaction.Terminated", "{answer}");
    let gone = refused(&gateway.post(&path, "{}").await);
    assert!(gone.status == 404 && gone.message.contains("was interrupted"), "{gone:?}");
    stand.control.wait_for("the roll-back", |counts| counts.transactions == 0).await;
    assert_eq!(values(&gateway.query("READ k").await), json!([[Value::Null]]));
}

#[tokio::test]
async fn rejects_other_methods_and_unverified_callers() {
    let fake = FakeNeo4j::start_with(Neo4jOptions::default()).await;
    let gateway = start_memory(move || fake.connect(), &[]).await;
    let path = "/db/neo4j/query/v2/running";
    let wrong = [("Authorization", "Basic bmVvNGo6d3Jvbmc=")];
    assert_eq!(gateway.send("GET", path, &wrong, "").await.status, 401);
    assert_eq!(gateway.send("DELETE", &format!("{path}/0"), &wrong, "").await.status, 401);
    for (method, path) in [("POST", path.to_owned()), ("DELETE", path.to_owned()), ("GET", format!("{path}/0"))] {
        let told = gateway.send(method, &path, &wrong, "").await;
        assert_eq!((told.status, told.header("Allow")), (401, None), "{method}: strangers learn nothing");
    }
    for (method, path) in [("PUT", "/db/neo4j/query/v2"), ("GET", "/db/neo4j/query/v2/tx/0"), ("GET", "/db/neo4j/x")] {
        let told = gateway.send(method, path, &wrong, "").await;
        assert_eq!((told.status, told.header("Allow")), (401, None), "{method} {path}");
    }
    let options = gateway.send("OPTIONS", path, &[], "").await;
    assert_eq!(options.header("Allow"), Some("HEAD,GET,OPTIONS"));
}

#[tokio::test]
async fn paths_may_be_written_as_those_of_statements() {
    let gateway = start_embedded(&[]).await;
    for path in ["/db/neo4j/query/v2/running/", "/db/ne%6f4j;x=1/qu%65ry;y/v2/running;z?w"] {
        assert_eq!(body(&gateway.send("GET", path, &[], "").await), json!({ "running": [] }), "{path}");
        let head = gateway.send("HEAD", path, &[], "").await;
        assert_eq!((head.status, head.header("Content-Length"), &head.body[..]), (200, Some("14"), &b""[..]), "{path}");
    }
    let gone = refused(&gateway.send("DELETE", "/db/neo4j/query/v2/running/a%20%25b;c/", &[], "").await);
    assert_eq!((gone.status, gone.message.as_str()), (404, "No running statement with id \"a %b\" was found."));
    for path in ["/db//query/v2/running", "/db/neo4j/query/v2/running//", "/db/a%2Fb/query/v2/running"] {
        for method in ["GET", "OPTIONS"] {
            assert_eq!(gateway.send(method, path, &[], "").await.status, 404, "{method} {path}");
        }
    }
}
