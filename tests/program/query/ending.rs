//! How it ends before the result does: interrupted, or with a reader that has left.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use super::query;
use crate::support::{
    http::{DEADLINE, request},
    process::{Process, boltgate, wait},
};

/// Takes far longer than any test.
const ENDLESS: &str =
    "UNWIND range(1, 10000000) AS a UNWIND range(1, 10000000) AS b WITH a, b WHERE a < 0 RETURN count(*)";
/// Far more rows than fit into any buffer, with [`filler`].
const MANY_ROWS: &str = "UNWIND range(1, 30000) AS a RETURN a, $text AS t";

/// The argument that makes a row a kilobyte.
fn filler() -> String {
    format!("--param=text={}", "x".repeat(1000))
}

/// The statements that run at a gateway.
async fn running(gateway: &Process) -> Vec<Value> {
    let answer = request(&gateway.address(), "GET", "/db/neo4j/query/v2/running", &[], b"").await;
    let answer: Value = serde_json::from_slice(&answer.body).expect("is JSON");
    answer["running"].as_array().cloned().unwrap_or_else(|| panic!("{answer}"))
}

/// Waits until so many statements run.
async fn wait_until_running(gateway: &Process, count: usize) {
    let reached = async {
        while running(gateway).await.len() != count {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(DEADLINE, reached).await.unwrap_or_else(|_| panic!("never running: {count} statements"));
}

fn start(mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
}

fn signal(child: &Child, name: &str) {
    let command = format!("kill -s {name} {}", child.id());
    assert!(Command::new("sh").args(["-c", &command]).status().expect("there is a shell").success(), "{command}");
}

/// Waits for its end: the exit status, and what it said.
fn end(mut child: Child) -> (Option<i32>, String) {
    let status = wait("the end of the command", || child.try_wait().expect("it is our child"));
    let mut said = String::new();
    child.stderr.take().expect("it was piped").read_to_string(&mut said).expect("is text");
    (status.code(), said)
}

#[tokio::test]
async fn an_interrupt_cancels_the_statement() {
    let gateway = Process::embedded(&[]);
    for (name, status) in [("INT", 130), ("TERM", 143)] {
        let child = start(query(&gateway.address(), &[ENDLESS]));
        wait_until_running(&gateway, 1).await;
        signal(&child, name);
        let (ended, said) = end(child);
        assert_eq!(
            (ended, said.as_str()),
            (Some(status), "boltgate: interrupted; a statement that was running is cancelled\n")
        );
        wait_until_running(&gateway, 0).await;
    }
    let answer = request(
        &gateway.address(),
        "POST",
        "/db/neo4j/query/v2",
        &[("Content-Type", "application/json")],
        b"{\"statement\":\"RETURN 1\"}",
    )
    .await;
    assert_eq!(serde_json::from_slice::<Value>(&answer.body).expect("is JSON")["data"]["values"], json!([[1]]));
}

#[test]
fn an_interrupt_ends_the_embedded_database_with_the_command() {
    let mut child = start(boltgate(&["query", MANY_ROWS, "--embedded", "--format=jsonl", &filler()]));
    let mut rows = BufReader::new(child.stdout.take().expect("it was piped"));
    let mut first = String::new();
    rows.read_line(&mut first).expect("is text");
    assert!(first.contains("Header"), "{first}");
    signal(&child, "INT");
    assert_eq!(end(child).0, Some(130));
}

#[tokio::test]
async fn a_closed_pipe_ends_quietly_and_cancels_the_statement() {
    let gateway = Process::embedded(&[]);
    for format in ["csv", "table"] {
        let mut child = start(query(&gateway.address(), &[MANY_ROWS, &filler(), "--format", format]));
        let mut rows = BufReader::new(child.stdout.take().expect("it was piped"));
        let mut first = String::new();
        rows.read_line(&mut first).expect("is text");
        assert!(first.contains('a'), "{first}");
        drop(rows);
        assert_eq!(end(child), (Some(0), String::new()), "{format}");
        wait_until_running(&gateway, 0).await;
    }
}
