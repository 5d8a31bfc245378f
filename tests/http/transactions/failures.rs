//! Which errors end a transaction, and which leave it as it was.

use serde_json::json;

use super::{TX, commit, gateway, is_gone, run};
use crate::support::{
    bolt::fake_neo4j::{FakeNeo4j, Options},
    gateway::{Gateway, start_memory},
    query::{begin, body, count, refused, transaction_id, values, works},
};

async fn gateway_to_fake() -> Gateway {
    let fake = FakeNeo4j::start_with(Options::default().without_auth()).await;
    start_memory(move || fake.connect(), &[]).await
}

#[tokio::test]
async fn rolls_back_after_a_database_error() {
    let gateway = gateway().await;
    for statement in ["RETURN x", "RETURN $missing AS m", "RETURN 1/0 AS f", "CALL no.such()"] {
        let path = begin(&gateway, &json!({ "statement": "CREATE (:A)" })).await;
        let response = run(&gateway, &path, statement).await;
        assert_eq!(refused(&response).status, 400, "{statement}");
        is_gone(&gateway, &path).await;
        assert_eq!((count(&gateway, "A").await, gateway.engine().open_transactions()), (0, 0), "{statement}");
    }
}

#[tokio::test]
async fn commits_nothing_when_the_last_statement_fails() {
    let gateway = gateway().await;
    let path = begin(&gateway, &json!({ "statement": "CREATE (:A)" })).await;
    assert_eq!(refused(&run(&gateway, &format!("{path}/commit"), "RETURN x").await).status, 400);
    is_gone(&gateway, &path).await;
    assert_eq!(count(&gateway, "A").await, 0);
}

#[tokio::test]
async fn opens_nothing_when_the_first_statement_fails() {
    let gateway = gateway().await;
    assert_eq!(refused(&run(&gateway, TX, "RETURN x").await).status, 400);
    assert_eq!(gateway.engine().open_transactions(), 0);
    assert_eq!(gateway.query("CREATE (:A)").await.status, 202, "the turn to write is free");
}

#[tokio::test]
async fn rolls_back_after_an_error_behind_rows() {
    let gateway = gateway_to_fake().await;
    let fail = "FAILPULL 2 Neo.ClientError.Statement.ArithmeticError / by zero";
    let path = begin(&gateway, &json!({ "statement": "WRITE k" })).await;
    for path in [&path, TX] {
        let response = run(&gateway, path, fail).await;
        let failed = body(&response);
        assert_eq!((response.status, failed["data"]["values"].as_array().map(Vec::len)), (202, Some(2)));
        assert_eq!(failed["errors"][0]["code"], "Neo.ClientError.Statement.ArithmeticError");
        assert_eq!(failed.get("transaction"), None);
    }
    is_gone(&gateway, &path).await;
    assert_eq!(gateway.engine().open_transactions(), 0);
    assert_eq!(values(&gateway.query("READ k").await), json!([[null]]), "its work is undone");
}

#[tokio::test]
async fn reports_a_failed_commit() {
    let gateway = gateway_to_fake().await;
    let code = "Neo.ClientError.Schema.ConstraintValidationFailed";
    let fail = format!("FAILCOMMIT {code} still has relationships");
    // Without a statement it is the answer.
    let path = begin(&gateway, &json!({ "statement": fail })).await;
    let told = refused(&commit(&gateway, &path).await);
    assert_eq!((told.status, told.code.as_str(), told.message.as_str()), (400, code, "still has relationships"));
    is_gone(&gateway, &path).await;
    // With one, rows have already been sent.
    let path = begin(&gateway, &json!({ "statement": fail })).await;
    let response = run(&gateway, &format!("{path}/commit"), "RETURN 1").await;
    let failed = body(&response);
    assert_eq!(
        (response.status, &failed["data"]["values"], &failed["errors"][0]["code"]),
        (202, &json!([[1]]), &json!(code))
    );
    assert_eq!(failed.get("bookmarks"), None);
    is_gone(&gateway, &path).await;
}

