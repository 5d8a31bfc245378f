//! What travels together: as few writes and round trips as the protocol allows, and never more than it allows.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use boltgate::bolt::{AuthToken, Extra, Failure, recover::recover};
use tokio::time::timeout;

use super::connection::{NONE, Recorded, ask, hear, names, open};
use crate::support::{
    bolt::{
        fake_neo4j::{FakeNeo4j, Options},
        message as msg,
        peer::{Peer, Script, Step},
        value::{list, map, v},
    },
    gateway,
};

fn columns() -> crate::support::bolt::value::Value {
    msg::success(map([("fields", list([v("n")]))]))
}

#[tokio::test]
async fn sends_hello_and_logon_in_one_write() {
    for options in [Options::default(), Options { manifest: false, ..Options::default() }] {
        let fake = FakeNeo4j::start_with(options).await;
        let (stream, writes) = Recorded::new(fake.connect());
        let connection = open(stream).await.unwrap();
        let written = writes.take_bytes();
        let [offer, login] = written.as_slice() else { panic!("{} writes", written.len()) };
        assert_eq!(offer.len(), 20);
        let choice = if connection.version().major == 6 { 5 } else { 0 };
        assert_eq!(names(&login[choice..]), ["HELLO", "LOGON"]);
    }
}

#[tokio::test]
async fn sends_a_statement_in_one_write() {
    let fake = FakeNeo4j::start().await;
    let (stream, writes) = Recorded::new(fake.connect());
    let mut connection = open(stream).await.unwrap();
    writes.take_bytes();
    ask(&mut connection, "ROWS 3");
    assert_eq!(hear(&mut connection, 2).await.len(), 5);
    assert_eq!(writes.take(), [["RUN", "PULL"]]);
}

#[tokio::test]
async fn sends_begin_and_first_statement_in_one_write() {
    let fake = FakeNeo4j::start().await;
    let (stream, writes) = Recorded::new(fake.connect());
    let mut connection = open(stream).await.unwrap();
    writes.take_bytes();
    connection.begin(&Extra::default());
    connection.run_in_transaction("RETURN 1", &NONE);
    connection.pull(1000);
    assert_eq!(hear(&mut connection, 3).await, ["SUCCESS", "SUCCESS", "RECORD [1]", "SUCCESS"]);
    assert_eq!(writes.take(), [["BEGIN", "RUN", "PULL"]]);
}

#[tokio::test]
async fn sends_another_login_in_one_write() {
    let fake = FakeNeo4j::start().await;
    let (stream, writes) = Recorded::new(fake.connect());
    let mut connection = open(stream).await.unwrap();
    writes.take_bytes();
    let before = connection.logged_in();
    connection.queue_login(&AuthToken::basic("alice", "wonderland"), Box::new(|_| {}));
    connection.settle_login().await.unwrap();
    assert_eq!(writes.take(), [["LOGOFF", "LOGON"]]);
    assert!(connection.logged_in() > before);
    assert!(connection.is_clean());
    ask(&mut connection, "WHOAMI");
    let row = hear(&mut connection, 2).await.remove(1);
    assert!(row.starts_with("RECORD [\"alice\", "), "{row}");
}

#[tokio::test]
async fn sends_another_login_together_with_the_statement() {
    let fake = FakeNeo4j::start().await;
    let (stream, writes) = Recorded::new(fake.connect());
    let mut connection = open(stream).await.unwrap();
    writes.take_bytes();
    let heard = Arc::new(Mutex::new(None));
    let witness = Arc::clone(&heard);
    let tell = move |outcome: Result<(), &Failure>| *witness.lock().unwrap() = Some(outcome.is_ok());
    connection.queue_login(&AuthToken::basic("alice", "wonderland"), Box::new(tell));
    ask(&mut connection, "WHOAMI");
    let row = hear(&mut connection, 2).await.remove(1);
    assert!(row.starts_with("RECORD [\"alice\", "), "{row}");
    assert_eq!(writes.take(), [["LOGOFF", "LOGON", "RUN", "PULL"]]);
    assert_eq!(*heard.lock().unwrap(), Some(true));
}

#[tokio::test(start_paused = true)]
async fn recovers_from_an_abandoned_login_with_statement() {
    let fake = FakeNeo4j::start().await;
    for fills in 0..4 {
        let mut connection = open(fake.connect()).await.unwrap();
        connection.queue_login(&AuthToken::basic("alice", "wonderland"), Box::new(|_| {}));
        ask(&mut connection, "UNWIND range(1, 3) AS n RETURN n");
        for _ in 0..fills {
            // All that is left may have come with what was read before.
            let _ = timeout(Duration::from_millis(50), connection.fill()).await;
        }
        let recovered = recover(&mut connection, Duration::from_secs(5)).await;
        // A login that never left is no login: whom the connection serves would be in doubt.
        assert_eq!((recovered, connection.is_clean()), (fills > 0, fills > 0), "{fills}");
    }
}

