//! What an observer is told: every connection and every statement, from its beginning to its end.

use std::{
    fmt::Display,
    sync::{Arc, Mutex},
    time::Duration,
};

use boltgate::{
    pool,
    query::ResultLimits,
    telemetry::observer::{
        AcquireFailure, AttemptFailed, CancelReason, ConnectFailed, Connected, Discard, LoginRefused, Observer,
        ProbeFailed, RefusalReason, RowsReceived, StatementOutcome, StatementState,
    },
};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::cancel::stand::{Fake, Kind, POOL, Stand};

/// Keeps what it is told, as words.
#[derive(Default)]
struct Recorder(Mutex<Vec<String>>);

impl Recorder {
    fn push(&self, event: String) {
        self.0.lock().unwrap().push(event);
    }

    /// Waits for the end of a statement, and takes all events up to it.
    async fn until(&self, last: &str) -> Vec<String> {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            {
                let mut events = self.0.lock().unwrap();
                if let Some(at) = events.iter().position(|event| event == last) {
                    return events.drain(..=at).collect();
                }
                assert!(Instant::now() < deadline, "no `{last}` after {events:?}");
            }
            sleep(Duration::from_millis(1)).await;
        }
    }
}

impl Observer for Recorder {
    fn connected(&self, event: &Connected<'_>) {
        self.push(format!("connected for the {} to {}", event.purpose, event.dialect));
    }

    fn connect_failed(&self, event: &ConnectFailed<'_>) {
        self.push(format!("could not connect: {}", event.reason));
    }

    fn probed(&self, failure: Option<&ProbeFailed<'_>>) {
        self.push(format!("probed: {:?}", failure.map(|failed| failed.reason)));
    }

    fn login_accepted(&self) {
        self.push("login accepted".into());
    }

    fn request_refused(&self, reason: RefusalReason) {
        self.push(format!("refused: {reason}"));
    }

    fn login_refused(&self, event: &LoginRefused<'_>) {
        self.push(format!("login refused: {}", event.code));
    }

    fn connection_acquired(&self, waited: Duration) {
        self.push(if waited.is_zero() { "acquired" } else { "acquired after a wait" }.into());
    }

    fn acquire_failed(&self, reason: AcquireFailure, _waited: Duration) {
        self.push(format!("not acquired: {reason}"));
    }

    fn connection_discarded(&self, reason: Discard) {
        self.push(format!("discarded: {reason}"));
    }

    fn statement_terminated(&self, found: bool) {
        self.push(format!("terminated: {found}"));
    }

    fn termination_failed(&self, error: &dyn Display) {
        self.push(format!("not terminated: {error}"));
    }

    fn statement_state(&self, _id: u64, state: StatementState) {
        self.push(state.to_string());
    }

    fn rows_received(&self, event: &RowsReceived<'_>) {
        self.push(format!("{} rows, last: {}, kind: {:?}", event.rows, event.last, event.kind));
    }

    fn attempt_failed(&self, event: &AttemptFailed<'_>) {
        self.push(format!("{}: {}, retried: {}", event.class, event.code, event.retry_after.is_some()));
    }

    fn statement_cancelled(&self, _id: u64, reason: CancelReason) {
        self.push(format!("cancelled: {reason}"));
    }

    fn statement_ended(&self, _id: u64, outcome: StatementOutcome) {
        self.push(format!("ended: {outcome}"));
    }
}

async fn stand(kind: Kind) -> (Arc<Fake>, Arc<Recorder>, Stand) {
    let (fake, recorder) = (Fake::start(kind).await, Arc::new(Recorder::default()));
    let stand = Stand::observed(&fake, 64 * 1024, POOL, Arc::<Recorder>::clone(&recorder));
    (fake, recorder, stand)
}

#[tokio::test]
async fn a_statement_is_reported_step_by_step() {
    let (_fake, recorder, stand) = stand(Kind::Neo4j).await;
    stand.run("", "ECHO 7").await;
    assert_eq!(
        recorder.until("ended: completed").await,
        [
            "queued",
            "connected for the pool to neo4j",
            "login accepted",
            "acquired after a wait",
            "running",
            "1 rows, last: true, kind: Some(\"r\")",
            "ended: completed"
        ]
    );
    stand.run("", "ECHO 7").await;
    assert_eq!(
        recorder.until("ended: completed").await,
        ["queued", "acquired", "running", "1 rows, last: true, kind: Some(\"r\")", "ended: completed"],
        "on the connection that is open"
    );
    assert!(stand.engine.probe().await.is_ok());
    recorder.until("probed: None").await;
    stand.engine.close().await;
    assert_eq!(recorder.until("discarded: shutdown").await, ["discarded: shutdown"]);
}