#[tokio::test]
async fn keeps_the_transaction_after_an_invalid_request() {
    let gateway = gateway().await;
    let path = begin(&gateway, &json!({ "statement": "CREATE (:A)" })).await;
    let end = format!("{path}/commit");
    let (json, typed) = ("application/json", "application/vnd.neo4j.query");
    for (method, path, content_type, accept, body, status) in [
        ("POST", &path, json, json, "{not json", 400),
        ("POST", &path, json, json, "[]", 400),
        ("POST", &path, json, json, "null", 400),
        ("POST", &path, json, json, r#"{"unknown":1}"#, 400),
        ("POST", &path, json, json, r#"{"accessMode":"READ"}"#, 400),
        ("POST", &path, json, json, r#"{"statement":"RETURN $x","parameters":{"x":9223372036854775808}}"#, 400),
        ("POST", &path, json, json, r#"{"statement":"RETURN 1","parameters":123}"#, 400),
        ("POST", &path, typed, json, r#"{"statement":"RETURN $x","parameters":{"x":1}}"#, 400),
        (
            "POST",
            &path,
            typed,
            json,
            r#"{"statement":"RETURN $x","parameters":{"x":{"$type":"Node","_value":1}}}"#,
            400,
        ),
        ("POST", &path, "text/csv", json, "a,b", 415),
        ("POST", &path, json, "text/html", "{}", 406),
        ("GET", &path, json, json, "", 405),
        ("PUT", &path, json, json, "{}", 405),
        ("POST", &end, json, json, "{not json", 400),
        ("POST", &end, "text/csv", json, "a,b", 415),
        ("POST", &end, json, "text/html", "", 406),
        ("GET", &end, json, json, "", 405),
        ("DELETE", &path, json, json, r#"{"unknown":1}"#, 400),
        ("DELETE", &path, "text/csv", json, "a,b", 415),
        ("DELETE", &path, json, "text/html", "", 406),
        ("DELETE", &end, json, json, "", 405),
    ] {
        let headers = [("Content-Type", content_type), ("Accept", accept)];
        let response = gateway.send(method, path, &headers, body).await;
        assert_eq!(refused(&response).status, status, "{method} {path} {body}");
        assert_eq!(gateway.engine().open_transactions(), 1, "{method} {path} {body}");
    }
    // Nothing was lost and nothing was added.
    assert_eq!(values(&run(&gateway, &path, "MATCH (a:A) RETURN count(a) AS n").await), json!([[1]]));
    assert_eq!(commit(&gateway, &path).await.status, 202);
    assert_eq!(count(&gateway, "A").await, 1);
}

#[tokio::test]
async fn keeps_the_transaction_after_a_request_that_is_never_sent() {
    let gateway = gateway().await;
    let response = gateway.post("/db/system/query/v2/tx", "{}").await;
    let path = format!("/db/system/query/v2/tx/{}", transaction_id(&response));
    let told = refused(&run(&gateway, &path, "RETURN 1").await);
    assert_eq!((told.status, told.code.as_str()), (404, "Neo.ClientError.Database.DatabaseNotFound"));
    assert_eq!(values(&run(&gateway, &path, "CALL db.ping()").await), json!([[true]]));
    assert_eq!(commit(&gateway, &path).await.status, 202);
}

#[tokio::test]
async fn ends_the_transaction_when_its_connection_is_lost() {
    let fake = FakeNeo4j::start_with(Options::default().without_auth()).await;
    let control = fake.control.clone();
    let gateway = start_memory(move || fake.connect(), &[]).await;
    let path = begin(&gateway, &json!({})).await;
    control.close_all();
    let told = refused(&run(&gateway, &path, "RETURN 1").await);
    assert_eq!(told.status, 503, "{told:?}");
    is_gone(&gateway, &path).await;
    works(&gateway).await;
}
