//! The operator's listener of a real process: over a Unix socket, in the log, and while the process stops.
#![cfg(all(feature = "embedded", unix))]

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    path::Path,
};

use serde_json::{Value, json};

use crate::support::{
    http::{Connection, Response, request},
    process::{Process, boltgate, wait},
    query::body,
};

const PATH: &str = "/db/neo4j/query/v2";
const TOKEN: [(&str, &str); 1] = [("BOLTGATE_ADMIN__TOKEN", "operators-only")];
const BEARER: (&str, &str) = ("Authorization", "Bearer operators-only");

async fn ask(admin: &str, method: &str, path: &str, text: &str) -> Response {
    request(admin, method, path, &[BEARER], text.as_bytes()).await
}

/// The status and the body of an answer over a Unix socket, without a token.
fn ask_unix(socket: &Path, method: &str, path: &str, text: &str) -> (u16, Value) {
    let mut stream = UnixStream::connect(socket).expect("it listens");
    let length = text.len();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(format!("{head}{text}").as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, serde_json::from_str(body).expect("JSON"))
}

#[tokio::test]
async fn lets_whoever_may_open_the_unix_socket_do_everything() {
    let folder = tempfile::tempdir().expect("there is room");
    let socket = folder.path().join("admin.sock");
    let listen = format!("--admin-listen=unix:{}", socket.display());
    let process = Process::serve(boltgate(&["serve", "--embedded", "--log-format=json", &listen]));
    process.wait_for_line("serving operators");
    let begun = request(&process.address(), "POST", &format!("{PATH}/tx"), &[], b"").await;
    assert_eq!(begun.status, 202, "{begun}");
    let (status, listed) = ask_unix(&socket, "GET", "/transactions", "");
    let id = listed["transactions"][0]["id"].as_str().expect("an id");
    assert_eq!((status, &listed["transactions"][0]["kind"]), (200, &json!("explicit")));
    let ended = ask_unix(&socket, "DELETE", &format!("/transactions/{id}"), "");
    assert_eq!(ended, (200, json!({ "id": id, "ended": true })));
    assert!(process.wait_for_line("an operator ended a transaction").contains("\"client\":\"unix\""));
    assert_eq!(ask_unix(&socket, "PUT", "/log", r#"{"access":"all"}"#).0, 200);
}

#[tokio::test]
async fn says_in_the_log_who_changed_it() {
    let process = Process::embedded_with(&TOKEN, &["--admin-listen=127.0.0.1:0"]);
    let admin = process.admin_address();
    let answer = ask(&admin, "PUT", "/log", r#"{"filter":"error"}"#).await;
    assert_eq!(body(&answer)["filter"], "error", "{answer}");
    let line = process.wait_for_line("an operator changed the log");
    assert!(line.contains("127.0.0.1") && line.contains(r#"{\"filter\":\"error\"}"#), "{line}");
    // What failed would have been a line before.
    assert_eq!(request(&process.address(), "GET", "/nothing", &[], b"").await.status, 404);
    assert_eq!(ask(&admin, "PUT", "/log", r#"{"filter":"info"}"#).await.status, 200);
    wait("the second line", || {
        let lines = process.log();
        let changes = lines.iter().filter(|line| line.contains("an operator changed the log")).count();
        (changes == 2).then_some(())
    });
    assert!(!process.log().iter().any(|line| line.contains("/nothing")));
}

#[tokio::test]
async fn serves_operators_while_the_gateway_stops() {
    let mut process = Process::embedded_with(&TOKEN, &["--admin-listen=127.0.0.1:0"]);
    let (address, admin) = (process.address(), process.admin_address());
    let mut reader = Connection::open(&address).await;
    let text = "x".repeat(10_000);
    let statement = json!({ "statement": "UNWIND range(1, 4000) AS i RETURN i, $t AS t", "parameters": { "t": text } });
    reader.post(PATH, &statement.to_string()).await;
    assert_eq!(reader.head().await.status, 202);
    process.signal("TERM");
    process.wait_for_line("stopping");
    let ready = loop {
        let ready = request(&admin, "GET", "/ready", &[("Accept", "application/json")], b"").await;
        if ready.status != 200 {
            break ready;
        }
    };
    assert_eq!((ready.status, &body(&ready)["reasons"]), (503, &json!(["draining"])), "{ready}");
    assert_eq!(ask(&admin, "GET", "/live", "").await.text(), "alive\n");
    let listed = body(&ask(&admin, "GET", "/transactions", "").await);
    let one = &listed["transactions"][0];
    assert_eq!((&one["kind"], &one["state"]), (&json!("statement"), &json!("streaming")), "{listed}");
    let end = format!("/transactions/{}", one["id"].as_str().expect("an id"));
    assert_eq!(ask(&admin, "DELETE", &end, "").await.status, 200);
    drop(reader);
    assert_eq!(process.exit().code(), Some(0));
}

#[tokio::test]
async fn takes_over_a_new_token() {
    let folder = tempfile::tempdir().expect("there is room");
    let file = folder.path().join("b.toml");
    let write = |token| fs::write(&file, format!("[admin]\ntoken = '{token}'\n")).expect("there is room");
    write("the-first");
    let mut command = boltgate(&["serve", "--embedded", "--log-format=json", "--admin-listen=127.0.0.1:0", "--config"]);
    command.arg(&file);
    let process = Process::serve(command);
    let admin = process.admin_address();
    let status = async |token: &str| {
        let bearer = format!("Bearer {token}");
        request(&admin, "GET", "/pools", &[("Authorization", bearer.as_str())], b"").await.status
    };
    assert_eq!((status("the-first").await, status("the-second").await), (200, 401));
    write("the-second");
    process.signal("HUP");
    process.wait_for_line("the settings were reloaded");
    assert_eq!((status("the-first").await, status("the-second").await), (401, 200));
}
