//! Statements that would change the session for later requests, and transactions as statements.

use serde_json::json;

use super::stand::{Stand, all_versions};
use crate::support::{
    bolt::control::Answer,
    query::{refused, transaction_id, values},
};

#[tokio::test]
async fn discards_a_connection_whose_session_was_changed() {
    for options in all_versions() {
        let stand = Stand::start_with(options).await;
        for statement in ["SET SESSION TRACE ON", "set next transaction isolation level read committed"] {
            let before = stand.fake.control.counts().accepted;
            assert_eq!(stand.query(statement).await.status, 202);
            let who = Stand::who_am_i(&stand.query("WHOAMI").await);
            assert_eq!(who["session"], json!([]), "{statement}");
            let after = stand.fake.control.counts().accepted;
            assert!(after <= before + 2 && who["connection"] == json!(after - 1), "{statement}");
        }
        // Also in front of the statement that the session is changed for: it ends with the transaction.
        let path = stand.begin().await;
        assert_eq!(stand.query("USE DATABASE a").await.status, 400);
        assert_eq!(stand.gateway.send("DELETE", &path, &[], "").await.status, 200);
        assert_eq!(Stand::who_am_i(&stand.query("WHOAMI").await)["db"], "memgraph");
        stand.is_content().await;
    }
}

#[tokio::test]
async fn discards_a_session_changed_inside_a_transaction() {
    let stand = Stand::start().await;
    let change = json!({ "statement": "SET SESSION TRACE ON" });
    let commit = async |path: String| stand.post(&format!("{path}/commit"), &json!({})).await.status;
    let path = stand.begin().await;
    assert_eq!(stand.post(&path, &change).await.status, 202);
    assert_eq!(values(&stand.post(&path, &json!({ "statement": "WRITE k 1 ROWS 1" })).await), json!([[1]]));
    assert_eq!(commit(path).await, 202);
    assert!(stand.committed("k").is_some());
    assert_eq!(Stand::who_am_i(&stand.query("WHOAMI").await)["session"], json!([]));

    let begun = stand.post("/db/memgraph/query/v2/tx", &change).await;
    assert_eq!(commit(format!("/db/memgraph/query/v2/tx/{}", transaction_id(&begun))).await, 202);
    assert_eq!(Stand::who_am_i(&stand.query("WHOAMI").await)["session"], json!([]));
    stand.is_content().await;
}

#[tokio::test]
async fn rejects_transaction_statements() {
    for options in all_versions() {
        let stand = Stand::start_with(options).await;
        let runs = stand.runs();
        for statement in ["BEGIN", "commit", " Rollback "] {
            let error = refused(&stand.query(statement).await);
            assert_eq!((error.status, error.code.as_str()), (400, "Neo.ClientError.Statement.SemanticError"));
            assert!(error.message.contains("use the transaction routes"), "{}", error.message);
        }
        let path = stand.begin().await;
        let error = refused(&stand.post(&path, &json!({ "statement": "COMMIT" })).await);
        assert_eq!(error.status, 400);
        assert_eq!(stand.runs(), runs, "nothing of it was sent");
        // The transaction continues.
        assert_eq!(values(&stand.post(&path, &json!({ "statement": "RETURN 1" })).await), json!([[1]]));
        assert_eq!(stand.post(&format!("{path}/commit"), &json!({})).await.status, 202);
        stand.is_content().await;
    }
}

#[tokio::test]
async fn leaves_nothing_behind_after_a_refused_begin() {
    let stand = Stand::start().await;
    let error = refused(&stand.post("/db/nope/query/v2/tx", &json!({})).await);
    assert_eq!(error.status, 404);
    assert_eq!(stand.gateway.engine().open_transactions(), 0);
    assert_eq!(values(&stand.query("RETURN 1").await), json!([[1]]));
    stand.is_content().await;
}

/// However the keywords are spelt apart: Memgraph does not mind, so neither may the gateway.
#[tokio::test]
async fn detects_session_changes_in_any_spelling() {
    for statement in [
        "SET/**/SESSION TRACE ON",
        "SET /* */ NEXT TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "SET\u{A0}SESSION\u{2003}TRACE ON",
        "// SHOW\rset\tsession trace on",
        "USE/**/DATABASE a",
        "\u{FEFF}USE DATABASE a",
    ] {
        let stand = Stand::start().await;
        stand.fake.control.answer(statement, Answer::default());
        assert_eq!(stand.query(statement).await.status, 202, "{statement}");
        let who = Stand::who_am_i(&stand.query("WHOAMI").await);
        assert_eq!(who["connection"], json!(1), "{statement}");
        // In a transaction and in a batch as well.
        let path = stand.begin().await;
        assert_eq!(stand.post(&path, &json!({ "statement": statement })).await.status, 202);
        assert_eq!(stand.post(&format!("{path}/commit"), &json!({})).await.status, 202);
        let batch = json!({ "statements": [{ "statement": statement }] });
        assert_eq!(stand.post("/db/memgraph/query/v2/batch", &batch).await.status, 202);
        let who = Stand::who_am_i(&stand.query("WHOAMI").await);
        assert_eq!(who["connection"], json!(3), "{statement}");
        stand.is_content().await;
    }
    let stand = Stand::start().await;
    for statement in ["RETURN 'SET SESSION'", "/* SET SESSION */ RETURN 1", "`USE` DATABASE"] {
        stand.fake.control.answer(statement, Answer::default());
        assert_eq!(stand.query(statement).await.status, 202, "{statement}");
    }
    assert_eq!(stand.fake.control.counts().accepted, 1, "none of these was one");
}
