//! The log of a process: one line per event, tied to the answers by the request's id, and without secrets.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{PATH, post, query};
use crate::support::{
    bolt::fake_neo4j::FakeNeo4j,
    http::request,
    process::{Process, boltgate},
    query::values,
};

/// A filter that lets a line for every request through.
const ACCESS: &str = "info,boltgate::http::access_log=debug";

/// Ends a process and gives its whole log.
fn end(mut process: Process) -> Vec<String> {
    process.signal("TERM");
    assert_eq!(process.exit().code(), Some(0));
    process.log()
}

#[tokio::test]
async fn logs_the_request_id_in_json() {
    let process = Process::embedded_with(&[("BOLTGATE_LOG__FILTER", ACCESS)], &[]);
    let address = process.address();
    let mut expected = BTreeSet::new();
    for (statement, headers, status) in
        [("RETURN 1 AS a", &[][..], 202), ("RETURN x", &[], 400), ("RETURN 2 AS a", &[("X-Request-Id", "mine-1")], 202)]
    {
        let response = post(&address, PATH, headers, &json!({ "statement": statement }).to_string()).await;
        assert_eq!(response.status, status);
        expected.insert((response.header("X-Request-Id").unwrap().to_owned(), i64::from(status)));
    }
    assert!(expected.contains(&("mine-1".to_owned(), 202)));
    let lines: Vec<Value> = end(process)
        .iter()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("no JSON ({error}): {line}")))
        .collect();
    for line in &lines {
        assert!(line["timestamp"].is_string() && line["level"].is_string() && line["message"].is_string(), "{line}");
    }
    let answered = lines.iter().filter(|line| line["message"] == "answered");
    let found: BTreeSet<_> = answered
        .map(|line| {
            assert_eq!((&line["method"], &line["path"]), (&json!("POST"), &json!(PATH)));
            (line["request_id"].as_str().unwrap().to_owned(), line["status"].as_i64().unwrap())
        })
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn warns_at_startup_that_the_database_does_not_respond() {
    let process = Process::serve(boltgate(&["serve", "--database-uri=bolt://127.0.0.1:1"]));
    let line = process.wait_for_line("requests get 503");
    assert!(line.contains("WARN") && line.contains("127.0.0.1:1") && line.contains("--embedded"), "{line}");
}

/// Successes are many, and are logged only on demand.
#[tokio::test]
async fn logs_only_failures_by_default() {
    let process = Process::embedded(&[]);
    for (statement, status) in [("RETURN 1 AS a", 202), ("RETURN x", 400)] {
        assert_eq!(query(&process.address(), statement).await.status, status);
    }
    let log = end(process);
    let answered: Vec<&String> = log.iter().filter(|line| line.contains("answered")).collect();
    assert!(matches!(answered[..], [line] if line.contains("400")), "{log:#?}");
}

/// The name of a route has no names of databases and transactions in it.
#[tokio::test]
async fn every_line_names_the_route() {
    let process = Process::serve(boltgate(&["serve", "--embedded", "--log-format=json"]));
    let address = process.address();
    let cases = [
        ("/db/neo4j/query/v2?secret", "/db/{db}/query/v2"),
        ("/db/n%65o4j/query/v2/tx/", "/db/{db}/query/v2/tx"),
        ("/db/neo4j/query/v2/tx/1234", "/db/{db}/query/v2/tx/{id}"),
        ("/db/neo4j/query/v2/tx/1234/commit", "/db/{db}/query/v2/tx/{id}/commit"),
        ("/db/neo4j/query/v2/batch", "/db/{db}/query/v2/batch"),
        ("/db/neo4j/query/v2/running", "/db/{db}/query/v2/running"),
        ("/db/neo4j/query/v2/running/1234/", "/db/{db}/query/v2/running/{id}"),
        ("/", "/"),
        ("/openapi.json", "/openapi.json"),
        ("/db/neo4j/nothing", "other"),
        ("/nothing", "other"),
    ];
    for (path, _) in cases {
        let status = post(&address, path, &[], "nonsense").await.status;
        assert!((400..500).contains(&status), "{path}: {status}");
    }
    let lines = end(process);
    let lines = lines.iter().map(|line| serde_json::from_str::<Value>(line).expect(line));
    let found: Vec<_> = lines
        .filter(|line| line["message"] == "answered")
        .map(|line| (line["path"].as_str().unwrap().to_owned(), line["route"].as_str().unwrap().to_owned()))
        .collect();
    let expected = cases.map(|(path, route)| (path.split('?').next().unwrap().to_owned(), route.to_owned()));
    assert_eq!(found, expected);
}