#[tokio::test]
async fn failures_are_reported_with_their_codes() {
    let (fake, recorder, stand) = stand(Kind::Neo4j).await;
    stand.run("", "NOT A STATEMENT").await;
    let events = recorder.until("ended: failed").await;
    let failure = "client_error: Neo.ClientError.Statement.SyntaxError, retried: false".to_owned();
    assert!(events.contains(&failure), "{events:?}");
    stand.engine.close().await;
    stand.run("", "ECHO 7").await;
    let events = recorder.until("ended: failed").await;
    assert!(events.contains(&"not acquired: stopping".to_owned()), "{events:?}");
    assert_eq!(fake.control().violations(), [""; 0]);
}

#[tokio::test]
async fn an_abandoned_statement_is_reported_as_such() {
    let (fake, recorder, stand) = stand(Kind::Memgraph).await;
    let request = tokio::spawn(stand.send("POST", "", &json!({ "statement": "SLEEP 60000" })));
    fake.control().wait_for("the statement", |counts| counts.running == 1).await;
    request.abort();
    recorder.until("ended: abandoned").await;
    let events = recorder.until("terminated: true").await;
    assert!(events.contains(&"connected for the termination to memgraph".to_owned()), "{events:?}");
    stand.quiet("the abandoned statement").await;
}

#[tokio::test]
async fn every_connection_that_was_opened_is_reported_closed_once() {
    let (_fake, recorder, stand) = stand(Kind::Memgraph).await;
    let transaction = stand.begin("WRITE k 1").await;
    stand.run("", "ECHO 7").await;
    stand.send("DELETE", &transaction, &json!({})).await;
    stand.quiet("both connections").await;
    stand.engine.close().await;
    let events = recorder.0.lock().unwrap().clone();
    let count = |prefix: &str| events.iter().filter(|event| event.starts_with(prefix)).count();
    assert_eq!(
        (count("connected for the pool"), count("discarded: shutdown"), count("discarded")),
        (2, 2, 2),
        "{events:?}"
    );
}

#[tokio::test]
async fn each_refusal_by_a_limit_is_reported_once() {
    for kind in [Kind::Neo4j, Kind::Memgraph] {
        let (fake, recorder) = (Fake::start(kind).await, Arc::new(Recorder::default()));
        let pool = pool::Settings { waiting: 0, ..POOL };
        let limits = ResultLimits { rows: Some(3), bytes: Some(100) };
        let observer = Arc::<Recorder>::clone(&recorder);
        let stand = Stand::limited(&fake, 64 * 1024, pool, limits, observer);
        let refused = || {
            let mut events = recorder.0.lock().unwrap();
            let all = events.drain(..).filter(|event| event.starts_with("refused: "));
            all.collect::<Vec<_>>()
        };
        let statement = |text: &str| json!({ "statement": text });
        let deep = (0..200).fold(json!(1), |value, _| json!([value]));
        for (request, reason) in [
            (statement("RETURN 1"), None),
            (statement("ROWS 3"), None),
            (statement("ROWS 4"), Some("result_rows")),
            (statement("WIDE 200"), Some("result_bytes")),
            (statement(&"x".repeat(600_000)), Some("statement")),
            (statement(&"x".repeat(1 << 20)), Some("body")),
            (json!({ "statement": "RETURN 1", "parameters": { "deep": deep } }), Some("depth")),
        ] {
            stand.send("POST", "", &request).await;
            assert_eq!(refused(), Vec::from_iter(reason.map(|reason| format!("refused: {reason}"))), "{kind:?}");
        }
        stand.quiet("the statements that were stopped").await;
        let open = [stand.begin("WRITE a").await, stand.begin("WRITE b").await];
        assert_eq!(stand.run("", "RETURN 1").await.status, 503);
        assert_eq!(refused(), ["refused: waiting"], "{kind:?}");
        for transaction in open {
            stand.send("DELETE", &transaction, &json!({})).await;
        }
    }
}
