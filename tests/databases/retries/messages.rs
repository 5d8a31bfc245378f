//! What the databases say, what the caller is told, and whether Boltgate retries: at every point of a conversation.

use serde_json::json;

use super::stand::{
    CLIENT, CONFLICT, DEADLOCK, PRECISE, Stand, TRANSIENT, at_once, attempts, error, memgraph, memgraph_of, neo4j,
    statements, with,
};
use crate::support::{
    bolt::{control::When, fake_memgraph::Options},
    query::{body, refused},
};

/// What the caller gets: a code, the precise status, and whether it may repeat the request.
type Told = (&'static str, u16, bool);

const BY_GATEWAY: bool = true;
const BY_NOBODY: bool = false;

const AGAIN: Told = (TRANSIENT, 409, true);
const LATER: Told = (TRANSIENT, 503, true);
const AWAY: Told = ("Neo.TransientError.General.DatabaseUnavailable", 503, true);
const REFUSED: Told = (CLIENT, 400, false);
const TOO_LONG: Told = ("Neo.ClientError.Transaction.TransactionTimedOut", 504, false);
const ENDED: Told = ("Neo.ClientError.Transaction.Terminated", 409, false);
const NO_DATABASE: Told = ("Neo.ClientError.Database.DatabaseNotFound", 404, false);
const FORBIDDEN: Told = ("Neo.ClientError.Security.Forbidden", 403, false);
const CONSTRAINT: Told = ("Neo.ClientError.Schema.ConstraintValidationFailed", 409, false);
const BROKEN: &str = "Memgraph.DatabaseError.MemgraphError.MemgraphError";

/// All that Memgraph says, with the code it says it under. One code stands for nearly everything, so the words decide.
const MEMGRAPH: [(&str, &str, Told, bool); 40] = [
    (TRANSIENT, CONFLICT, AGAIN, BY_GATEWAY),
    (CLIENT, CONFLICT, AGAIN, BY_GATEWAY),
    (CLIENT, "Unable to commit due to serialization error.", AGAIN, BY_GATEWAY),
    (CLIENT, "Unable to commit due to serialization error, try again later.", AGAIN, BY_GATEWAY),
    (CLIENT, "Multiple concurrent system queries are not supported.", AGAIN, BY_GATEWAY),
    (
        CLIENT,
        "Trigger 'x' caused the transaction to fail. Cannot resolve conflicting transactions. Retry this transaction.",
        AGAIN,
        BY_GATEWAY,
    ),
    (TRANSIENT, "Cannot get shared access to the storage. Try stopping other parallel queries.", LATER, BY_GATEWAY),
    (TRANSIENT, "Cannot get unique access to the storage. Try stopping other parallel queries.", LATER, BY_GATEWAY),
    (TRANSIENT, "Cannot get read-only access to the storage. Try stopping other parallel queries.", LATER, BY_GATEWAY),
    (TRANSIENT, "The storage mode changed while the transaction was open.", LATER, BY_GATEWAY),
    (TRANSIENT, "Transaction was asked to abort because of database shutdown.", AWAY, BY_NOBODY),
    (CLIENT, "Write queries are forbidden on the replica instance. Replica instances accept only …", AWAY, BY_NOBODY),
    (CLIENT, "Write queries currently forbidden on the main instance. The cluster is in an …", AWAY, BY_NOBODY),
    (CLIENT, "Cannot commit because instance is not main anymore.", AWAY, BY_NOBODY),
    (TRANSIENT, "Transaction was asked to abort because of transaction timeout.", TOO_LONG, BY_NOBODY),
    (TRANSIENT, "Transaction was asked to abort by another user.", ENDED, BY_NOBODY),
    (
        TRANSIENT,
        "Aborting transaction commit because the transaction was requested to stop from other session. ",
        ENDED,
        BY_NOBODY,
    ),
    (TRANSIENT, "Tried to retrieve an unknown database \"x\".", NO_DATABASE, BY_NOBODY),
    (TRANSIENT, "Trying to impersonate a user that doesn't exist.", FORBIDDEN, BY_NOBODY),
    (
        CLIENT,
        "Failed to impersonate user 'x' on database 'y'. Make sure you have the right privileges and that the user exists.",
        FORBIDDEN,
        BY_NOBODY,
    ),
    (CLIENT, "Access to impersonate user requires an enterprise, ai_platform, or oem license.", FORBIDDEN, BY_NOBODY),
    (
        CLIENT,
        "No session user. You must be logged-in in order to use the impersonate-user feature.",
        FORBIDDEN,
        BY_NOBODY,
    ),
    (
        CLIENT,
        "You are not authorized to execute this query! Please contact your database administrator.",
        FORBIDDEN,
        BY_NOBODY,
    ),
    (
        CLIENT,
        "You are not authorized to execute this query on database \"x\"! Please contact your database administrator.",
        FORBIDDEN,
        BY_NOBODY,
    ),
    (
        CLIENT,
        "You are not authorized on the database \"x\"! Please contact your database administrator.",
        FORBIDDEN,
        BY_NOBODY,
    ),
    (CLIENT, "Unable to commit due to unique constraint violation on :L(p)", CONSTRAINT, BY_NOBODY),
    (CLIENT, "Unable to commit due to existence constraint violation on :L(p)", CONSTRAINT, BY_NOBODY),
    (TRANSIENT, "Not yet implemented: x", REFUSED, BY_NOBODY),
    (TRANSIENT, "Memory limit exceeded! Attempting to allocate a chunk of 1KiB …", REFUSED, BY_NOBODY),
    (TRANSIENT, "Unsupported conversion from Value to ExternalPropertyValue", REFUSED, BY_NOBODY),
    (TRANSIENT, "Setting 'x' cannot be set per-session", REFUSED, BY_NOBODY),
    (TRANSIENT, "Something that nobody has heard of", REFUSED, BY_NOBODY),
    (CLIENT, "Something that nobody has heard of", REFUSED, BY_NOBODY),
    (CLIENT, "Trigger 'x' caused the transaction to fail. Division by zero.", REFUSED, BY_NOBODY),
    (
        CLIENT,
        "Failed to remove node because of its existing connections. Consider using DETACH DELETE.",
        REFUSED,
        BY_NOBODY,
    ),
    (CLIENT, "Query exceeded the maximum number of hops.", REFUSED, BY_NOBODY),
    (
        CLIENT,
        "Trying to use enterprise feature without a valid license. Check your license status by running SHOW LICENSE INFO.",
        REFUSED,
        BY_NOBODY,
    ),
    (CLIENT, "Replication Exception: at least one STRICT_SYNC replica has not confirmed.", REFUSED, BY_NOBODY),
    (
        CLIENT,
        "Accessor type READ and query type WRITE are misaligned!",
        ("Neo.ClientError.Statement.AccessMode", 400, false),
        BY_NOBODY,
    ),
    (
        BROKEN,
        "An unknown exception occurred, this is unexpected. Real message should be in database logs.",
        (BROKEN, 500, false),
        BY_NOBODY,
    ),
];

const fn same(code: &'static str, precise: u16, retryable: bool) -> (&'static str, &'static str, Told) {
    (code, "no", (code, precise, retryable))
}

/// Neo4j says it by its codes.
const NEO4J: [((&str, &str, Told), bool); 20] = [
    (same(DEADLOCK, 409, true), BY_GATEWAY),
    (same("Neo.TransientError.Transaction.LockAcquisitionTimeout", 409, true), BY_GATEWAY),
    (same("Neo.TransientError.Transaction.Outdated", 409, true), BY_GATEWAY),
    (same("Neo.TransientError.Transaction.ConstraintsChanged", 409, true), BY_GATEWAY),
    (same("Neo.TransientError.General.MemoryPoolOutOfMemoryError", 503, true), BY_GATEWAY),
    (same("Neo.TransientError.Schema.SchemaModifiedConcurrently", 503, true), BY_GATEWAY),
    (same("Neo.TransientError.General.DatabaseUnavailable", 503, true), BY_NOBODY),
    (same("Neo.TransientError.Transaction.BookmarkTimeout", 503, true), BY_NOBODY),
    (same("Neo.ClientError.Transaction.Terminated", 409, false), BY_NOBODY),
    (
        ("Neo.TransientError.Transaction.Terminated", "no", ("Neo.ClientError.Transaction.Terminated", 409, false)),
        BY_NOBODY,
    ),
    (
        (
            "Neo.TransientError.Transaction.LockClientStopped",
            "no",
            ("Neo.ClientError.Transaction.LockClientStopped", 409, false),
        ),
        BY_NOBODY,
    ),
    (same("Neo.ClientError.Transaction.TransactionTimedOut", 504, false), BY_NOBODY),
    (same("Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration", 504, false), BY_NOBODY),
    (same("Neo.ClientError.Schema.ConstraintValidationFailed", 409, false), BY_NOBODY),
    (same("Neo.ClientError.Security.Forbidden", 403, false), BY_NOBODY),
    (same("Neo.ClientError.Statement.SyntaxError", 400, false), BY_NOBODY),
    (same("Neo.ClientError.Statement.ArithmeticError", 400, false), BY_NOBODY),
    (same("Neo.ClientError.Database.DatabaseNotFound", 404, false), BY_NOBODY),
    (same("Neo.DatabaseError.Statement.ExecutionFailed", 500, false), BY_NOBODY),
    (same("Neo.DatabaseError.General.UnknownError", 500, false), BY_NOBODY),
];

/// The status without the wish for precise ones, where nothing has been said yet.
fn plain((_, precise, _): Told) -> u16 {
    if [404, 500].contains(&precise) { precise } else { 400 }
}

/// Lets a statement fail with these words wherever it can, alone and in a batch.
async fn words_decide(stand: &Stand, (code, text, told): (&str, &str, Told), repeated: bool) {
    let mut applied = stand.committed("a");
    for when in [When::Run, When::Rows(0), When::Commit] {
        for (behind, sent, request) in [
            ("", "RUN", json!({ "statement": "ADD a 1 ROWS 1" })),
            ("/batch", "BEGIN", statements(&["ADD a 1 ROWS 1", "RETURN 1"])),
        ] {
            let what = format!("{code}: {text}; {behind} {when:?}");
            // As it is by default.
            stand.control.fail_statements("ADD a", 1, when, code, text);
            stand.control.forget_messages();
            let answer = stand.post(behind, &[], &with(request.clone(), &json!({ "retry": at_once() }))).await;
            let tries = if repeated { 2 } else { 1 };
            assert_eq!((stand.control.count(sent), attempts(&answer)), (tries, repeated.then_some(2)), "{what}");
            if repeated {
                assert!(answer.status == 202 && body(&answer).get("errors").is_none(), "{what}: {answer}");
                applied += 1;
            } else {
                // What fails alone and after its columns is told in the answer that has begun.
                let begun = behind.is_empty() && when != When::Run;
                assert_eq!(answer.status, if begun { 202 } else { plain(told) }, "{what}: {answer}");
                let error = error(&answer);
                assert_eq!((&error["code"], &error["message"]), (&json!(told.0), &json!(text)), "{what}");
                assert!(error.get("retryable").is_none(), "{what}: {answer}");
            }
            // And precisely.
            stand.control.fail_statements("ADD a", 1, when, code, text);
            stand.control.forget_messages();
            let answer = stand.post(behind, &[PRECISE], &with(request, &json!({ "retry": false }))).await;
            let error = error(&answer);
            assert_eq!((stand.control.count(sent), attempts(&answer)), (1, None), "{what}");
            assert_eq!((answer.status, &error["retryable"]), (told.1, &json!(told.2)), "{what}: {answer}");
            assert_eq!((&error["code"], &error["message"]), (&json!(told.0), &json!(text)), "{what}");
            assert_eq!(answer.header("Retry-After").is_some(), told.1 == 503, "{what}: {answer}");
            let at_fault = (behind == "/batch" && when != When::Commit).then(|| json!(0));
            assert_eq!(error.get("statement"), at_fault.as_ref(), "{what}: {answer}");
            assert_eq!(stand.committed("a"), applied, "{what}");
        }
    }
}

#[tokio::test]
async fn classifies_memgraphs_messages() {
    let stand = memgraph(&[]).await;
    for (code, text, told, repeated) in MEMGRAPH {
        words_decide(&stand, (code, text, told), repeated).await;
    }
    stand.is_content().await;
}

#[tokio::test]
async fn classifies_neo4js_codes() {
    let stand = neo4j(&[]).await;
    for (said, repeated) in NEO4J {
        words_decide(&stand, said, repeated).await;
    }
    stand.is_content().await;
}

/// Memgraph says it of many statements, and older versions with one word less.
#[tokio::test]
async fn runs_statements_that_need_their_own_transaction_once() {
    let advice = " Over HTTP: send this statement to POST /db/{database}/query/v2, which runs it outside of explicit \
                  transactions.";
    for options in [Options::old(), Options::default(), Options::newest()] {
        let stand = memgraph_of(options, &[]).await;
        for (text, what) in [
            ("CREATE INDEX ON :L(p)", "Index manipulation"),
            ("CREATE CONSTRAINT ON (n:L) ASSERT n.p IS UNIQUE", "Constraint manipulation"),
            ("CREATE USER x", "Managing users"),
            ("ADMIN Storage information query", "Storage information query"),
            ("SHOW TRANSACTIONS", "Querying transaction status"),
        ] {
            let (path, committing) = (stand.begin().await, stand.begin().await);
            let request = json!({ "statement": text });
            stand.control.forget_messages();
            let answers = [
                stand.post(&path, &[], &request).await,
                stand.post(&format!("{committing}/commit"), &[], &request).await,
                stand.post("/tx", &[], &request).await,
                stand.batch(&["ADD a 1", text], &json!({ "retry": at_once() })).await,
            ];
            assert_eq!((stand.control.count("BEGIN"), stand.control.count("COMMIT")), (2, 0), "{text}");
            for answer in answers {
                let told = error(&answer);
                let message = told["message"].as_str().unwrap();
                assert_eq!((answer.status, &told["code"]), (400, &json!(CLIENT)), "{text}: {answer}");
                let beginning = format!("{what} is not allowed in multicommand transactions. ");
                assert!(message.starts_with(&beginning) && message.ends_with(advice), "{message}");
            }
            for path in [path, committing] {
                assert_eq!(stand.post(&path, &[], &json!({})).await.status, 404, "{text}: it is over");
            }
            // Where it belongs it goes well.
            let answer = stand.query(text, &json!({})).await;
            assert!(answer.status == 202 && body(&answer).get("errors").is_none(), "{answer}");
        }
        let older = "Index manipulation not allowed in multicommand transactions.";
        stand.control.fail_statements("ADD a", 1, When::Run, CLIENT, older);
        let told = error(&stand.batch(&["ADD a 1"], &json!({})).await);
        assert_eq!(told["message"], format!("{older}{advice}"));
        assert_eq!(stand.committed("a"), 0);
        stand.is_content().await;
    }
}

/// Memgraph calls it transient, and Neo4j does not.
#[tokio::test]
async fn does_not_retry_a_missing_database() {
    for stand in [memgraph(&[]).await, neo4j(&[]).await] {
        let load = "{\"statement\":\"ADD a 1\"}\n{}\n{}";
        for (path, format, request) in [
            ("/db/nope/query/v2", "application/json", r#"{"statement":"ADD a 1"}"#),
            ("/db/nope/query/v2/batch", "application/json", r#"{"statements":[{"statement":"ADD a 1"}]}"#),
            ("/db/nope/query/v2/tx", "application/json", r#"{"statement":"ADD a 1"}"#),
            ("/db/nope/query/v2/tx", "application/json", "{}"),
            ("/db/nope/query/v2/batch", "application/x-ndjson", load),
        ] {
            for statuses in ["query-api", "precise"] {
                stand.control.forget_messages();
                let headers = [("Content-Type", format), ("Boltgate-Statuses", statuses)];
                let answer = stand.gateway.send("POST", path, &headers, request).await;
                let told = error(&answer);
                let what = format!("{}, {path}, {format}: {answer}", stand.name);
                assert_eq!((answer.status, &told["code"]), (404, &json!(NO_DATABASE.0)), "{what}");
                assert_eq!(told.get("retryable"), (statuses == "precise").then_some(&json!(false)), "{what}");
                assert_eq!(attempts(&answer), None, "{what}");
                let sent = if path.ends_with("/v2") { "RUN" } else { "BEGIN" };
                assert_eq!(stand.control.count(sent), 1, "{what}");
            }
        }
        assert_eq!(refused(&stand.query("NONSENSE", &json!({})).await).status, 400, "the connection is in order");
        stand.is_content().await;
    }
}
