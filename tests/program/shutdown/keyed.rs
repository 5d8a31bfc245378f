//! Requests under an Idempotency-Key continue without their client, and shutdown waits for them.

use super::{PATH, post};
use crate::support::{
    bolt::fake_neo4j::{FakeNeo4j, Options},
    gateway::{Gateway, start_for},
    http::Connection,
    process::{Process, boltgate},
    query::{begin, values},
};

/// A process whose work under a key waits for somebody else's transaction. Its client has left.
struct Scene {
    _fake: FakeNeo4j,
    /// Holds the lock.
    other: Gateway,
    transaction: String,
    process: Process,
}

impl Scene {
    async fn new(settings: &[(&str, &str)]) -> Self {
        let fake = FakeNeo4j::start_with(Options::default().without_auth()).await;
        let other = start_for(&fake.uri()).await;
        let transaction = begin(&other, &serde_json::json!({ "statement": "ADD a 1" })).await;
        let mut command = boltgate(&["serve", "--log-format=json"]);
        command.env("BOLTGATE_DATABASE__URI", fake.uri()).envs(settings.iter().copied());
        let process = Process::serve(command);
        let mut client = Connection::open(&process.address()).await;
        let json = [("Content-Type", "application/json"), ("Idempotency-Key", "k")];
        client.request("POST", PATH, &json, r#"{"statement":"ADD a 10"}"#).await;
        fake.control.wait_for("the work to wait", |counts| counts.running == 1).await;
        drop(client);
        // The gateway has noticed by the time it serves somebody who came later.
        let served = post(&process.address(), PATH, &[], r#"{"statement":"RETURN 1"}"#).await;
        assert_eq!(served.status, 202, "{served}");
        process.signal("TERM");
        process.wait_for_line("stopping");
        Self { _fake: fake, other, transaction, process }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn finishes_keyed_work_before_exit() {
    let mut scene = Scene::new(&[]).await;
    assert!(scene.process.runs());
    let path = format!("{}/commit", scene.transaction);
    assert_eq!(scene.other.post(&path, "").await.status, 202);
    assert_eq!(scene.process.exit().code(), Some(0));
    assert_eq!(values(&scene.other.query("READ a").await)[0][0], 11);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_keyed_work_to_the_shutdown_timeout() {
    let mut scene = Scene::new(&[("BOLTGATE_SERVER__SHUTDOWN_TIMEOUT", "300ms")]).await;
    assert_eq!(scene.process.exit().code(), Some(0));
    // It was waited for, and in vain.
    let line = scene.process.wait_for_line("server.shutdown_timeout");
    assert!(line.contains("\"requests\":1"), "{line}");
}