#[tokio::test]
async fn waits_for_the_login_with_requests_beyond_the_pre_login_limits() {
    let fake = FakeNeo4j::start().await;
    let (stream, writes) = Recorded::new(fake.connect());
    let mut connection = open(stream).await.unwrap();
    writes.take_bytes();
    connection.queue_login(&AuthToken::basic("alice", "wonderland"), Box::new(|_| {}));
    ask(&mut connection, &format!("RETURN '{}'", "x".repeat(9000)));
    let replies = hear(&mut connection, 2).await;
    assert_eq!((replies[0].as_str(), replies[2].as_str()), ("SUCCESS", "SUCCESS"), "{replies:?}");
    assert_eq!(writes.take(), [vec!["LOGOFF", "LOGON"], vec!["RUN", "PULL"]]);
    assert!(connection.is_clean());
}

#[tokio::test]
async fn costs_one_round_trip_per_request() {
    let script = Script::new()
        .login((5, 4), "Neo4j/5.26.0")
        // Nothing is answered before all of it has come.
        .expect_tag(msg::RUN)
        .expect(msg::pull(1000))
        .send(columns())
        .send(msg::record([v(1)]))
        .send(msg::success(map([("type", v("r")), ("bookmark", v("FB:x"))])))
        .expect_tag(msg::BEGIN)
        .expect_tag(msg::RUN)
        .expect(msg::pull(1000))
        .send(msg::success(map([])))
        .send(columns())
        .send(msg::success(map([("type", v("r"))])))
        .expect_tag(msg::RUN)
        .expect(msg::pull(1000))
        .send(columns())
        .send(msg::success(map([("type", v("r"))])))
        // The last result has been read to its end: some servers allow no COMMIT before that.
        .expect(msg::commit())
        .send(msg::success(map([("bookmark", v("FB:y"))])));
    let peer = Peer::listen([script]).await;
    let gateway = gateway::start_for(&peer.uri()).await;
    let answer = gateway.query("RETURN 1 AS n").await;
    assert_eq!(answer.status, 202, "{answer}");
    let body = r#"{"statement":"RETURN 1 AS n"}"#;
    let answer = gateway.post("/db/neo4j/query/v2/tx", body).await;
    assert_eq!(answer.status, 202, "{answer}");
    let text = answer.text();
    let id = text.split(r#""id":""#).nth(1).and_then(|rest| rest.split('"').next()).expect("a handle");
    let answer = gateway.post(&format!("/db/neo4j/query/v2/tx/{id}/commit"), body).await;
    assert_eq!(answer.status, 202, "{answer}");
    assert!(answer.text().contains(r#""bookmarks":["FB:y"]"#), "{answer}");
    gateway.shutdown().await;
    peer.join().await;
}

#[tokio::test]
async fn sends_nothing_before_the_reply_to_the_login() {
    let moment = || Step::AssertNoMoreFor(Duration::from_millis(100));
    let script = Script::new()
        .accept(5, 4)
        .expect_tag(msg::HELLO)
        .expect_tag(msg::LOGON)
        .step(moment())
        .send(msg::success(map([("server", v("Neo4j/5.26.0"))])))
        .step(moment())
        .send(msg::success(map([])))
        .expect_tag(msg::RUN)
        .expect_tag(msg::PULL)
        .send(columns())
        .send(msg::success(map([("type", v("r"))])));
    let peer = Peer::listen([script]).await;
    let gateway = gateway::start_for(&peer.uri()).await;
    let answer = gateway.query("RETURN 1 AS n").await;
    assert_eq!(answer.status, 202, "{answer}");
    gateway.shutdown().await;
    peer.join().await;
}

#[tokio::test]
async fn pulls_the_next_batch_after_reading_the_last_one() {
    let more = || msg::success(map([("has_more", v(true))]));
    let script = Script::new()
        .login((5, 4), "Neo4j/5.26.0")
        .expect_tag(msg::RUN)
        .expect(msg::pull(1000))
        .send(columns())
        .send(msg::record([v(1)]))
        .step(Step::AssertNoMoreFor(Duration::from_millis(50)))
        .send(more())
        .expect_tag(msg::PULL)
        .send(msg::record([v(2)]))
        .send(msg::success(map([("type", v("r"))])));
    let peer = Peer::listen([script]).await;
    let gateway = gateway::start_for(&peer.uri()).await;
    let answer = gateway.query("RETURN 1 AS n").await;
    assert!(answer.text().contains(r#""values":[[1],[2]]"#), "{answer}");
    gateway.shutdown().await;
    peer.join().await;
}

#[tokio::test]
async fn sends_a_reset_only_after_a_refused_statement() {
    let fake = FakeNeo4j::start().await;
    let gateway = gateway::start_for(&fake.uri()).await;
    let post = async |statement: &str| {
        let headers = [("Content-Type", "application/json"), ("Authorization", "Basic bmVvNGo6cGFzc3dvcmQ=")];
        let body = format!(r#"{{"statement":"{statement}"}}"#);
        gateway.send("POST", "/db/neo4j/query/v2", &headers, &body).await.status
    };
    for (statement, status) in [("RETURN 1", 202), ("NONSENSE", 400), ("RETURN 2", 202), ("RETURN 3", 202)] {
        assert_eq!(post(statement).await, status, "{statement}");
        fake.control.wait_for("a wire that is quiet", |counts| counts.running == 0).await;
    }
    fake.control.wait_for("the reset", |counts| counts.resets == 1).await;
    assert_eq!(fake.control.count("RESET"), 1);
}
