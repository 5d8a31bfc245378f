//! `"accessMode": "READ"` writes nothing, on any route, for any caller: Memgraph looks at a mode in BEGIN alone.

use serde_json::json;

use super::stand::{Stand, all_versions};
use crate::support::{
    bolt::{
        control::{Answer, User},
        fake_memgraph::{FakeMemgraph, Options},
        value::v,
    },
    gateway,
    http::Response,
    query::{body, refused, values},
};

const PATH: &str = "/db/memgraph/query/v2";

async fn read(stand: &Stand, statement: &str) -> Response {
    stand.post(PATH, &json!({ "statement": statement, "accessMode": "READ" })).await
}

#[tokio::test]
async fn rejects_writes_in_read_mode() {
    for options in all_versions() {
        let stand = Stand::start_with(options).await;
        for statement in ["WRITE k 1", "WRITE k 1 ROWS 3000", "BATCHED 1 k"] {
            let error = refused(&read(&stand, statement).await);
            assert_eq!((error.status, &*error.code), (400, "Neo.ClientError.Statement.AccessMode"), "{statement}");
        }
        stand.lent(0).await;
        assert_eq!(stand.committed("k"), None);
        assert_eq!(values(&read(&stand, "READ k").await), json!([[null]]));
        assert_eq!(stand.query("WRITE k 1").await.status, 202, "others may");
        assert_eq!(stand.fake.control.counts().accepted, 1, "and no connection was lost");
        stand.is_content().await;
    }
}

#[tokio::test]
async fn adds_one_round_trip_in_read_mode() {
    let stand = Stand::start().await;
    values(&stand.query("RETURN 1").await);
    stand.fake.control.forget_messages();
    assert_eq!(values(&read(&stand, "RETURN 1").await), json!([[1]]));
    assert_eq!(stand.fake.control.names(0), ["BEGIN", "RUN", "PULL", "COMMIT"]);
    let begin = &stand.fake.control.seen()[0];
    assert_eq!(begin.field(0).unwrap().get("mode"), Some(&v("r")));
    assert!(begin.field(0).unwrap().get("tx_timeout").is_some());
    stand.is_content().await;
}

#[tokio::test]
async fn streams_many_rows_in_read_mode() {
    let stand = Stand::start().await;
    let answer = read(&stand, "ROWS 12345").await;
    let rows = values(&answer);
    assert_eq!((rows.as_array().unwrap().len(), &rows[12_344]), (12_345, &json!([12_345])));
    assert!(body(&answer)["bookmarks"][0].is_string(), "{answer}");
    stand.is_content().await;
    assert_eq!(stand.fake.control.counts().commits, 1);
}

#[tokio::test]
async fn leaves_nothing_open_when_a_client_disconnects() {
    let stand = Stand::start().await;
    let mut client = crate::support::http::Connection::open(stand.gateway.address()).await;
    client.post(PATH, &json!({ "statement": "SLEEP 600000", "accessMode": "READ" }).to_string()).await;
    stand.fake.control.wait_for("the statement", |counts| counts.running == 1).await;
    drop(client);
    stand.is_content().await;
}

/// What only shows something is refused inside of a transaction, and writes nothing anywhere.
#[tokio::test]
async fn sends_show_statements_without_a_transaction() {
    let stand = Stand::start().await;
    let info = Answer::rows(&["index type"], [vec![v("label")]]);
    stand.fake.control.answer("SHOW INDEX INFO", info);
    for statement in ["SHOW INDEX INFO", "SHOW STORAGE INFO", "SHOW VERSION", "PROFILE WRITE k 1"] {
        assert_eq!(read(&stand, statement).await.status, 202, "{statement}");
    }
    assert_eq!(stand.committed("k"), None, "PROFILE takes back what it does");
    let ping = read(&stand, "CALL db.ping()").await;
    assert_eq!((values(&ping), &body(&ping)["queryType"]), (json!([[true]]), &json!("s")));
    assert_eq!(stand.fake.control.count("BEGIN"), 0);
    stand.is_content().await;
}

#[tokio::test]
async fn rejects_statements_that_cannot_be_kept_from_writing() {
    let stand = Stand::start().await;
    for statement in ["CREATE INDEX ON :A(b)", "ADMIN Dropping the graph", "CREATE USER x"] {
        let error = refused(&read(&stand, statement).await);
        assert_eq!(error.status, 400);
        let message = error.message;
        assert!(message.contains("in multicommand transactions") && message.contains("accessMode"), "{message}");
        assert!(!message.contains("send this statement to POST"), "{message}");
    }
    stand.is_content().await;
}

#[tokio::test]
async fn returns_404_for_a_missing_database_in_read_mode() {
    let stand = Stand::start().await;
    let request = json!({ "statement": "RETURN 1", "accessMode": "READ" });
    assert_eq!(refused(&stand.post("/db/nope/query/v2", &request).await).status, 404);
    assert_eq!(values(&read(&stand, "RETURN 1").await), json!([[1]]));
    assert_eq!(stand.fake.control.counts().accepted, 1);
    stand.is_content().await;
}

#[tokio::test]
async fn writes_nothing_through_a_read_only_account() {
    let fake = FakeMemgraph::start_with(Options::default()).await;
    fake.control.set_user("gateway", User { password: "pw".into(), admin: true, ..User::default() });
    let gateway = gateway::start_for_with(
        &fake.uri(),
        &[
            ("auth.anonymous", "service"),
            ("auth.service_account.user", "gateway"),
            ("auth.service_account.password", "pw"),
            ("auth.service_account.read_only", "true"),
        ],
    )
    .await;
    let post = async |path: &str, body: serde_json::Value| gateway.post(path, &body.to_string()).await;
    for mode in ["WRITE", "READ"] {
        let request = json!({ "statement": "WRITE k 1", "accessMode": mode });
        assert_eq!(post(PATH, request.clone()).await.status, 400);
        assert_eq!(post(&format!("{PATH}/tx"), request).await.status, 400);
        let batch = json!({ "statements": [{ "statement": "WRITE k 1" }], "accessMode": mode });
        assert_eq!(post(&format!("{PATH}/batch"), batch).await.status, 400);
    }
    assert_eq!(values(&post(PATH, json!({ "statement": "READ k" })).await), json!([[null]]));
    assert_eq!(fake.store().committed("memgraph", "k"), None);
    assert_eq!(fake.violations(), [""; 0]);
}
