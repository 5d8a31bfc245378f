//! What goes wrong, in the words of the database and with the status of the Query API.

use serde_json::json;

use super::stand::{Stand, all_versions};
use crate::support::{
    bolt::control::{Answer, When},
    query::{body, refused, values},
};

#[tokio::test]
async fn reports_a_database_that_does_not_exist() {
    for options in all_versions() {
        let stand = Stand::start_with(options).await;
        for path in ["/db/nope/query/v2", "/db/nope/query/v2/tx"] {
            let error = refused(&stand.post(path, &json!({ "statement": "RETURN 1" })).await);
            assert_eq!((error.status, error.code.as_str()), (404, "Neo.ClientError.Database.DatabaseNotFound"));
            assert_eq!(error.message, "Tried to retrieve an unknown database \"nope\".");
        }
        assert_eq!(values(&stand.query("RETURN 1").await), json!([[1]]));
        stand.is_content().await;
    }
}

#[tokio::test]
async fn reports_a_syntax_error() {
    for options in all_versions() {
        let stand = Stand::start_with(options).await;
        let error = refused(&stand.query("NONSENSE").await);
        assert_eq!((error.status, error.code.as_str()), (400, "Memgraph.ClientError.MemgraphError.MemgraphError"));
        assert!(error.message.contains("mismatched input 'NONSENSE'"), "{}", error.message);
        let error = refused(&stand.query("RETURN $missing").await);
        assert_eq!(error.message, "Parameter $missing not provided.");
        assert_eq!(values(&stand.query("RETURN 1").await), json!([[1]]));
        stand.is_content().await;
    }
}

#[tokio::test]
async fn reports_a_write_conflict() {
    for options in all_versions() {
        let stand = Stand::start_with(options).await;
        let path = stand.begin().await;
        assert_eq!(stand.post(&path, &json!({ "statement": "WRITE k 1 ROWS 1" })).await.status, 202);
        let once = json!({ "statement": "WRITE k 2", "retry": false });
        let answer = stand.post("/db/memgraph/query/v2", &once).await;
        let error = &body(&answer)["errors"][0];
        let message = error["message"].as_str().unwrap_or_else(|| panic!("{answer}"));
        assert!(message.starts_with("Cannot resolve conflicting transactions."), "{answer}");
        assert_eq!(error["code"], "Memgraph.TransientError.MemgraphError.MemgraphError");
        assert_eq!(stand.post(&format!("{path}/commit"), &json!({})).await.status, 202);
        assert_eq!(values(&stand.query("READ k").await), json!([[1]]));
        stand.is_content().await;
    }
}

#[tokio::test]
async fn reports_a_failed_commit() {
    for options in all_versions() {
        let stand = Stand::start_with(options).await;
        let path = stand.begin().await;
        let failing = json!({ "statement": "FAILCOMMIT Memgraph.ClientError.X.Y no such luck" });
        assert_eq!(stand.post(&path, &failing).await.status, 202);
        let error = refused(&stand.post(&format!("{path}/commit"), &json!({})).await);
        assert_eq!((error.status, error.message.as_str()), (400, "no such luck"));
        assert_eq!(stand.post(&path, &json!({})).await.status, 404);
        stand.is_content().await;
    }
}

/// Rows fill the server's buffer of 64 KiB, so the failure comes in the middle of a row that was cut off.
#[tokio::test]
async fn finds_a_failure_behind_a_truncated_row() {
    for options in all_versions() {
        let stand = Stand::start_with(options).await;
        for after in [3, 999, 1000, 1001, 9000, 9001, 9002, 9003, 9500, 10_999, 11_000, 30_000] {
            let text = "Transaction was asked to abort because of transaction timeout.";
            let answer = stand.query(&format!("FAILPULL {after} Memgraph.TransientError.M.E {text}")).await;
            assert_eq!(answer.status, 202, "{after}: {}", answer.status);
            let body = body(&answer);
            assert_eq!(
                body["errors"],
                json!([{ "code": "Neo.ClientError.Transaction.TransactionTimedOut", "message": text }]),
                "{after}"
            );
            // What was dropped by the server is missing at the end, and nothing in between.
            let rows = body["data"]["values"].as_array().unwrap();
            assert!(rows.len() <= after, "{after}");
            assert!(rows.iter().zip(1..).all(|(row, n)| *row == json!([n])), "{after}");
        }
        assert_eq!(values(&stand.query("RETURN 1").await), json!([[1]]));
        // Every failure left its connection in order: it was brought back, and no other had to be opened.
        stand.is_content().await;
        assert_eq!(stand.fake.control.counts().accepted, 1);
    }
}

