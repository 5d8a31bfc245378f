//! What is not retried: what may already have taken effect, what has been shown, and what only the caller may repeat.

use serde_json::{Value, json};

use super::stand::{PRECISE, UNKNOWN_OUTCOME, at_once, attempts, error, stands, statements, with};
use crate::support::{
    bolt::{
        control::{Answer, Fault, When},
        value::{strings, v},
    },
    query::body,
};

/// Statements that may commit some of what they do before their end, in the spellings of both databases.
const IN_STEPS: [&str; 8] = [
    "UNWIND $rows AS row CALL (row) { CREATE (:A) } IN TRANSACTIONS OF 100 ROWS",
    "UNWIND range(1, 9) AS n CALL { WITH n CREATE (:A) } IN TRANSACTIONS",
    "unwind $rows as row call (row) { create (:A) } in 4 concurrent transactions",
    "USING PERIODIC COMMIT 100 LOAD CSV FROM '/x.csv' NO HEADER AS row CREATE (:A)",
    "using periodic commit 10 match (n) detach delete n",
    "CALL apoc.periodic.iterate('MATCH (n) RETURN n', 'SET n.x = 1', {})",
    "CALL periodic.iterate('MATCH (n) RETURN n', 'DELETE n', {batch_size: 10})",
    r"CALL { CREATE (:A) } IN \u0054RANSACTIONS",
];

/// That have the words for it and do not: as names, in strings, in comments.
const NOT_IN_STEPS: [&str; 4] = [
    "RETURN 1 AS transactions",
    "RETURN 1 // IN TRANSACTIONS",
    "MATCH (n:Transactions) SET n.periodic = 1",
    "CREATE (:A {text: '} IN TRANSACTIONS'})",
];

#[tokio::test]
async fn retries_statements_that_only_mention_stepwise_commits() {
    for stand in stands(&[]).await {
        for text in NOT_IN_STEPS {
            stand.control.answer(text, Answer::rows(&["n"], [vec![v(1)]]));
            stand.conflicts(text, 1, When::Commit);
            let answer = stand.query(text, &json!({ "retry": at_once() })).await;
            assert_eq!(attempts(&answer), Some(2), "{}: {text}: {answer}", stand.name);
        }
        stand.is_content().await;
    }
}

#[tokio::test]
async fn does_not_retry_stepwise_commits() {
    for stand in stands(&[]).await {
        for text in IN_STEPS {
            stand.control.answer(text, Answer::rows(&["n"], [vec![v(1)]]));
            for when in [When::Run, When::Rows(0), When::Commit] {
                let more = json!({ "retry": at_once(), "parameters": { "rows": [] } });
                for behind in ["", "/batch"] {
                    let what = format!("{}, {behind}, {when:?}: {text}", stand.name);
                    stand.control.forget_messages();
                    stand.conflicts(text, 1, when);
                    let answer = match behind {
                        "" => stand.query(text, &more).await,
                        _ => stand.batch(&["ADD a 1", text], &json!({ "retry": at_once() })).await,
                    };
                    assert_eq!(error(&answer)["code"], stand.conflict.0, "{what}: {answer}");
                    assert_eq!(attempts(&answer), None, "{what}");
                    let sent = if behind.is_empty() { "RUN" } else { "BEGIN" };
                    assert_eq!(stand.control.count(sent), 1, "{what}");
                }
            }
        }
        assert_eq!(stand.committed("a"), 0);
        stand.is_content().await;
    }
}

#[tokio::test]
async fn does_not_retry_after_rows_were_sent() {
    // More than is held back, so that some of it has left.
    let wide = "ROWS 12000 WIDE 500";
    for stand in stands(&[]).await {
        for format in ["application/json", "application/jsonl"] {
            for (behind, sent, request) in [
                ("", "RUN", json!({ "statement": wide })),
                ("/batch", "BEGIN", statements(&["ADD a 1", wide, "ADD b 1"])),
            ] {
                let what = format!("{}, {behind}, {format}", stand.name);
                stand.control.forget_messages();
                stand.conflicts("ROWS 12000", 1, When::Rows(11_000));
                let request = with(request, &json!({ "retry": at_once() }));
                let answer = stand.post(behind, &[("Accept", format), PRECISE], &request).await;
                assert_eq!((answer.status, attempts(&answer), stand.control.count(sent)), (202, None, 1), "{what}");
                let text = answer.text();
                let last = text.trim_end().lines().next_back().unwrap();
                let last: Value = serde_json::from_str(last).unwrap_or_else(|error| panic!("{what}: {error}"));
                let errors = if format.ends_with('l') { &last["_body"] } else { &last["errors"] };
                let told = if errors.is_array() { &errors[0] } else { &errors["errors"][0] };
                assert_eq!((&told["code"], &told["retryable"]), (&json!(stand.conflict.0), &json!(true)), "{what}");
                assert_eq!((stand.committed("a"), stand.committed("b")), (0, 0), "{what}");
            }
        }
        stand.is_content().await;
    }
}

