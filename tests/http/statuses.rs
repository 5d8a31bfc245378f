//! Statuses as the Query API has them, and as HTTP has them; and whether a request may be repeated.
//!
//! Runs against a fake Neo4j.

use serde_json::{Value, json};

use crate::support::{
    bolt::fake_neo4j::{FakeNeo4j, Options},
    gateway::{Gateway, start_memory},
    http::Response,
    query::body,
};

const PATH: &str = "/db/neo4j/query/v2";
const ONCE: &str = r#","retry":false"#;

async fn gateway(settings: &[(&'static str, &str)]) -> Gateway {
    let fake = FakeNeo4j::start_with(Options::default().without_auth()).await;
    start_memory(move || fake.connect(), settings).await
}

async fn run(gateway: &Gateway, statement: &str, statuses: Option<&str>, more: &str) -> Response {
    let mut headers = vec![("Content-Type", "application/json")];
    headers.extend(statuses.map(|statuses| ("Boltgate-Statuses", statuses)));
    let request = format!(r#"{{"statement":{}{more}}}"#, json!(statement));
    gateway.send("POST", PATH, &headers, &request).await
}

fn error(response: &Response) -> Value {
    body(response)["errors"][0].clone()
}

const TABLE: [(&str, u16, bool); 11] = [
    ("Neo.TransientError.Transaction.DeadlockDetected", 409, true),
    ("Neo.TransientError.General.MemoryPoolOutOfMemoryError", 503, true),
    ("Neo.ClientError.Schema.ConstraintValidationFailed", 409, false),
    ("Neo.ClientError.Security.Forbidden", 403, false),
    ("Neo.ClientError.Transaction.TransactionTimedOut", 504, false),
    ("Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration", 504, false),
    ("Neo.ClientError.Transaction.Terminated", 409, false),
    ("Neo.TransientError.Transaction.Terminated", 409, false),
    ("Neo.ClientError.Statement.SyntaxError", 400, false),
    ("Neo.ClientError.Database.DatabaseNotFound", 404, false),
    ("Neo.DatabaseError.Statement.ExecutionFailed", 500, false),
];

#[tokio::test]
async fn honours_the_header_of_a_request() {
    let gateway = gateway(&[]).await;
    for (code, precise, retryable) in TABLE {
        let statement = format!("FAIL {code} no");
        let plain = run(&gateway, &statement, None, ONCE).await;
        let expected = if [404, 500].contains(&precise) { precise } else { 400 };
        assert_eq!((plain.status, error(&plain).get("retryable")), (expected, None), "{code}: {plain}");
        let answer = run(&gateway, &statement, Some("precise"), ONCE).await;
        assert_eq!((answer.status, &error(&answer)["retryable"]), (precise, &json!(retryable)), "{code}: {answer}");
        assert_eq!(answer.header("Retry-After").is_some(), precise == 503, "{code}");
        // What fails after the columns were known, and before anything has left.
        let statement = format!("FAILPULL 0 {code} no");
        let plain = run(&gateway, &statement, Some("query-api"), ONCE).await;
        assert_eq!((plain.status, error(&plain).get("retryable")), (202, None), "{code}: {plain}");
        let answer = run(&gateway, &statement, Some("precise"), ONCE).await;
        assert_eq!((answer.status, &error(&answer)["retryable"]), (precise, &json!(retryable)), "{code}: {answer}");
        assert!(body(&answer).get("data").is_none(), "{answer}");
    }
}

#[tokio::test]
async fn honours_the_setting() {
    let gateway = gateway(&[("http.statuses", "precise")]).await;
    let statement = "FAIL Neo.ClientError.Security.Forbidden no";
    assert_eq!(run(&gateway, statement, None, "").await.status, 403);
    assert_eq!(run(&gateway, statement, Some("query-api"), "").await.status, 400);
    // Errors that never reach the database say it too.
    for (method, path, request, status) in
        [("POST", PATH, "{", 400), ("PUT", PATH, "", 405), ("POST", "/db/neo4j/query/v2/tx/0", "{}", 404)]
    {
        let answer = gateway.send(method, path, &[("Content-Type", "application/json")], request).await;
        assert_eq!((answer.status, &error(&answer)["retryable"]), (status, &json!(false)), "{answer}");
    }
}

#[tokio::test]
async fn reports_late_failures_at_the_end_of_the_body() {
    let gateway = gateway(&[]).await;
    let statement = "FAILPULL 700000 Neo.TransientError.Transaction.DeadlockDetected no";
    let answer = run(&gateway, statement, Some("precise"), "").await;
    assert_eq!((answer.status, &error(&answer)["retryable"]), (202, &json!(true)));
    assert_eq!(answer.header("Boltgate-Attempts"), None, "nothing is repeated once rows have left");
}

#[tokio::test]
async fn rejects_an_unknown_choice() {
    let gateway = gateway(&[]).await;
    for unknown in ["Precise", "", "exact"] {
        let answer = run(&gateway, "RETURN 1", Some(unknown), "").await;
        assert!(answer.status == 400 && error(&answer)["message"].as_str().unwrap().contains("Boltgate-Statuses"));
    }
}

#[tokio::test]
async fn accepts_configured_database_names() {
    let aliases = "home ->,sales -> neo4j,nowhere -> nope";
    let fake = FakeNeo4j::start_with(Options::default().without_auth()).await;
    let control = fake.control.clone();
    let gateway = start_memory(move || fake.connect(), &[("database.aliases", aliases)]).await;
    for (name, sent) in [("home", None), ("SALES", Some("neo4j")), ("neo4j", Some("neo4j"))] {
        for (path, message, field) in [("", "RUN", 2), ("/tx", "BEGIN", 0)] {
            control.forget_messages();
            let answer = gateway.post(&format!("/db/{name}/query/v2{path}"), r#"{"statement":"RETURN 1"}"#).await;
            assert_eq!(answer.status, 202, "{answer}");
            let seen = control.seen();
            let seen = seen.iter().find(|seen| seen.name() == message).unwrap();
            let database = seen.field(field).unwrap().get("db").and_then(|db| db.as_str());
            assert_eq!(database, sent, "{name}");
        }
    }
    let answer = gateway.post("/db/nowhere/query/v2", r#"{"statement":"RETURN 1"}"#).await;
    assert_eq!(answer.status, 404, "{answer}");
    // A transaction is used under the name that it was opened with.
    let opened = gateway.post("/db/sales/query/v2/tx", "{}").await;
    let id = crate::support::query::transaction_id(&opened);
    assert_eq!(gateway.post(&format!("/db/neo4j/query/v2/tx/{id}"), "{}").await.status, 404);
    assert_eq!(gateway.post(&format!("/db/sales/query/v2/tx/{id}/commit"), "{}").await.status, 202);
}

#[tokio::test]
async fn says_that_a_statement_with_unencodable_rows_took_effect() {
    let gateway = gateway(&[("idempotency.max_answer", "200")]).await;
    for statuses in ["query-api", "precise"] {
        let headers =
            [("Content-Type", "application/json"), ("Boltgate-Statuses", statuses), ("Idempotency-Key", statuses)];
        let answer = gateway.send("POST", PATH, &headers, r#"{"statement":"ADD a 1 ROWS 1000"}"#).await;
        assert_eq!(answer.status, 202, "{answer}");
        assert!(error(&answer)["message"].as_str().unwrap().starts_with("The statement was carried out"), "{answer}");
    }
    assert_eq!(body(&run(&gateway, "READ a", None, "").await)["data"]["values"], json!([[2]]));
}
