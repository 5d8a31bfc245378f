//! Bytes as networks deliver them: cut anywhere, broken off anywhere, in any chunks, with keep-alives in between.

use boltgate::bolt::{
    Connection,
    connection::Limits,
    recover::{check_liveness, recover},
};

use super::connection::{LIMITS, ask, hear, open, open_with};
use crate::support::bolt::{
    fake_neo4j::FakeNeo4j,
    frame::frame,
    message as msg,
    peer::{Handshake, Peer, Script, Step},
    value::{Value, list, map, v},
};

/// Two rows, the second longer than any chunk may be.
fn result() -> [Value; 4] {
    [
        msg::success(map([("fields", list([v("n")]))])),
        msg::record([v(1)]),
        msg::record([v("x".repeat(70_000))]),
        msg::success(map([("type", v("r"))])),
    ]
}

async fn reads_the_result(connection: &mut Connection) -> bool {
    ask(connection, "RETURN 1");
    let heard = hear(connection, 2).await;
    heard == ["SUCCESS", "RECORD [1]", "RECORD [\"…\" (70000 bytes)]", "SUCCESS"]
}

#[tokio::test]
async fn reads_bytes_split_anywhere() {
    for cut in [1, 2, 3, 5, 7, 4095, 65_537] {
        let script = Script::new().step(Step::SendSplit(cut)).login((5, 4), "Neo4j/5.26.0");
        let script = result().into_iter().fold(script.expect_any().expect_any(), Script::send);
        let (stream, peer) = Peer::in_memory(script);
        let mut connection = open(stream).await.unwrap();
        assert!(reads_the_result(&mut connection).await, "cut every {cut} bytes");
        assert!(connection.is_clean());
        drop(connection);
        peer.join().await;
    }
}

#[tokio::test]
async fn reads_messages_in_any_chunks() {
    for chunk in [1, 2, 3, 1000, 65_535] {
        let script = Script::new().step(Step::Chunks(chunk)).login((5, 4), "Neo4j/5.26.0");
        let script = result().into_iter().fold(script.expect_any().expect_any(), Script::send);
        let (stream, peer) = Peer::in_memory(script);
        let mut connection = open(stream).await.unwrap();
        assert!(reads_the_result(&mut connection).await, "chunks of {chunk} bytes");
        drop(connection);
        peer.join().await;
    }
}

#[tokio::test]
async fn writes_large_requests_in_many_chunks() {
    let fake = FakeNeo4j::start().await;
    let mut connection = open(fake.connect()).await.unwrap();
    for length in [65_000, 65_535, 65_536, 200_000] {
        ask(&mut connection, &format!("RETURN '{}'", "x".repeat(length)));
        let expected = format!("RECORD [\"…\" ({length} bytes)]");
        assert_eq!(hear(&mut connection, 2).await, ["SUCCESS", &expected, "SUCCESS"]);
    }
}

#[tokio::test]
async fn accepts_keep_alives_between_all_messages() {
    let mut script = Script::new().accept(5, 4).expect_any().expect_any();
    for message in [msg::success(map([("server", v("Neo4j/5.26.0"))])), msg::success(map([]))] {
        script = script.step(Step::Noop).send(message).step(Step::Noop);
    }
    script = script.expect_any().expect_any();
    for message in result() {
        script = script.step(Step::Noop).step(Step::Noop).send(message);
    }
    let script = script.step(Step::Noop).expect(msg::reset()).send(msg::success(map([])));
    let (stream, peer) = Peer::in_memory(script);
    let mut connection = open(stream).await.unwrap();
    assert!(reads_the_result(&mut connection).await);
    assert!(!connection.is_closed(), "a keep-alive makes no connection stale");
    assert!(check_liveness(&mut connection, LIMITS.silence).await);
    drop(connection);
    peer.join().await;
}

/// Version 5.4, a login and a result of two rows, broken off after `kept` of its bytes, each part said when it is due.
fn broken_off(bytes: &[u8], login: usize, kept: usize) -> Script {
    let part = |from: usize, to: usize| bytes[from.min(kept)..to.min(kept)].to_vec();
    let mut script = Script::new().step(Step::Handshake(Handshake::Raw(part(0, 4))));
    for (from, to) in [(4, login), (login, bytes.len())] {
        if kept >= from {
            script = script.expect_any().expect_any().send_raw(part(from, to));
        }
    }
    script.close()
}

#[tokio::test]
async fn notices_a_connection_that_breaks_off_anywhere() {
    let messages = [
        msg::success(map([("server", v("Neo4j/5.26.0"))])),
        msg::success(map([])),
        msg::success(map([("fields", list([v("n")]))])),
        msg::record([v(1)]),
        msg::record([v(2)]),
        msg::success(map([("type", v("r"))])),
    ];
    let mut bytes = vec![0, 0, 4, 5];
    let mut ends = Vec::new();
    for message in &messages {
        bytes.extend(frame(&message.encode()));
        ends.push(bytes.len());
    }
    for kept in 0..=bytes.len() {
        let (stream, peer) = Peer::in_memory(broken_off(&bytes, ends[1], kept));
        let whole = ends.iter().filter(|end| **end <= kept).count();
        let opened = open(stream).await;
        assert_eq!(opened.is_ok(), whole >= 2, "{kept} bytes: {opened:?}");
        let Ok(mut connection) = opened else { continue };
        ask(&mut connection, "RETURN 1");
        let heard = hear(&mut connection, 2).await;
        let mut expected = ["SUCCESS", "RECORD [1]", "RECORD [2]", "SUCCESS"][..whole - 2].to_vec();
        if whole < messages.len() {
            expected.push("ERROR the database closed the connection");
        }
        assert_eq!(heard, expected, "{kept} bytes");
        assert_eq!(connection.is_clean(), whole == messages.len(), "{kept} bytes");
        peer.join().await;
    }
}

#[tokio::test]
async fn detects_a_closed_idle_connection() {
    let fake = FakeNeo4j::start().await;
    let mut connection = open(fake.connect()).await.unwrap();
    assert!(!connection.is_closed() && connection.is_clean());
    fake.control.close_all();
    fake.control.wait_for("the end of the connection", |counts| counts.open == 0).await;
    assert!(connection.is_closed());
}

#[tokio::test]
async fn closes_the_connection_on_a_message_beyond_the_limit() {
    let limits = Limits { max_message: 1000, ..LIMITS };
    // In one chunk, and in chunks that are short enough each.
    for chunk in [65_535, 400] {
        let script = Script::new()
            .login((5, 4), "Neo4j/5.26.0")
            .step(Step::Chunks(chunk))
            .expect_any()
            .expect_any()
            .send(msg::success(map([("fields", list([v("n")]))])))
            .send(msg::record([v("x".repeat(990))]))
            .send(msg::record([v("x".repeat(1000))]))
            .step(Step::ExpectEnd);
        let (stream, peer) = Peer::in_memory(script);
        let mut connection = open_with(stream, limits).await.unwrap();
        ask(&mut connection, "RETURN 1");
        let heard = hear(&mut connection, 2).await;
        assert_eq!(heard.len(), 3, "{heard:?}");
        assert_eq!(heard[2], "ERROR the database sent a message of more than 1000 bytes (limits.record)");
        assert!(!recover(&mut connection, LIMITS.silence).await, "nothing more can be read");
        drop(connection);
        peer.join().await;
    }
}
