//! The sample graph that `--embedded --sample` begins with.
#![cfg(all(feature = "embedded", unix))]

use serde_json::json;

use crate::support::{
    http::request,
    process::{Process, run, texts},
    query::values,
};

const JSON: (&str, &str) = ("Content-Type", "application/json");

/// The single value that `statement` returns.
async fn value(process: &Process, statement: &str) -> serde_json::Value {
    let body = json!({ "statement": statement }).to_string();
    values(&request(&process.address(), "POST", "/db/neo4j/query/v2", &[JSON], body.as_bytes()).await)[0][0].clone()
}

#[tokio::test]
async fn begins_with_the_sample_graph() {
    let process = Process::embedded(&["--sample"]);
    process.wait_for_line("loaded the sample graph");
    assert_eq!(value(&process, "MATCH (f:Film) RETURN count(f)").await, json!(10));
    assert_eq!(value(&process, "MATCH ()-[t:TRANSFERRED]->() RETURN sum(t.amount)").await, json!(105));
}

#[tokio::test]
async fn loads_nothing_into_a_file_with_data() {
    let folder = tempfile::tempdir().expect("there is room for a file");
    let file = folder.path().join("kept.db");
    let mut process = Process::embedded_in(&file, &[]);
    value(&process, "CREATE (n:Mine) RETURN 1").await;
    process.signal("TERM");
    process.exit();
    let process = Process::embedded_in(&file, &["--sample"]);
    process.wait_for_line("did not load the sample graph: the embedded database already has data");
    assert_eq!(value(&process, "MATCH (n) RETURN count(n)").await, json!(1));
}

#[test]
fn refuses_a_sample_for_another_database() {
    let output = run(&["serve", "--sample"]);
    let (_, said) = texts(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("--embedded"), "{said}");
}
