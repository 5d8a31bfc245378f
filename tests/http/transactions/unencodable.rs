//! Rows that cannot be shown end a transaction, as every error does: nobody can have wanted to commit what was not seen.

use serde_json::{Value, json};

use super::{TX, is_gone};
use crate::support::{
    bolt::fake_neo4j::{FakeNeo4j, Options},
    gateway::{Gateway, start_memory},
    http::Response,
    query::{begin, body, values},
};

/// In a view that lacks the type, and in any view: a value that is no text, inside a list.
const UNSHOWN: [(&str, &str); 2] =
    [("TYPE vector", "application/vnd.neo4j.query.v1.0"), ("RAW 92 82C328 01", "application/json")];

async fn gateway_to_fake() -> Gateway {
    let fake = FakeNeo4j::start_with(Options::default().without_auth()).await;
    start_memory(move || fake.connect(), &[]).await
}

async fn ask(gateway: &Gateway, path: &str, statement: &str, accept: &str) -> Response {
    let headers = [("Content-Type", "application/json"), ("Accept", accept)];
    gateway.send("POST", path, &headers, &json!({ "statement": statement }).to_string()).await
}

/// Nothing is left of a transaction that has written, and its client knows.
async fn is_undone(gateway: &Gateway, path: &str, answer: &Response) {
    let told = body(answer);
    assert!(told["errors"].as_array().is_some_and(|errors| !errors.is_empty()), "{told}");
    let last = told["errors"].as_array().unwrap().last().unwrap();
    assert!(last["message"].as_str().unwrap().ends_with("The transaction was rolled back."), "{told}");
    assert_eq!((told.get("transaction"), told.get("bookmarks")), (None, None));
    is_gone(gateway, path).await;
    assert_eq!(gateway.engine().open_transactions(), 0);
    assert_eq!(values(&gateway.query("READ k").await), json!([[null]]), "its work is undone");
}

#[tokio::test]
async fn rolls_back_after_an_unencodable_row_inside() {
    let gateway = gateway_to_fake().await;
    for (statement, accept) in UNSHOWN {
        let path = begin(&gateway, &json!({ "statement": "WRITE k" })).await;
        let answer = ask(&gateway, &path, statement, accept).await;
        is_undone(&gateway, &path, &answer).await;
    }
}

#[tokio::test]
async fn commits_nothing_after_an_unencodable_row_of_the_last_statement() {
    let gateway = gateway_to_fake().await;
    for (statement, accept) in UNSHOWN {
        let path = begin(&gateway, &json!({ "statement": "WRITE k" })).await;
        let answer = ask(&gateway, &format!("{path}/commit"), statement, accept).await;
        is_undone(&gateway, &path, &answer).await;
    }
}

#[tokio::test]
async fn opens_nothing_after_an_unencodable_row_of_the_first_statement() {
    let gateway = gateway_to_fake().await;
    for (statement, accept) in UNSHOWN {
        let told = body(&ask(&gateway, TX, statement, accept).await);
        assert_eq!((told["errors"].is_array(), told.get("transaction")), (true, None), "{told}");
        assert_eq!(gateway.engine().open_transactions(), 0);
    }
}

#[tokio::test]
async fn says_that_a_single_statement_took_effect() {
    let gateway = gateway_to_fake().await;
    let [(unsupported, accept), (broken, json)] = UNSHOWN;
    let told = body(&ask(&gateway, "/db/neo4j/query/v2", unsupported, accept).await);
    let message = told["errors"][0]["message"].as_str().unwrap();
    assert!(message.ends_with("The statement was executed and committed nevertheless."), "{told}");
    // A value that makes no sense takes nothing else along, and is named.
    let told = body(&ask(&gateway, "/db/neo4j/query/v2", broken, json).await);
    assert_eq!(told["data"]["values"], json!([[[Value::Null, 1]]]));
    let message = "The database sent a value that cannot be shown, in row 1, column \"raw\": a string that is not UTF-8. \
                   It was replaced by null.";
    assert_eq!(told["errors"], json!([{ "code": "Neo.DatabaseError.General.UnknownError", "message": message }]));
    assert!(told["bookmarks"].is_array(), "it was committed: {told}");
    // In lines as well.
    let lines = ask(&gateway, "/db/neo4j/query/v2", broken, "application/jsonl").await.text();
    let events: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<_> = events.iter().map(|event| event["$event"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["Header", "Record", "Summary", "Error"]);
    assert_eq!(events[3]["_body"][0]["message"], message);
}

#[tokio::test]
async fn rolls_back_a_batch_and_names_statement_row_and_column() {
    let gateway = gateway_to_fake().await;
    let request = json!({ "statements": [{ "statement": "WRITE k" }, { "statement": "RAW 92 82C328 01" }] });
    let answer = gateway.post("/db/neo4j/query/v2/batch", &request.to_string()).await;
    let error = &body(&answer)["errors"][0];
    assert_eq!((answer.status, &error["statement"]), (502, &json!(1)), "{answer}");
    assert!(error["message"].as_str().unwrap().contains("in row 1, column \"raw\""), "{answer}");
    assert_eq!(values(&gateway.query("READ k").await), json!([[null]]), "its work is undone");
}
