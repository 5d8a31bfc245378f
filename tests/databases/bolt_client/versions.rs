//! Every version that the client speaks, from the handshake to a commit.

use boltgate::bolt::{
    Connection, Error, Extra, HandshakeError, dialect::NEO4J, summary::string_entry, version::Version,
};

use super::connection::{LIMITS, NONE, ask, hear, neo4j, open};
use crate::support::{
    bolt::{
        fake_neo4j::{FakeNeo4j, Options},
        message as msg,
        peer::{Handshake, Peer, Script, Step},
        value::{Value, list, map, structure, v},
    },
    gateway,
};

const VERSIONS: [(u8, u8); 14] =
    [(4, 1), (4, 2), (4, 3), (4, 4), (5, 0), (5, 1), (5, 2), (5, 3), (5, 4), (5, 6), (5, 7), (5, 8), (6, 0), (6, 1)];

fn only(version: (u8, u8), manifest: bool) -> Options {
    Options { versions: vec![version], manifest, ..Options::default() }
}

#[tokio::test]
async fn runs_statements_and_transactions_in_every_version() {
    for version in VERSIONS {
        for manifest in [false, true] {
            // 6.x is offered by manifest only.
            if version.0 < 6 || manifest {
                statement_and_transaction(version, manifest).await;
            }
        }
    }
}

async fn statement_and_transaction(version: (u8, u8), manifest: bool) {
    let what = format!("{version:?}, manifest: {manifest}");
    let fake = FakeNeo4j::start_with(only(version, manifest)).await;
    let mut connection = open(fake.connect()).await.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(connection.version(), Version::new(version.0, version.1));
    assert_eq!(connection.agent(), "Neo4j/2026.09.0");

    ask(&mut connection, "RETURN 1 AS x, 'ä' AS y");
    assert_eq!(hear(&mut connection, 2).await, ["SUCCESS", "RECORD [1, \"ä\"]", "SUCCESS"], "{what}");
    assert!(connection.is_clean(), "{what}");

    connection.begin(&Extra { database: Some("neo4j"), ..Extra::default() });
    connection.run_in_transaction("WRITE k 7", &NONE);
    connection.pull(1000);
    assert_eq!(hear(&mut connection, 3).await, ["SUCCESS", "SUCCESS", "SUCCESS"], "{what}");
    assert!(connection.is_between_statements() && !connection.is_clean(), "{what}");
    assert_eq!(fake.store().committed("neo4j", "k"), None);
    connection.commit();
    assert_eq!(hear(&mut connection, 1).await, ["SUCCESS"], "{what}");
    assert_eq!(string_entry(connection.payload(), "bookmark").as_deref(), Some("FB:fake:1"));
    assert_eq!(fake.store().committed("neo4j", "k"), Some(v(7)));
    assert!(connection.is_clean(), "{what}");

    connection.goodbye().await;
    fake.control.wait_for("the good-bye", |counts| counts.messages.contains_key("GOODBYE")).await;
    let login: &[&str] = if version < (5, 1) { &["HELLO"] } else { &["HELLO", "LOGON"] };
    let expected = [login, &["RUN", "PULL", "BEGIN", "RUN", "PULL", "COMMIT", "GOODBYE"]].concat();
    assert_eq!(fake.control.names(0), expected, "{what}");
}

#[tokio::test]
async fn chooses_the_newest_common_version() {
    let newest = |options| async {
        let fake = FakeNeo4j::start_with(options).await;
        open(fake.connect()).await.unwrap().version()
    };
    assert_eq!(newest(Options::default()).await, Version::new(6, 1));
    assert_eq!(newest(Options::neo4j_5_26()).await, Version::new(5, 8));
    assert_eq!(newest(Options { manifest: false, ..Options::default() }).await, Version::new(5, 8));
    let old = Options { versions: vec![(4, 0), (4, 1)], ..only((4, 1), false) };
    assert_eq!(newest(old).await, Version::new(4, 1));
}

#[tokio::test]
async fn sends_the_manifest_choice_together_with_hello() {
    let entries = vec![[0, 0, 4, 4], [0, 4, 4, 5], [0, 2, 8, 5], [0, 1, 1, 6]];
    let script = Script::new()
        .step(Step::Handshake(Handshake::Manifest { entries, choice: (6, 1) }))
        .expect_tag(msg::HELLO)
        .expect_tag(msg::LOGON)
        .send(msg::success(map([("server", v("Neo4j/2026.09.0"))])))
        .send(msg::success(map([])));
    let (stream, peer) = Peer::in_memory(script);
    let connection = open(stream).await.unwrap();
    assert_eq!(connection.version(), Version::new(6, 1));
    drop(connection);
    peer.join().await;
}

