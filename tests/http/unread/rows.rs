//! Rows whose text is many times their record: the gateway holds a few megabytes of it at a time.
#![cfg(target_os = "linux")]

use serde_json::json;

use crate::support::{
    bolt::{
        control::Answer,
        fake_neo4j::{FakeNeo4j, Options},
        value::{Value, list, map, structure, v},
    },
    http::request,
    process::{Process, boltgate},
};

const PATH: &str = "/db/neo4j/query/v2";
const PROPERTY: usize = 200_000;
const STEPS: usize = 400;

/// The most memory that the process ever had, in bytes.
fn peak(process: &Process) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// A path that goes round and round through one node with a large property.
fn round_and_round() -> Value {
    let node = structure(b'N', [v(1), list([v("Bomb")]), map([("p", v("x".repeat(PROPERTY)))]), v("4:a:1")]);
    let loop_ = structure(b'r', [v(2), v("L"), map([]), v("5:a:2")]);
    let steps: Vec<Value> = (0..STEPS).flat_map(|_| [v(1), v(0)]).collect();
    structure(b'P', [list([node]), list([loop_]), Value::List(steps)])
}

#[tokio::test(flavor = "multi_thread")]
async fn sends_a_path_that_repeats_a_node_in_parts() {
    let fake = FakeNeo4j::start_with(Options::default().without_auth()).await;
    fake.control.answer("BOMB", Answer::rows(&["p"], [vec![round_and_round()]]));
    let mut command = boltgate(&["serve", "--log-format=json"]);
    command.env("BOLTGATE_DATABASE__URI", fake.uri());
    let process = Process::serve(command);
    let ask = async |statement: &str| {
        let headers = [("Content-Type", "application/json")];
        let body = json!({ "statement": statement }).to_string();
        request(&process.address(), "POST", PATH, &headers, body.as_bytes()).await
    };
    assert_eq!(ask("RETURN 1").await.status, 202);
    let before = peak(&process);
    let answer = ask("BOMB").await;
    let grown = peak(&process) - before;
    assert!(answer.body.len() > PROPERTY * STEPS, "all of it came: {} bytes", answer.body.len());
    assert!(answer.body.ends_with(b"]}"), "and an end");
    assert!(grown < answer.body.len() / 3, "{grown} bytes for an answer of {}", answer.body.len());
}
