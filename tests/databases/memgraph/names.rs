//! A Memgraph that calls itself something else, or nothing: it is known by what it says, for all connections to it.

use serde_json::{Value, json};

use super::stand::{Stand, all_versions};
use crate::support::{
    bolt::{
        control::Answer,
        fake_memgraph::Options,
        fake_neo4j::{self, FakeNeo4j},
        value::v,
    },
    gateway,
    http::Connection,
    query::{body, refused, values},
};

const NAMES: [&str; 4] = ["", "Neo4j/5.2.0", "Neo4j/5.26.0", "Our graph 1.0"];
const PATH: &str = "/db/memgraph/query/v2";

async fn named(name: &str, options: Options) -> Stand {
    Stand::start_with(Options { server_name: name.to_owned(), ..options }).await
}

#[tokio::test]
async fn follows_memgraphs_rules_under_any_name() {
    for options in all_versions() {
        for name in NAMES {
            let stand = named(name, options.clone()).await;
            // From the first request on, and whatever it is.
            for path in ["", "/tx"] {
                assert_eq!(stand.post(&format!("{PATH}{path}"), &json!({ "statement": "WHOAMI" })).await.status, 202);
            }
            assert_eq!(stand.fake.violations(), [""; 0], "{name}");
        }
    }
}

#[tokio::test]
async fn treats_a_recognised_memgraph_like_any_other() {
    for name in NAMES {
        let stand = named(name, Options::default()).await;
        // What Memgraph has not, and is stood in for; nobody needs that of what may be a Neo4j.
        let ping = async || stand.query("CALL db.ping()").await;
        let before = ping().await.status;
        assert_eq!(before, if name.starts_with("Neo4j/") { 400 } else { 202 }, "{name}");
        assert_eq!(values(&stand.query("RETURN 1").await), json!([[1]]));
        assert_eq!(values(&ping().await), json!([[true]]), "{name}");
        let answer = stand.query("WHOAMI").await;
        let tag = &Stand::who_am_i(&answer)["tx_metadata"];
        assert!(tag["boltgate"].is_string(), "{name}: {answer}");
        // Nothing is begun in a session of the pool, known or not.
        let fresh = named(name, Options::default()).await;
        assert_eq!(refused(&fresh.query("BEGIN").await).status, 400, "{name}");
        assert_eq!(fresh.runs(), 0, "{name}");
        // Also on a connection that is only just opened: bytes would end it.
        let transaction = stand.begin().await;
        let bytes = json!({ "statement": "RETURN $x", "parameters": { "x": { "$type": "Base64", "_value": "AQ==" } } });
        let typed = [("Content-Type", "application/vnd.neo4j.query")];
        let answer = stand.gateway.send("POST", PATH, &typed, &bytes.to_string()).await;
        assert_eq!(answer.status, 400, "{name}: {answer}");
        assert!(stand.fake.control.counts().accepted >= 2, "{name}");
        assert_eq!(stand.gateway.send("DELETE", &transaction, &[], "").await.status, 200);
        stand.is_content().await;
    }
}

/// The first request there ever was is abandoned.
#[tokio::test]
async fn terminates_an_abandoned_statement_under_any_name() {
    for options in all_versions() {
        for name in NAMES {
            let stand = named(name, options.clone()).await;
            let mut client = Connection::open(stand.gateway.address()).await;
            client.post(PATH, &json!({ "statement": "SLEEP 600000" }).to_string()).await;
            stand.fake.control.wait_for("the statement", |counts| counts.running == 1).await;
            drop(client);
            let over = stand.fake.control.wait_for("its end", |counts| counts.running == 0 && counts.transactions == 0);
            over.await;
            stand.is_content().await;
        }
    }
}

#[tokio::test]
async fn rejects_writes_in_read_mode_under_any_name() {
    for name in NAMES {
        let stand = named(name, Options::default()).await;
        let write = json!({ "statement": "WRITE k 1", "accessMode": "READ" });
        assert_eq!(stand.post(PATH, &write).await.status, 400, "{name}");
        assert_eq!(stand.committed("k"), None, "{name}");
        stand.is_content().await;
    }
}

#[tokio::test]
async fn ignores_a_name_that_changes_at_runtime() {
    let stand = Stand::start().await;
    for name in ["Neo4j/5.26.0", "", "Neo4j/v5.11.0 compatible graph database server - Memgraph"] {
        stand.fake.rename(name);
        stand.fake.control.close_all();
        assert_eq!(values(&stand.query("RETURN 1").await), json!([[1]]));
        assert_eq!(values(&stand.query("CALL db.ping()").await), json!([[true]]), "{name}");
    }
    stand.is_content().await;
}

/// A Neo4j's first connections have numbers that look like a Memgraph's only one.
#[tokio::test]
async fn keeps_treating_a_neo4j_as_neo4j() {
    let fake = FakeNeo4j::start_with(fake_neo4j::Options::default().without_auth()).await;
    let gateway = gateway::start_for(&fake.uri()).await;
    fake.control.answer("CALL db.ping()", Answer::rows(&["success"], [vec![v(true)]]));
    let mut held = Vec::new();
    for _ in 0..4 {
        let begun = gateway.post("/db/neo4j/query/v2/tx", r#"{"statement": "WHOAMI"}"#).await;
        assert_eq!(body(&begun)["data"]["values"][0][5], Value::Null, "no tag: {begun}");
        held.push(begun);
    }
    assert_eq!(values(&gateway.query("CALL db.ping()").await), json!([[true]]));
    assert_eq!(fake.control.count("COMMIT"), 0);
}

#[tokio::test]
async fn causes_no_warning_by_logins_without_credentials() {
    for options in all_versions() {
        let stand = Stand::start_with(options).await;
        assert_eq!(values(&stand.query("RETURN 1").await), json!([[1]]));
        assert_eq!(stand.fake.warnings(), [""; 0]);
        let seen = stand.fake.control.seen();
        let login = seen.iter().find(|seen| seen.field(0).is_some_and(|map| map.get("scheme").is_some())).unwrap();
        let map = login.field(0).unwrap();
        let sent = ["scheme", "principal", "credentials"].map(|key| map.get(key).cloned());
        assert_eq!(sent, [Some(v("none")), Some(v("")), Some(v(""))]);
        let _ = refused(&stand.query("NONSENSE").await);
        stand.is_content().await;
    }
}