#[tokio::test]
async fn ends_the_transaction_after_a_failure_behind_a_truncated_row() {
    for options in all_versions() {
        let stand = Stand::start_with(options).await;
        let path = stand.begin().await;
        assert_eq!(stand.post(&path, &json!({ "statement": "WRITE k 1" })).await.status, 202);
        let failing = json!({ "statement": "FAILPULL 9500 Memgraph.TransientError.M.E no" });
        let answer = stand.post(&path, &failing).await;
        assert_eq!(body(&answer)["errors"][0]["message"], "no");
        assert_eq!(stand.post(&format!("{path}/commit"), &json!({})).await.status, 404);
        assert_eq!(stand.committed("k"), None);
        stand.is_content().await;
    }
}

#[tokio::test]
async fn keeps_a_wide_row_that_looks_like_a_failure() {
    for options in all_versions() {
        let stand = Stand::start_with(options).await;
        // The server cuts this string into chunks, one of which may begin with the beginning of a failure.
        let filler = "\u{0}\u{7F}code".repeat(40_000);
        let request = json!({ "statement": "RETURN $s", "parameters": { "s": filler } });
        assert_eq!(values(&stand.post("/db/memgraph/query/v2", &request).await), json!([[filler]]));
        stand.is_content().await;
    }
}

const CLIENT: &str = "Memgraph.ClientError.MemgraphError.MemgraphError";
const TRANSIENT: &str = "Memgraph.TransientError.MemgraphError.MemgraphError";

/// The status and the code of a statement that fails with this text.
async fn told(stand: &Stand, code: &str, message: &str) -> (u16, String) {
    stand.fake.control.fail_statements("READ k", 1, When::Run, code, message);
    let headers = [("Content-Type", "application/json"), ("Boltgate-Statuses", "precise")];
    let request = json!({ "statement": "READ k", "retry": false }).to_string();
    let answer = stand.gateway.send("POST", "/db/memgraph/query/v2", &headers, &request).await;
    let error = &body(&answer)["errors"][0];
    assert!(error["message"].as_str().unwrap().starts_with(message), "{answer}");
    (answer.status, error["code"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn reports_what_an_instance_cannot_do_now() {
    let stand = Stand::start().await;
    let unavailable = (503, "Neo.TransientError.General.DatabaseUnavailable".to_owned());
    for message in [
        "Database \"a\" is suspended (cold); run RESUME DATABASE a before using it.",
        "Write queries currently forbidden on the main instance. Either the cluster is in read-only mode, or …",
        "Write queries are forbidden on the replica instance. …",
    ] {
        assert_eq!(told(&stand, CLIENT, message).await, unavailable, "{message}");
    }
    let coordinator = told(&stand, CLIENT, "Coordinator can run only coordinator queries!").await;
    assert_eq!(coordinator, (502, CLIENT.to_owned()));
    stand.is_content().await;
}

#[tokio::test]
async fn ignores_user_text_in_messages_when_classifying() {
    let stand = Stand::start().await;
    for said in
        ["Cannot resolve conflicting transactions", "You are not authorized", "Tried to retrieve an unknown database"]
    {
        for message in
            [format!("Unbound variable: `{said}`."), format!("Trigger '{said}' caused the transaction to fail.")]
        {
            assert_eq!(told(&stand, CLIENT, &message).await, (400, CLIENT.to_owned()), "{message}");
        }
    }
    let trigger = "Trigger 't' caused the transaction to fail.\nException: Cannot resolve conflicting transactions. …";
    assert_eq!(told(&stand, TRANSIENT, trigger).await, (409, TRANSIENT.to_owned()));
    stand.is_content().await;
}

/// A statement that commits in the middle may not be sent twice; one that only has the word for it in it may.
#[tokio::test]
async fn retries_despite_misleading_words_in_a_message() {
    let stand = Stand::start().await;
    let conflict = "Cannot resolve conflicting transactions. Retry this transaction …";
    for (statement, attempts) in [("ADD transactions 1", Some("3")), ("ADD periodic 1", Some("3"))] {
        stand.fake.control.fail_statements(statement, 2, When::Commit, TRANSIENT, conflict);
        let answer = stand.query(statement).await;
        assert_eq!((answer.status, answer.header("Boltgate-Attempts")), (202, attempts), "{answer}");
    }
    let batched = "CALL { CREATE () }/**/IN TRANSACTIONS OF 1 ROWS";
    stand.fake.control.answer(batched, Answer::default());
    stand.fake.control.fail_statements(batched, 2, When::Commit, TRANSIENT, conflict);
    let answer = stand.query(batched).await;
    assert_eq!(body(&answer)["errors"][0]["message"], conflict);
    assert_eq!(answer.header("Boltgate-Attempts"), None, "{answer}");
    stand.is_content().await;
}
