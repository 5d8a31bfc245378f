//! What is tried again and what is not: conflicts, failures that only look like them, and the words of Memgraph.
//!
//! Runs against the fakes of Neo4j and Memgraph.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{
    bolt::{
        control::Control,
        fake_memgraph::{FakeMemgraph, Options as MemgraphOptions},
        fake_neo4j::{FakeNeo4j, Options as Neo4jOptions},
    },
    gateway::{Gateway, start_memory},
    http::{Connection, Response},
    query::{begin, body, refused, values},
};
use tokio::time::sleep;

const CONFLICT: &str = "Cannot resolve conflicting transactions. Retry this transaction when the conflicting transaction is \
                        finished. For more details, visit https://memgraph.com/docs";
const TRANSIENT: &str = "Memgraph.TransientError.MemgraphError.MemgraphError";
const CLIENT: &str = "Memgraph.ClientError.MemgraphError.MemgraphError";
const DEADLOCK: &str = "Neo.TransientError.Transaction.DeadlockDetected";

/// A gateway in front of a fake, whose own word for a conflict is (code, message).
struct Stand {
    gateway: Gateway,
    control: Control,
    path: &'static str,
    conflict: (&'static str, &'static str),
}

async fn neo4j(settings: &[(&'static str, &str)]) -> Stand {
    let fake = FakeNeo4j::start_with(Neo4jOptions::default().without_auth()).await;
    let control = fake.control.clone();
    let gateway = start_memory(move || fake.connect(), settings).await;
    Stand { gateway, control, path: "/db/neo4j/query/v2", conflict: (DEADLOCK, "deadlock") }
}

async fn memgraph(settings: &[(&'static str, &str)]) -> Stand {
    let fake = FakeMemgraph::start_with(MemgraphOptions::default()).await;
    let control = fake.control.clone();
    let gateway = start_memory(move || fake.connect(), settings).await;
    Stand { gateway, control, path: "/db/memgraph/query/v2", conflict: (TRANSIENT, CONFLICT) }
}

async fn stands() -> [Stand; 2] {
    [neo4j(&[]).await, memgraph(&[]).await]
}

impl Stand {
    async fn run(&self, request: Value, headers: &[(&str, &str)]) -> Response {
        let headers = [&[("Content-Type", "application/json")], headers].concat();
        self.gateway.send("POST", self.path, &headers, &request.to_string()).await
    }

    /// How many times a statement was sent for this request.
    async fn runs(&self, request: Value, headers: &[(&str, &str)]) -> (usize, Response) {
        self.control.forget_messages();
        let answer = self.run(request, headers).await;
        (self.control.count("RUN"), answer)
    }

    /// Lets the next `times` messages of this kind fail with a conflict.
    fn conflicts(&self, message: &str, times: usize) {
        for _ in 0..times {
            self.control.fail_next(message, self.conflict.0, self.conflict.1);
        }
    }
}

fn error(response: &Response) -> Value {
    body(response)["errors"][0].clone()
}

#[tokio::test]
async fn after_some_conflicts_it_goes_well() {
    for stand in stands().await {
        for (message, times) in [("RUN", 3), ("PULL", 2), ("PULL", 1)] {
            stand.conflicts(message, times);
            let (runs, answer) = stand.runs(json!({ "statement": "ADD a 1" }), &[]).await;
            let attempts = (times + 1).to_string();
            assert_eq!((answer.status, answer.header("Boltgate-Attempts")), (202, Some(&*attempts)), "{answer}");
            assert_eq!(runs, times + 1, "{message}");
            assert!(body(&answer).get("errors").is_none() && body(&answer)["bookmarks"].is_array(), "{answer}");
        }
        let row = values(&stand.run(json!({ "statement": "READ a" }), &[]).await);
        assert_eq!(row, json!([[3]]), "each was applied once");
        // One that fails at its first rows, and shows those of the last attempt only.
        let answer = stand.run(json!({ "statement": "CONFLICT 2" }), &[]).await;
        assert_eq!(values(&answer).as_array().unwrap().len(), 1, "{answer}");
        assert_eq!(stand.control.violations(), [""; 0]);
    }
}

#[tokio::test]
async fn once_means_once() {
    for settings in [&[][..], &[("retry.max_time", "0s")]] {
        for stand in [neo4j(settings).await, memgraph(settings).await] {
            let wish = if settings.is_empty() { json!(false) } else { json!(null) };
            stand.conflicts("RUN", 1);
            let (runs, answer) = stand.runs(json!({ "statement": "ADD a 1", "retry": wish }), &[]).await;
            assert_eq!((runs, refused(&answer).status, answer.header("Boltgate-Attempts")), (1, 400, None), "{answer}");
        }
    }
}

#[tokio::test]
async fn a_request_says_how_patient_it_is() {
    let stand = neo4j(&[("retry.max_time", "0s")]).await;
    stand.conflicts("RUN", 2);
    let retry = json!({
        "maxTransactionRetryTime": 30, "initialRetryDelay": 0.001, "retryDelayMultiplier": 1, "retryDelayJitterFactor": 0,
    });
    let (runs, answer) = stand.runs(json!({ "statement": "ADD a 1", "retry": retry }), &[]).await;
    assert_eq!((runs, answer.status), (3, 202), "{answer}");
    for malformed in [json!("yes"), json!({ "x": 1 }), json!({ "initialRetryDelay": -1 })] {
        let (runs, answer) = stand.runs(json!({ "statement": "ADD a 1", "retry": malformed }), &[]).await;
        assert_eq!((runs, refused(&answer).status), (0, 400), "{answer}");
    }
}

#[tokio::test]
async fn all_attempts_together_have_the_time_of_one() {
    let stand = neo4j(&[]).await;
    let retry = json!({ "initialRetryDelay": 0.3, "retryDelayMultiplier": 1, "retryDelayJitterFactor": 0 });
    let request = json!({ "statement": "CONFLICT 1000", "maxExecutionTime": 1, "retry": retry });
    let (runs, answer) = stand.runs(request, &[]).await;
    assert!((2..=4).contains(&runs) && error(&answer)["code"] == DEADLOCK, "{runs} {answer}");
    // The database is told of what is left of it.
    let limits: Vec<_> = (stand.control.seen().iter().filter(|seen| seen.name() == "RUN"))
        .map(|run| run.field(2).unwrap().get("tx_timeout").unwrap().as_int().unwrap())
        .collect();
    assert!(limits.windows(2).all(|pair| pair[1] < pair[0]) && limits[0] == 1000, "{limits:?}");
}

#[tokio::test]
async fn every_attempt_waits_for_the_same_bookmarks() {
    let stand = neo4j(&[]).await;
    let answer = stand.run(json!({ "statement": "ADD a 1" }), &[]).await;
    let bookmarks = body(&answer)["bookmarks"].clone();
    stand.conflicts("RUN", 2);
    stand.runs(json!({ "statement": "ADD a 1", "bookmarks": bookmarks }), &[]).await;
    let sent: Vec<_> = (stand.control.seen().iter().filter(|seen| seen.name() == "RUN"))
        .map(|run| run.field(2).unwrap().get("bookmarks").unwrap().as_list().unwrap()[0].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(json!(sent), json!([bookmarks[0], bookmarks[0], bookmarks[0]]));
}

#[tokio::test]
async fn whoever_leaves_ends_the_attempts() {
    for stand in stands().await {
        let list = format!("{}/running", stand.path);
        let mut client = Connection::open(stand.gateway.address()).await;
        let retry = json!({ "initialRetryDelay": 500, "maxTransactionRetryTime": 3600 });
        client.post(stand.path, &json!({ "statement": "CONFLICT 1000", "retry": retry }).to_string()).await;
        let state = async || body(&stand.gateway.send("GET", &list, &[], "").await)["running"][0]["state"].clone();
        let deadline = Instant::now() + Duration::from_secs(30);
        while state().await != "retrying" {
            assert!(Instant::now() < deadline, "it never waited");
            sleep(Duration::from_millis(5)).await;
        }
        drop(client);
        while state().await != Value::Null {
            assert!(Instant::now() < deadline, "it still waits");
            sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(stand.control.count("RUN"), 1);
    }
}

#[tokio::test]
async fn what_may_have_been_committed_in_part_is_not_tried_again() {
    for stand in stands().await {
        for (text, attempts) in [
            ("RETURN 1 AS x", 2),
            ("RETURN 1 AS transactions", 1),
            ("RETURN 1 AS Periodic", 1),
            (r"RETURN 1 AS \u0078", 1),
        ] {
            stand.conflicts("RUN", 1);
            let (runs, answer) = stand.runs(json!({ "statement": text }), &[]).await;
            assert_eq!(runs, attempts, "{text}: {answer}");
        }
        // A whole batch is as bad as its worst statement.
        for (text, attempts) in [("RETURN 1 AS x", 2), ("RETURN 1 AS transactions", 1)] {
            stand.control.forget_messages();
            stand.conflicts("RUN", 1);
            let statements = json!([{ "statement": "ADD b 1" }, { "statement": text }]);
            let request = json!({ "statements": statements }).to_string();
            stand.gateway.post(&format!("{}/batch", stand.path), &request).await;
            assert_eq!(stand.control.count("BEGIN"), attempts, "{text}");
        }
    }
}

#[tokio::test]
async fn a_transaction_is_its_owners_to_repeat() {
    for stand in stands().await {
        let path = begin_at(&stand).await;
        stand.conflicts("RUN", 1);
        let (runs, answer) = {
            stand.control.forget_messages();
            let answer = stand.gateway.post(&path, r#"{"statement":"ADD a 1"}"#).await;
            (stand.control.count("RUN"), answer)
        };
        assert_eq!((runs, refused(&answer).status), (1, 400), "{answer}");
        assert_eq!(stand.gateway.post(&path, "{}").await.status, 404, "it is over");
        let path = begin_at(&stand).await;
        stand.conflicts("COMMIT", 1);
        let precise = [("Boltgate-Statuses", "precise")];
        let answer = stand.gateway.send("POST", &format!("{path}/commit"), &precise, "").await;
        assert_eq!((answer.status, &error(&answer)["retryable"]), (409, &json!(true)), "{answer}");
        assert_eq!(stand.control.count("COMMIT"), 1);
    }
}

async fn begin_at(stand: &Stand) -> String {
    if stand.path.contains("neo4j") {
        return begin(&stand.gateway, &json!({})).await;
    }
    let answer = stand.gateway.post(&format!("{}/tx", stand.path), "{}").await;
    format!("{}/tx/{}", stand.path, support::query::transaction_id(&answer))
}

/// Memgraph's code, its text, then: the code that the caller gets, the precise status, whether it may be repeated, and
/// whether the gateway does so itself.
const MEMGRAPH: [(&str, &str, &str, u16, bool, bool); 22] = [
    (TRANSIENT, CONFLICT, TRANSIENT, 409, true, true),
    (
        TRANSIENT,
        "Cannot get shared access to the storage. Try stopping other parallel queries.",
        TRANSIENT,
        503,
        true,
        true,
    ),
    (
        TRANSIENT,
        "Cannot get unique access to the storage. Try stopping other parallel queries.",
        TRANSIENT,
        503,
        true,
        true,
    ),
    (
        TRANSIENT,
        "Cannot get read-only access to the storage. Try stopping other parallel queries.",
        TRANSIENT,
        503,
        true,
        true,
    ),
    (TRANSIENT, "The storage mode changed while the query was being prepared.", TRANSIENT, 503, true, true),
    (CLIENT, "Unable to commit due to serialization error.", TRANSIENT, 409, true, true),
    (CLIENT, "Unable to commit due to serialization error. Try retrying this transaction.", TRANSIENT, 409, true, true),
    (CLIENT, "Multiple concurrent system queries are not supported.", TRANSIENT, 409, true, true),
    (
        CLIENT,
        "Trigger 'x' caused the transaction to fail. Cannot resolve conflicting transactions. …",
        TRANSIENT,
        409,
        true,
        true,
    ),
    (CLIENT, "Trigger 'x' caused the transaction to fail. Division by zero.", CLIENT, 400, false, false),
    (
        TRANSIENT,
        "Transaction was asked to abort because of transaction timeout.",
        "Neo.ClientError.Transaction.TransactionTimedOut",
        504,
        false,
        false,
    ),
    (
        TRANSIENT,
        "Transaction was asked to abort by another user.",
        "Neo.ClientError.Transaction.Terminated",
        409,
        false,
        false,
    ),
    (
        TRANSIENT,
        "Aborting transaction commit because the transaction was requested to stop from other session. ",
        "Neo.ClientError.Transaction.Terminated",
        409,
        false,
        false,
    ),
    (
        TRANSIENT,
        "Transaction was asked to abort because of database shutdown.",
        "Neo.TransientError.General.DatabaseUnavailable",
        503,
        true,
        false,
    ),
    (
        TRANSIENT,
        "Tried to retrieve an unknown database \"x\".",
        "Neo.ClientError.Database.DatabaseNotFound",
        404,
        false,
        false,
    ),
    (
        TRANSIENT,
        "Trying to impersonate a user that doesn't exist.",
        "Neo.ClientError.Security.Forbidden",
        403,
        false,
        false,
    ),
    (TRANSIENT, "Not yet implemented: x", CLIENT, 400, false, false),
    (TRANSIENT, "Memory limit exceeded! Attempting to allocate …", CLIENT, 400, false, false),
    (TRANSIENT, "Unsupported conversion from Value to x", CLIENT, 400, false, false),
    (TRANSIENT, "x cannot be set per-session", CLIENT, 400, false, false),
    (
        CLIENT,
        "Unable to commit due to unique constraint violation on :L(p)",
        "Neo.ClientError.Schema.ConstraintValidationFailed",
        409,
        false,
        false,
    ),
    (
        CLIENT,
        "You are not authorized to execute this query! Please contact your database administrator.",
        "Neo.ClientError.Security.Forbidden",
        403,
        false,
        false,
    ),
];

#[tokio::test]
async fn memgraphs_words_decide() {
    let stand = memgraph(&[]).await;
    for (said, text, code, precise, retryable, repeated) in MEMGRAPH {
        stand.control.fail_next("RUN", said, text);
        let (runs, answer) = stand.runs(json!({ "statement": "RETURN 1" }), &[]).await;
        if repeated {
            assert_eq!(
                (runs, answer.status, answer.header("Boltgate-Attempts")),
                (2, 202, Some("2")),
                "{text}: {answer}"
            );
        } else {
            assert_eq!((runs, answer.status), (1, if precise == 404 { 404 } else { 400 }), "{text}: {answer}");
            assert_eq!((&error(&answer)["code"], &error(&answer)["message"]), (&json!(code), &json!(text)));
        }
        stand.control.fail_next("RUN", said, text);
        let headers = [("Boltgate-Statuses", "precise")];
        let answer = stand.run(json!({ "statement": "RETURN 1", "retry": false }), &headers).await;
        let error = error(&answer);
        assert_eq!((answer.status, &error["retryable"]), (precise, &json!(retryable)), "{text}: {answer}");
        assert_eq!((&error["code"], &error["message"]), (&json!(code), &json!(text)));
        assert_eq!(answer.header("Retry-After").is_some(), precise == 503, "{text}");
    }
}

#[tokio::test]
async fn what_needs_a_transaction_of_its_own_is_told_where_it_goes() {
    let stand = memgraph(&[]).await;
    let index = json!({ "statement": "CREATE INDEX ON :L(p)" });
    let path = begin_at(&stand).await;
    let told = refused(&stand.gateway.post(&path, &index.to_string()).await);
    assert!(told.message.contains("not allowed in multicommand transactions"), "{told:?}");
    assert!(told.message.ends_with(
        "Over HTTP: send this statement to POST /db/{database}/query/v2, which runs it outside of explicit transactions."
    ));
    assert_eq!(stand.gateway.post(&path, "{}").await.status, 404);
    // There it goes well.
    assert_eq!(stand.run(index, &[]).await.status, 202);
}
