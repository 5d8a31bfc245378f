//! The processes in which the embedded database runs its statements: a statement stops when nobody waits for it.
#![cfg(all(feature = "embedded", target_os = "linux"))]

use std::{fs, process::Command};

use serde_json::{Value, json};
use tokio::task::{JoinHandle, block_in_place};

use crate::support::{
    http::{Response, request},
    process::{Process, boltgate, wait},
};

const PATH: &str = "/db/neo4j/query/v2";
/// Runs for days.
const ENDLESS: &str = "UNWIND range(1, 10000000) AS a UNWIND range(1, 10000000) AS b WITH a, b WHERE a < 0";
/// The number of processes, as many as there may be transactions.
const READY: usize = 32;
/// Clock ticks of computing that only a statement needs.
const BUSY: u64 = 30;

async fn post(address: &str, body: Value) -> Response {
    let headers = [("Content-Type", "application/json")];
    request(address, "POST", PATH, &headers, body.to_string().as_bytes()).await
}

async fn query(address: &str, statement: &str) -> Response {
    post(address, json!({ "statement": statement })).await
}

/// Sends a statement that runs for days, ending in `end`.
fn endless(address: &str, end: &str) -> JoinHandle<Response> {
    let (address, statement) = (address.to_owned(), format!("{ENDLESS} {end}"));
    tokio::spawn(async move { query(&address, &statement).await })
}

/// The processes of the engine, each with its clock ticks of computing.
fn engines(of: u32) -> Vec<(String, u64)> {
    let processes = fs::read_dir("/proc").expect("there is /proc").flatten();
    let engine = |entry: fs::DirEntry| {
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
        let ticks = fields[11].parse::<u64>().ok()? + fields[12].parse::<u64>().ok()?;
        (fields[1] == of.to_string()).then(|| (entry.file_name().to_string_lossy().into_owned(), ticks))
    };
    processes.filter_map(engine).collect()
}

/// Waits until a process computes, and returns its number.
pub fn busy(process: &Process) -> String {
    let busy = || engines(process.id()).into_iter().find(|(_, ticks)| *ticks > BUSY).map(|(id, _)| id);
    block_in_place(|| wait("a statement that runs", busy))
}

/// The number of processes, as many as there may be transactions.
fn ready(process: &Process) -> Vec<String> {
    let handles_sigterm = |engine: &String| {
        let status = fs::read_to_string(format!("/proc/{engine}/status")).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & (1 << 14) != 0)
    };
    let all = || {
        let found: Vec<String> = engines(process.id()).into_iter().map(|(engine, _)| engine).collect();
        (found.len() == READY && found.iter().all(handles_sigterm)).then_some(found)
    };
    block_in_place(|| wait("processes that are ready", all))
}

fn gone(engine: &str) {
    let path = format!("/proc/{engine}/stat");
    block_in_place(|| wait("the end of a process", || fs::read_to_string(&path).is_err().then_some(())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_stops_and_lets_others_write_when_its_client_has_left() {
    let process = Process::embedded(&[]);
    let address = process.address();
    let left = endless(&address, "CREATE (:A) RETURN count(*)");
    let engine = busy(&process);
    left.abort();
    gone(&engine);
    assert_eq!(query(&address, "CREATE (:A)").await.status, 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_stops_at_its_deadline() {
    let process = Process::embedded(&[]);
    let before = ready(&process);
    let statement = format!("{ENDLESS} RETURN count(*)");
    let answer = post(&process.address(), json!({ "statement": statement, "maxExecutionTime": 1 })).await;
    assert!(answer.text().contains("TransactionTimedOut"), "{answer}");
    let one_ended = || {
        let left = engines(process.id());
        before.iter().any(|engine| left.iter().all(|(other, _)| other != engine)).then_some(())
    };
    block_in_place(|| wait("the end of a process", one_ended));
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_end_with_a_killed_program() {
    let mut process = Process::embedded(&[]);
    let _waiting = endless(&process.address(), "RETURN count(*)");
    busy(&process);
    let engines = engines(process.id());
    process.signal("KILL");
    block_in_place(|| process.exit());
    for (engine, _) in engines {
        gone(&engine);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_asks_the_program_to_stop_stops_no_engine() {
    let process = Process::embedded(&[]);
    let before = ready(&process);
    for engine in &before {
        for signal in ["TERM", "INT", "HUP"] {
            let sent = Command::new("sh").args(["-c", &format!("kill -s {signal} {engine}")]).status();
            assert!(sent.expect("there is a shell").success());
        }
    }
    assert_eq!(query(&process.address(), "CREATE (:A)").await.status, 202);
    let after = engines(process.id());
    assert!(before.iter().all(|engine| after.iter().any(|(other, _)| other == engine)), "{before:?} {after:?}");
}

#[tokio::test]
async fn a_statement_that_needs_too_much_memory_ends_nothing_else() {
    let script = "ulimit -d 1500000 && exec \"$0\" serve --embedded --log-format=json --listen 127.0.0.1:0";
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(boltgate(&[]).get_program());
    let process = Process::start(command);
    let address = process.address();
    let mut lists = String::from("RETURN 1");
    for number in 0..12 {
        lists.push_str(&format!(", [x IN range(1, 9000000) | toString(x)] AS l{number}"));
    }
    let answer = query(&address, &lists).await;
    assert_eq!(answer.status, 500, "{}", answer.text().chars().take(300).collect::<String>());
    assert_eq!(query(&address, "CREATE (:A)").await.status, 202);
}