#[tokio::test]
async fn logs_the_request_id_in_text() {
    let process = Process::serve(boltgate(&["serve", "--embedded"]));
    let response = query(&process.address(), "RETURN x").await;
    let id = response.header("X-Request-Id").unwrap();
    let log = end(process);
    let answered: Vec<&String> = log.iter().filter(|line| line.contains("answered")).collect();
    let [line] = &answered[..] else { panic!("{log:#?}") };
    assert!(line.contains(&format!("request_id=\"{id}\"")) && line.contains("status=400"), "{line}");
    assert!(!log.concat().contains('\u{1b}'), "no colours in a file");
}

#[tokio::test]
async fn logs_server_errors_with_their_code() {
    let process = Process::serve(boltgate(&["serve", "--database-uri=bolt://127.0.0.1:1", "--log-format=json"]));
    let response = query(&process.address(), "RETURN 1 AS a").await;
    assert_eq!(response.status, 503, "{response}");
    let id = response.header("X-Request-Id").unwrap().to_owned();
    let log = end(process);
    let failed = log.iter().find(|line| line.contains("answered")).expect("it says so");
    let failed: Value = serde_json::from_str(failed).unwrap();
    assert_eq!((&failed["status"], &failed["request_id"]), (&json!(503), &json!(id)));
    assert_eq!(failed["code"], "Neo.TransientError.General.DatabaseUnavailable");
}

/// Nothing of `secrets` is in the log, which says all it can.
fn is_silent_about(log: &[String], secrets: &[&str]) {
    assert!(log.iter().any(|line| line.contains("\"DEBUG\"")), "it says more than usual: {log:#?}");
    for secret in secrets {
        let told: Vec<&String> = log.iter().filter(|line| line.contains(secret)).collect();
        assert!(told.is_empty(), "{secret} is in the log: {told:#?}");
    }
}

#[tokio::test]
async fn logs_no_credential() {
    let process = Process::embedded(&["--log-filter=trace"]);
    let address = process.address();
    let parameters = json!({ "p": "parameter-secret" });
    let body = json!({ "statement": "RETURN $p AS p", "parameters": parameters }).to_string();
    for authorization in [
        "Basic YWxpY2U6aHVudGVyMi1zZWNyZXQ=",
        "Bearer token-secret-4711",
        "Digest digest-secret",
        "Basic not-base64-secret",
    ] {
        post(&address, PATH, &[("Authorization", authorization), ("Realm", "realm-secret")], &body).await;
        let reading = r#"{"accessMode":"READ","txMetadata":{"m":"metadata-secret"}}"#;
        post(&address, "/db/neo4j/query/v2/tx", &[("Authorization", authorization)], reading).await;
    }
    request(&address, "GET", "/?token=query-string-secret", &[], b"").await;
    is_silent_about(&end(process), &["hunter2", "aHVudGVyMi1zZWNyZXQ", "YWxpY2U6", "secret"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_no_credential_sent_to_a_server() {
    let fake = FakeNeo4j::start().await;
    let uri = format!("--database-uri={}", fake.uri());
    let process = Process::serve(boltgate(&["serve", &uri, "--log-format=json", "--log-filter=trace"]));
    let address = process.address();
    let body = json!({ "statement": "RETURN $p AS p", "parameters": { "p": "parameter-secret" } }).to_string();
    for (authorization, status) in [
        ("Basic YWxpY2U6d29uZGVybGFuZA==", 202),
        ("Basic YWxpY2U6d3Jvbmctc2VjcmV0", 401),
        ("Bearer token-secret-4711", 401),
    ] {
        let response = post(&address, PATH, &[("Authorization", authorization)], &body).await;
        assert_eq!(response.status, status, "{response}");
        if status == 202 {
            assert_eq!(values(&response), json!([["parameter-secret"]]));
        }
    }
    is_silent_about(&end(process), &["wonderland", "d29uZGVybGFuZA", "YWxpY2U6", "secret", "d3Jvbmct"]);
}