#[tokio::test]
async fn rejects_a_server_without_a_common_version() {
    for versions in [vec![(3, 0)], vec![(4, 0)], vec![(7, 0)]] {
        for manifest in [false, true] {
            let options = Options { versions: versions.clone(), ..only((1, 0), manifest) };
            let fake = FakeNeo4j::start_with(options).await;
            let error = open(fake.connect()).await.unwrap_err();
            let common = matches!(error, Error::Handshake(HandshakeError::NoCommonVersion));
            assert!(common, "{versions:?}, manifest: {manifest}: {error}");
            assert_eq!(fake.control.count("HELLO"), 0);
        }
    }
}

#[tokio::test]
async fn requests_the_utc_patch_from_old_servers() {
    for version in [(4, 3), (4, 4)] {
        let fake = FakeNeo4j::start_with(only(version, false)).await;
        let mut connection = open(fake.connect()).await.unwrap();
        assert!(connection.capabilities().utc);
        ask(&mut connection, "TYPE datetime");
        assert_eq!(hear(&mut connection, 2).await[1], "RECORD [Struct 49(1435144800, 142000000, 5400)]");
    }
    let fake = FakeNeo4j::start_with(only((4, 1), false)).await;
    let mut connection = open(fake.connect()).await.unwrap();
    assert!(!connection.capabilities().utc);
    ask(&mut connection, "TYPE datetime");
    assert_eq!(hear(&mut connection, 2).await[1], "RECORD [Struct 46(1435150200, 142000000, 5400)]");
}

/// 2015-06-24T12:50:00.142+01:30, as a server without the patch spells it.
fn wall_clock() -> Value {
    structure(b'F', [v(1_435_150_200), v(142_000_000), v(5400)])
}

#[tokio::test]
async fn exchanges_local_times_without_the_utc_patch() {
    let asks_for_patch = |message: &Value| match message {
        Value::Struct { fields, .. } => {
            fields[0].get("patch_bolt").is_some_and(|patches| patches.same(&list([v("utc")])))
        }
        _ => false,
    };
    let sends_wall_clock = |message: &Value| match message {
        Value::Struct { fields, .. } => fields[1].same(&map([("when", wall_clock())])),
        _ => false,
    };
    let script = Script::new()
        .accept(4, 4)
        .expect_that("HELLO with the patch", asks_for_patch)
        .send(msg::success(map([("server", v("Neo4j/4.4.0"))])))
        .expect_that("RUN with a wall clock", sends_wall_clock)
        .expect_tag(msg::PULL)
        .send(msg::success(map([("fields", list([v("when")]))])))
        .send(msg::record([wall_clock()]))
        .send(msg::success(map([("type", v("r"))])));
    let peer = Peer::listen([script]).await;
    let gateway = gateway::start_for(&peer.uri()).await;
    let typed = "application/vnd.neo4j.query.v1.0";
    let when = r#"{"$type":"OffsetDateTime","_value":"2015-06-24T12:50:00.142+01:30"}"#;
    let body = format!(r#"{{"statement":"RETURN $when AS when","parameters":{{"when":{when}}}}}"#);
    let headers = [("Content-Type", typed), ("Accept", typed)];
    let answer = gateway.send("POST", "/db/neo4j/query/v2", &headers, &body).await;
    assert_eq!(answer.status, 202, "{answer}");
    assert!(answer.text().contains(&format!(r#""values":[[{when}]]"#)), "{answer}");
    gateway.shutdown().await;
    peer.join().await;
}

/// Old Memgraphs have to be given a name that drivers accept; what they say of an error still tells them apart, unless
/// the operator has settled it.
#[tokio::test]
async fn recognises_a_renamed_memgraph_by_its_errors() {
    for (set, expected) in [(None, "memgraph"), (Some(&NEO4J), "neo4j")] {
        let script = Script::new()
            .login((5, 2), "Neo4j/5.2.0")
            .expect_tag(msg::RUN)
            .expect_tag(msg::PULL)
            .send(msg::failure("Memgraph.ClientError.MemgraphError.MemgraphError", "Unbound variable: x."))
            .send(msg::ignored());
        let (stream, peer) = Peer::in_memory(script);
        let mut connection = Connection::open(Box::new(stream), &neo4j(), set.into(), LIMITS).await.unwrap();
        assert_eq!(connection.dialect().name, "neo4j");
        ask(&mut connection, "RETURN x");
        hear(&mut connection, 2).await;
        assert_eq!(connection.dialect().name, expected);
        drop(connection);
        peer.join().await;
    }
}