#[tokio::test]
async fn holds_back_rows_of_writes_only() {
    // More than is worth a write to the client, and less than the first batch.
    let rows = Answer { rows: vec![vec![v("x".repeat(500))]; 900], ..Answer::rows(&["text"], []) };
    for stand in stands(&[]).await {
        for (text, runs) in [("MATCH (b:Book) RETURN b.text", 1), ("CREATE (b:Book) RETURN b.text", 2)] {
            stand.control.answer(text, rows.clone());
            stand.control.forget_messages();
            stand.conflicts(text, 1, When::Rows(800));
            let answer = stand.post("", &[PRECISE], &json!({ "statement": text, "retry": at_once() })).await;
            let what = format!("{}: {text}", stand.name);
            assert_eq!((answer.status, stand.runs(text)), (202, runs), "{what}");
            let shown = body(&answer)["data"]["values"].as_array().map(Vec::len);
            if runs == 1 {
                // The rows that have left stand, and the error follows them. Memgraph drops what it has not written yet.
                assert!(shown.is_some_and(|rows| (64..=800).contains(&rows)), "{what}: {shown:?}");
                assert_eq!((attempts(&answer), &error(&answer)["code"]), (None, &json!(stand.conflict.0)), "{what}");
            } else {
                // None had left when the conflict came.
                assert_eq!((shown, attempts(&answer)), (Some(900), Some(2)), "{what}");
            }
        }
        stand.is_content().await;
    }
}

