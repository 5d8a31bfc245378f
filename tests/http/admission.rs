//! Requests in flight and requests that wait for a connection: how many there may be, in total and of one caller.
//!
//! Runs against the fake of Neo4j, where a statement runs until it is cancelled.

use std::sync::Arc;

use serde_json::json;
use tokio::task::JoinHandle;

use crate::support::{
    bolt::{
        control::Control,
        fake_neo4j::{FakeNeo4j, Options},
    },
    gateway::{Gateway, start_memory},
    http::{Connection, DEADLINE, Response},
    query::body,
};

const PATH: &str = "/db/neo4j/query/v2";
const ALICE: &str = "Basic YWxpY2U6cHc=";
const BOB: &str = "Basic Ym9iOnB3";
/// Longer than any test.
const FOR_AGES: &str = "SLEEP 600000";

struct Stand {
    gateway: Arc<Gateway>,
    control: Control,
}

async fn stand(settings: &[(&'static str, &str)]) -> Stand {
    let fake = FakeNeo4j::start_with(Options::default().without_auth()).await;
    let control = fake.control.clone();
    let settings = [&[("database.caller_share", "100"), ("transactions.max", "1")], settings].concat();
    Stand { gateway: Arc::new(start_memory(move || fake.connect(), &settings).await), control }
}

impl Stand {
    async fn ask(&self, who: &str, statement: &str, more: &[(&str, &str)]) -> Response {
        let headers = [&[("Authorization", who), ("Content-Type", "application/json")], more].concat();
        self.gateway.send("POST", PATH, &headers, &json!({ "statement": statement }).to_string()).await
    }

    /// Starts a statement that runs until its request is given up, and waits until `running` statements run.
    async fn occupy(&self, who: &'static str, running: usize) -> JoinHandle<Response> {
        let gateway = Arc::clone(&self.gateway);
        let request = tokio::spawn(async move {
            let headers = [("Authorization", who), ("Content-Type", "application/json")];
            gateway.send("POST", PATH, &headers, &json!({ "statement": FOR_AGES }).to_string()).await
        });
        self.control.wait_for("a statement that runs", |counts| counts.running == running).await;
        request
    }

    /// Waits until a request of this caller is served.
    async fn is_served(&self, who: &str) {
        let served = async {
            while self.ask(who, "RETURN 1", &[]).await.status != 202 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(DEADLINE, served).await.expect("there is room again");
    }
}

/// The answer is a refusal by this limit, and says so in the way of `statuses`.
fn is_refused(answer: &Response, status: u16, code: &str, setting: &str, precise: bool) {
    assert_eq!((answer.status, answer.header("Retry-After")), (status, Some("1")), "{answer}");
    assert_eq!(answer.header("Content-Type"), Some("application/json"), "{answer}");
    let error = &body(answer)["errors"][0];
    assert_eq!(error["code"], format!("Boltgate.TransientError.Limit.{code}"), "{answer}");
    assert!(error["message"].as_str().unwrap().contains(setting), "{answer}");
    assert_eq!(error.get("retryable").is_some(), precise, "{answer}");
}

const STATUSES: [(&[(&str, &str)], bool); 2] = [(&[], false), (&[("Boltgate-Statuses", "precise")], true)];

#[tokio::test]
async fn rejects_requests_at_once_when_too_many_are_in_flight() {
    let stand = stand(&[("limits.requests", "2")]).await;
    let (first, second) = (stand.occupy(ALICE, 1).await, stand.occupy(BOB, 2).await);
    for (statuses, precise) in STATUSES {
        let answer = stand.ask(ALICE, "RETURN 1", statuses).await;
        is_refused(&answer, 503, "Requests", "(limits.requests = 2)", precise);
        // Nothing of a request is looked at.
        let answer = stand.ask("nonsense", "RETURN 1", statuses).await;
        is_refused(&answer, 503, "Requests", "(limits.requests = 2)", precise);
    }
    for path in ["/db/neo4j/query/v2/running", "/db/neo4j/nothing"] {
        let answer = stand.gateway.send("GET", path, &[("Authorization", ALICE)], "").await;
        is_refused(&answer, 503, "Requests", "(limits.requests = 2)", false);
    }
    for (method, path, status) in
        [("GET", "/", 200), ("OPTIONS", PATH, 200), ("HEAD", "/db/neo4j/query/v2/running", 200)]
    {
        let answer = stand.gateway.send(method, path, &[("Authorization", ALICE)], "").await;
        assert_eq!(answer.status, status, "{method} {path}: {answer}");
    }
    // A client that leaves makes room.
    first.abort();
    stand.is_served(ALICE).await;
    second.abort();
}

#[tokio::test]
async fn rejects_a_caller_with_too_many_requests_and_serves_others() {
    let stand = stand(&[("limits.caller_requests", "1")]).await;
    let first = stand.occupy(ALICE, 1).await;
    for (statuses, precise) in STATUSES {
        let answer = stand.ask(ALICE, "RETURN 1", statuses).await;
        is_refused(&answer, 429, "CallerRequests", "(limits.caller_requests = 1)", precise);
    }
    let answer = stand.gateway.send("GET", "/db/neo4j/query/v2/running", &[("Authorization", ALICE)], "").await;
    is_refused(&answer, 429, "CallerRequests", "(limits.caller_requests = 1)", false);
    stand.is_served(BOB).await;
    first.abort();
    stand.is_served(ALICE).await;
}

#[tokio::test]
async fn a_request_is_in_flight_until_its_answer_has_been_read() {
    let stand = stand(&[("limits.requests", "1")]).await;
    let rows = "ROWS 2000 WIDE 10000";
    let mut connection = Connection::open(stand.gateway.address()).await;
    let headers = [("Authorization", ALICE), ("Content-Type", "application/json")];
    connection.request("POST", PATH, &headers, &json!({ "statement": rows }).to_string()).await;
    let head = connection.head().await;
    assert_eq!(head.status, 202);
    let answer = stand.ask(BOB, "RETURN 1", &[]).await;
    is_refused(&answer, 503, "Requests", "limits.requests", false);
    let answer = connection.rest(head).await;
    assert_eq!(body(&answer)["data"]["values"].as_array().map(Vec::len), Some(2000));
    stand.is_served(BOB).await;
    // Whatever a request ends with, it has ended.
    for (who, statement) in [(ALICE, "FAIL Neo.ClientError.Statement.SyntaxError no"), ("nonsense", "RETURN 1")] {
        assert_eq!(stand.ask(who, statement, &[]).await.status, 400);
        stand.is_served(BOB).await;
    }
}

/// A gateway with two connections, which are in use, and for which one request waits.
async fn crowded(settings: &[(&'static str, &str)]) -> (Stand, [JoinHandle<Response>; 3]) {
    let settings = [&[("database.max_connections", "2")], settings].concat();
    let stand = stand(&settings).await;
    // Both are known, so that neither waits in the login lane.
    stand.is_served(ALICE).await;
    stand.is_served(BOB).await;
    let running = [stand.occupy(ALICE, 1).await, stand.occupy(ALICE, 2).await];
    let waiting = stand.occupy(ALICE, 2).await;
    let waits = async {
        while stand.gateway.engine().pool_status().waiting == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(DEADLINE, waits).await.expect("the third one waits");
    let [first, second] = running;
    (stand, [first, second, waiting])
}

#[tokio::test]
async fn rejects_requests_at_once_when_too_many_wait_for_a_connection() {
    let (stand, [first, _second, waiting]) = crowded(&[("limits.waiting", "1")]).await;
    for (statuses, precise) in STATUSES {
        let answer = stand.ask(BOB, "RETURN 1", statuses).await;
        is_refused(&answer, 503, "Waiting", "(limits.waiting = 1)", precise);
    }
    // Whoever gives up waiting leaves a place.
    waiting.abort();
    let stand = Arc::new(stand);
    let third = tokio::spawn({
        let stand = Arc::clone(&stand);
        async move { stand.is_served(BOB).await }
    });
    first.abort();
    third.await.unwrap();
    assert_eq!(stand.gateway.engine().pool_status().waiting, 0);
}

#[tokio::test]
async fn rejects_a_caller_of_whom_too_many_requests_wait() {
    let (stand, [first, _second, waiting]) = crowded(&[("limits.caller_waiting", "1")]).await;
    for (statuses, precise) in STATUSES {
        let answer = stand.ask(ALICE, "RETURN 1", statuses).await;
        is_refused(&answer, 429, "CallerWaiting", "(limits.caller_waiting = 1)", precise);
    }
    let stand = Arc::new(stand);
    let other = tokio::spawn({
        let stand = Arc::clone(&stand);
        async move { stand.is_served(BOB).await }
    });
    first.abort();
    waiting.abort();
    other.await.unwrap();
}

#[tokio::test]
async fn says_when_to_come_back_for_a_connection_or_a_transaction() {
    let stand = stand(&[("database.max_connections", "2"), ("database.acquire_timeout", "60s")]).await;
    stand.is_served(ALICE).await;
    let headers = [("Authorization", ALICE), ("Content-Type", "application/json")];
    let begin = async || stand.gateway.send("POST", &format!("{PATH}/tx"), &headers, "{}").await;
    assert_eq!(begin().await.status, 202);
    let answer = begin().await;
    assert_eq!((answer.status, answer.header("Retry-After")), (503, Some("1")), "{answer}");
    assert!(answer.text().contains("transactions.max"), "{answer}");
    let first = stand.occupy(ALICE, 1).await;
    // Both connections are in use, so only what is refused has to be in time.
    stand.gateway.reload(&[
        ("database.caller_share", "100"),
        ("transactions.max", "1"),
        ("database.max_connections", "2"),
        ("database.acquire_timeout", "1ms"),
    ]);
    let answer = stand.ask(ALICE, "RETURN 1", &[]).await;
    assert_eq!((answer.status, answer.header("Retry-After")), (503, Some("1")), "{answer}");
    assert!(answer.text().contains("database.acquire_timeout"), "{answer}");
    first.abort();
}
