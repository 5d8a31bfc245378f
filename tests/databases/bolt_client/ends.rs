//! When a connection has ended, when it can be recovered, and how.

use std::{sync::atomic::Ordering, time::Duration};

use boltgate::bolt::{Extra, recover::recover};

use super::connection::{NONE, Valve, ask, hear, open};
use crate::support::bolt::{
    fake_neo4j::FakeNeo4j,
    frame::frame,
    message as msg,
    peer::{Peer, Script, Step},
    value::{Value, hex, list, map, v},
};

const BUDGET: Duration = Duration::from_secs(5);

fn logged_in() -> Script {
    Script::new().login((5, 4), "Neo4j/5.26.0")
}

/// Logged in, with the hint that a second of silence is too long.
fn hinted() -> Script {
    let hints = map([("connection.recv_timeout_seconds", v(1))]);
    Script::new()
        .accept(5, 4)
        .expect_any()
        .expect_any()
        .send(msg::success(map([("server", v("Neo4j/5.26.0")), ("hints", hints)])))
        .send(msg::success(map([])))
}

/// A login, then a statement.
fn impatient() -> Script {
    hinted().expect_tag(msg::RUN).expect_tag(msg::PULL)
}

fn columns() -> Value {
    msg::success(map([("fields", list([v("n")]))]))
}

#[tokio::test(start_paused = true)]
async fn ends_the_connection_after_silence_beyond_the_servers_hint() {
    let (stream, peer) = Peer::in_memory(impatient().send(columns()).step(Step::ExpectEnd));
    let mut connection = open(stream).await.unwrap();
    ask(&mut connection, "RETURN 1");
    assert_eq!(hear(&mut connection, 2).await, ["SUCCESS", "ERROR the database did not answer within 1s"]);
    assert!(!recover(&mut connection, BUDGET).await);
    drop(connection);
    peer.join().await;
}

#[tokio::test(start_paused = true)]
async fn keeps_the_connection_on_keep_alives() {
    let mut script = impatient().send(columns());
    for _ in 0..10 {
        script = script.step(Step::Sleep(Duration::from_millis(800))).step(Step::Noop);
    }
    let (stream, peer) = Peer::in_memory(script.send(msg::record([v(1)])).send(msg::success(map([]))));
    let mut connection = open(stream).await.unwrap();
    ask(&mut connection, "RETURN 1");
    assert_eq!(hear(&mut connection, 2).await, ["SUCCESS", "RECORD [1]", "SUCCESS"]);
    drop(connection);
    peer.join().await;
}

#[tokio::test(start_paused = true)]
async fn allows_silence_without_an_outstanding_reply() {
    let hour = Duration::from_secs(3600);
    let script = hinted().step(Step::Sleep(hour)).expect_tag(msg::RUN).expect_tag(msg::PULL);
    let (stream, peer) = Peer::in_memory(script.send(columns()).send(msg::success(map([]))));
    let mut connection = open(stream).await.unwrap();
    tokio::time::sleep(hour).await;
    ask(&mut connection, "RETURN 1");
    assert_eq!(hear(&mut connection, 2).await, ["SUCCESS", "SUCCESS"]);
    drop(connection);
    peer.join().await;
}

#[tokio::test]
async fn sends_nothing_after_a_fatal_failure() {
    for code in [
        "Neo.ClientError.Request.Invalid",
        "Neo.ClientError.Request.InvalidFormat",
        "Neo.TransientError.Request.NoThreadsAvailable",
        "Neo.ClientError.Security.Forbidden",
        "Neo.ClientError.Security.AuthorizationExpired",
        "Memgraph.ExecutionException",
    ] {
        let script = logged_in().expect_any().expect_any().send(msg::failure(code, "no")).step(Step::ExpectEnd);
        let (stream, peer) = Peer::in_memory(script);
        let mut connection = open(stream).await.unwrap();
        ask(&mut connection, "RETURN 1");
        assert_eq!(hear(&mut connection, 1).await, [format!("FAILURE {code}")]);
        assert!(!recover(&mut connection, BUDGET).await, "{code}");
        drop(connection);
        peer.join().await;
    }
}