#[tokio::test]
async fn does_not_retry_a_statement_after_connection_loss() {
    for stand in stands(&[]).await {
        let mut applied = 0;
        for (message, fault, is_applied) in [
            ("RUN", Fault::CloseBefore, false),
            ("RUN", Fault::CloseAfter, false),
            ("PULL", Fault::CloseBefore, false),
            ("PULL", Fault::CloseAfter, true),
        ] {
            for conflicts in [0, 2] {
                let what = format!("{}, {message}, {fault:?}, behind {conflicts} conflicts", stand.name);
                stand.control.forget_messages();
                stand.conflicts("ADD a", conflicts, When::Run);
                // What comes behind a conflict is not processed, so the first PULL is that of the last attempt.
                for _ in 0..if message == "RUN" { conflicts } else { 0 } {
                    stand.control.on_next(message, Fault::Delay(std::time::Duration::ZERO));
                }
                stand.control.on_next(message, fault.clone());
                let request = json!({ "statement": "ADD a 1 ROWS 1", "retry": at_once() });
                let answer = stand.post("", &[PRECISE], &request).await;
                let told = error(&answer);
                assert_eq!((answer.status, &told["retryable"]), (502, &json!(false)), "{what}: {answer}");
                assert_eq!(told["code"], UNKNOWN_OUTCOME, "{what}");
                let message = told["message"].as_str().unwrap();
                assert!(message.ends_with("; it is unknown whether the statement took effect"), "{what}: {message}");
                assert_eq!(attempts(&answer), (conflicts > 0).then_some(conflicts + 1), "{what}");
                assert_eq!(stand.runs("ADD a"), conflicts + 1, "{what}");
                stand.is_content().await;
                applied += i64::from(is_applied);
                assert_eq!(stand.committed("a"), applied, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn does_not_retry_a_batch_lost_at_commit() {
    for stand in stands(&[]).await {
        let mut applied = 0;
        for fault in [Fault::CloseBefore, Fault::CloseAfter] {
            stand.control.forget_messages();
            // A conflict first, then a loss before COMMIT, then one at it: only the last is the caller's to judge.
            stand.conflicts("ADD a", 1, When::Rows(0));
            stand.control.on_next("BEGIN", Fault::Delay(std::time::Duration::ZERO));
            stand.control.on_next("BEGIN", Fault::CloseAfter);
            stand.control.on_next("COMMIT", fault.clone());
            let request = with(statements(&["ADD a 1 ROWS 1"]), &json!({ "retry": at_once() }));
            let answer = stand.post("/batch", &[PRECISE], &request).await;
            let told = error(&answer);
            assert_eq!(
                (answer.status, &told["retryable"], attempts(&answer)),
                (502, &json!(false), Some(3)),
                "{answer}"
            );
            assert_eq!(told["code"], UNKNOWN_OUTCOME, "{answer}");
            assert_eq!((stand.control.count("BEGIN"), stand.control.count("COMMIT")), (3, 1));
            stand.is_content().await;
            applied += i64::from(matches!(fault, Fault::CloseAfter));
            assert_eq!(stand.committed("a"), applied, "{}, {fault:?}", stand.name);
        }
    }
}

#[tokio::test]
async fn does_not_retry_inside_an_open_transaction() {
    for stand in stands(&[]).await {
        for when in [When::Run, When::Rows(0), When::Commit] {
            for (commits, sent) in [(false, "RUN"), (true, "COMMIT")] {
                let what = format!("{}, {when:?}, with the end: {commits}", stand.name);
                let path = stand.begin().await;
                stand.control.forget_messages();
                stand.conflicts("ADD a", 1, when);
                let request = json!({ "statement": "ADD a 1 ROWS 1" });
                let behind = if commits { format!("{path}/commit") } else { path.clone() };
                let mut answer = stand.post(&behind, &[PRECISE], &request).await;
                if !commits && when == When::Commit {
                    assert_eq!(answer.status, 202, "{what}: {answer}");
                    answer = stand.post(&format!("{path}/commit"), &[PRECISE], &json!({})).await;
                }
                let told = error(&answer);
                assert_eq!((&told["code"], &told["retryable"]), (&json!(stand.conflict.0), &json!(true)), "{what}");
                assert_eq!((answer.status, attempts(&answer)), (409, None), "{what}: {answer}");
                assert_eq!(stand.control.count("RUN"), 1, "{what}");
                assert!(stand.control.count(sent) <= 1, "{what}");
                assert_eq!(stand.post(&path, &[], &json!({})).await.status, 404, "{what}: it is over");
            }
        }
        assert_eq!(stand.committed("a"), 0);
        stand.is_content().await;
    }
}

#[tokio::test]
async fn sends_the_same_request_with_every_attempt() {
    for stand in stands(&[]).await {
        for (behind, sent) in [("", "RUN"), ("/batch", "BEGIN")] {
            let bookmarks = body(&stand.query("ADD a 1", &json!({})).await)["bookmarks"].clone();
            stand.control.forget_messages();
            stand.conflicts("ADD a", 2, When::Commit);
            let more = json!({
                "retry": at_once(), "bookmarks": bookmarks, "txMetadata": { "app": "test" }, "accessMode": "WRITE",
            });
            let answer = match behind {
                "" => stand.query("ADD a 1", &more).await,
                _ => stand.batch(&["ADD a 1"], &more).await,
            };
            let what = format!("{}, {behind}: {answer}", stand.name);
            assert_eq!((answer.status, attempts(&answer)), (202, Some(3)), "{what}");
            assert_ne!(body(&answer)["bookmarks"], bookmarks, "{what}");
            for key in ["bookmarks", "db", "mode", "imp_user"] {
                let all = stand.extras(sent, key);
                assert!(all.len() == 3 && all.windows(2).all(|pair| pair[0] == pair[1]), "{what}, {key}: {all:?}");
            }
            let metadata = stand.extras(sent, "tx_metadata");
            assert!(metadata.iter().all(|all| all.as_ref().unwrap().get("app") == Some(&v("test"))), "{metadata:?}");
            if stand.name == "neo4j" {
                let given = bookmarks[0].as_str().unwrap();
                assert_eq!(stand.extras(sent, "bookmarks")[0], Some(strings(&[given])), "{what}");
            }
        }
    }
}