#[tokio::test]
async fn recovers_by_reset_after_other_failures() {
    for code in
        ["Neo.ClientError.Statement.SyntaxError", "Neo.ClientError.Security.CredentialsExpired", "Memgraph.X.Y.Z"]
    {
        let script = logged_in()
            .expect_any()
            .expect_any()
            .send(msg::failure(code, "no"))
            .send(msg::ignored())
            .expect(msg::reset())
            .send(msg::success(map([])))
            .expect_any()
            .expect_any()
            .send(columns())
            .send(msg::success(map([])));
        let (stream, peer) = Peer::in_memory(script);
        let mut connection = open(stream).await.unwrap();
        ask(&mut connection, "RETURN 1");
        assert_eq!(hear(&mut connection, 2).await, [format!("FAILURE {code}"), "IGNORED".into()]);
        assert!(!connection.is_clean());
        assert!(recover(&mut connection, BUDGET).await, "{code}");
        ask(&mut connection, "RETURN 1");
        assert_eq!(hear(&mut connection, 2).await, ["SUCCESS", "SUCCESS"]);
        drop(connection);
        peer.join().await;
    }
}

#[tokio::test]
async fn recovers_by_one_reset_whatever_is_outstanding() {
    let fake = FakeNeo4j::start().await;
    let mut connection = open(fake.connect()).await.unwrap();
    ask(&mut connection, "SLEEP 60000");
    assert_eq!(hear(&mut connection, 1).await, ["SUCCESS"]);
    fake.control.wait_for("the statement", |counts| counts.running == 1).await;
    assert!(recover(&mut connection, BUDGET).await);
    assert_eq!(fake.control.count("RESET"), 1);
    fake.control.wait_for("the end of the statement", |counts| counts.running == 0 && counts.transactions == 0).await;

    connection.begin(&Extra::default());
    connection.run_in_transaction("WRITE k", &NONE);
    connection.pull(10);
    assert_eq!(hear(&mut connection, 3).await, ["SUCCESS", "SUCCESS", "SUCCESS"]);
    assert!(recover(&mut connection, BUDGET).await);
    assert_eq!(fake.store().committed("neo4j", "k"), None);
    ask(&mut connection, "RETURN 1");
    assert_eq!(hear(&mut connection, 2).await, ["SUCCESS", "RECORD [1]", "SUCCESS"]);
}

#[tokio::test(start_paused = true)]
async fn sends_no_reset_before_the_reply_to_a_begin() {
    let script = logged_in()
        .expect_tag(msg::BEGIN)
        .step(Step::AssertNoMoreFor(Duration::from_millis(100)))
        .send(msg::success(map([])))
        .expect(msg::reset())
        .send(msg::success(map([])));
    let (stream, peer) = Peer::in_memory(script);
    let mut connection = open(stream).await.unwrap();
    connection.begin(&Extra::default());
    // The caller leaves while the BEGIN is on its way.
    let left = tokio::time::timeout(Duration::from_millis(10), connection.reply()).await;
    assert!(left.is_err());
    assert!(recover(&mut connection, BUDGET).await);
    drop(connection);
    peer.join().await;
}

#[tokio::test]
async fn discards_a_request_that_was_never_sent() {
    let fake = FakeNeo4j::start().await;
    let mut connection = open(fake.connect()).await.unwrap();
    ask(&mut connection, "WRITE k");
    assert!(!connection.is_clean());
    assert!(recover(&mut connection, BUDGET).await);
    assert_eq!(fake.control.count("RUN") + fake.control.count("RESET"), 0);
    ask(&mut connection, "RETURN 1");
    assert_eq!(hear(&mut connection, 2).await, ["SUCCESS", "RECORD [1]", "SUCCESS"]);
}

#[tokio::test(start_paused = true)]
async fn does_not_complete_an_abandoned_half_sent_request() {
    let fake = FakeNeo4j::start().await;
    let (stream, valve) = Valve::new(fake.connect());
    let mut connection = open(stream).await.unwrap();
    valve.store(5, Ordering::SeqCst);
    ask(&mut connection, "WRITE k");
    let left = tokio::time::timeout(Duration::from_millis(10), connection.reply()).await;
    assert!(left.is_err());
    valve.store(usize::MAX, Ordering::SeqCst);
    assert!(!recover(&mut connection, BUDGET).await);
    drop(connection);
    fake.control.wait_for("the end of the connection", |counts| counts.open == 0).await;
    assert_eq!(fake.control.count("RUN") + fake.control.count("RESET"), 0);
}

/// What comes of resetting `resets` times when the server gives these answers.
async fn after_resets(resets: usize, answers: Vec<Value>) -> (Vec<String>, bool) {
    let mut script = logged_in();
    for _ in 0..resets {
        script = script.expect(msg::reset());
    }
    let count = answers.len();
    let (stream, peer) = Peer::in_memory(answers.into_iter().fold(script, Script::send));
    let mut connection = open(stream).await.unwrap();
    for _ in 0..resets {
        connection.reset();
    }
    let heard = hear(&mut connection, count).await;
    let clean = connection.is_clean();
    drop(connection);
    peer.join().await;
    (heard, clean)
}

#[tokio::test]
async fn handles_every_reply_to_a_reset() {
    let success = || msg::success(map([]));
    let (heard, clean) = after_resets(1, vec![success()]).await;
    assert!(heard == ["SUCCESS"] && clean);
    // Neo4j answers only the last of several.
    let (heard, clean) = after_resets(2, vec![msg::ignored(), success()]).await;
    assert!(heard == ["IGNORED", "SUCCESS"] && clean);
    let (heard, clean) = after_resets(1, vec![msg::ignored()]).await;
    assert!(heard == ["ERROR the database broke the Bolt protocol: a RESET was ignored"] && !clean);
    let (heard, clean) = after_resets(1, vec![msg::failure("Neo.ClientError.Statement.X", "no")]).await;
    assert!(heard == ["FAILURE Neo.ClientError.Statement.X"] && !clean);
}

#[tokio::test]
async fn leaves_a_server_that_breaks_the_protocol() {
    let broken = [
        ("bytes behind a SUCCESS", "B1 70 A0 00"),
        ("bytes behind a FAILURE", "B1 7F A0 00"),
        ("metadata that is no map", "B1 70 90"),
        ("a SUCCESS without metadata", "B0 70"),
        ("an unknown message", "B1 55 A0"),
        ("a message of ours", "B0 0F"),
        ("a value instead of a message", "A0"),
        ("a message of one byte", "B1"),
        ("a row before the columns", "B1 71 91 01"),
        ("metadata that ends early", "B1 70 A1 81"),
        ("metadata longer than the message", "B1 70 DA FF FF FF FF"),
    ];
    for (what, bytes) in broken {
        let script = logged_in().expect_any().expect_any().send_raw(frame(&hex(bytes))).step(Step::ExpectEnd);
        let (stream, peer) = Peer::in_memory(script);
        let mut connection = open(stream).await.unwrap();
        ask(&mut connection, "RETURN 1");
        let heard = hear(&mut connection, 1).await;
        assert!(heard[0].starts_with("ERROR "), "{what}: {heard:?}");
        assert!(!recover(&mut connection, BUDGET).await, "{what}");
        drop(connection);
        peer.join().await;
    }
}

#[tokio::test]
async fn ends_the_connection_on_an_unexpected_row_or_reply() {
    for unasked in [msg::record([v(2)]), msg::success(map([])), msg::ignored(), msg::failure("A.B.C.D", "no")] {
        let script = logged_in()
            .expect_any()
            .expect_any()
            .send(columns())
            .send(msg::record([v(1)]))
            .send(msg::success(map([])))
            .send(unasked)
            .step(Step::ExpectEnd);
        let (stream, peer) = Peer::in_memory(script);
        let mut connection = open(stream).await.unwrap();
        ask(&mut connection, "RETURN 1");
        assert_eq!(hear(&mut connection, 2).await, ["SUCCESS", "RECORD [1]", "SUCCESS"]);
        let heard = hear(&mut connection, 1).await;
        assert!(heard[0].starts_with("ERROR the database broke the Bolt protocol: a "), "{heard:?}");
        assert!(!connection.is_clean() && !recover(&mut connection, BUDGET).await);
        drop(connection);
        peer.join().await;
    }
}

#[tokio::test]
async fn keeps_the_connection_after_an_invalid_value() {
    let fake = FakeNeo4j::start().await;
    let mut connection = open(fake.connect()).await.unwrap();
    connection.run("RAW DF", &NONE, &Extra::default());
    connection.pull(1000);
    assert_eq!(hear(&mut connection, 1).await, ["SUCCESS"]);
    assert_eq!(connection.reply().await.unwrap(), boltgate::bolt::Reply::Record);
    assert_eq!(connection.payload(), [0x91, 0xDF]);
    assert_eq!(hear(&mut connection, 1).await, ["SUCCESS"]);
    assert!(connection.is_clean());
}
