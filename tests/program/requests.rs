//! The line that each request leaves in the log, at its real end.
#![cfg(unix)]

use serde_json::{Value, json};

use crate::support::{
    bolt::fake_neo4j::{FakeNeo4j, Options},
    http::{Connection, Response, request},
    http2,
    process::{Process, boltgate, wait},
    query::transaction_id,
};

const PATH: &str = "/db/neo4j/query/v2";
const JSON: (&str, &str) = ("Content-Type", "application/json");
/// A statement whose answer does not fit into the buffers between the gateway and a client that does not read.
const LONG: &str = "ROWS 3000 WIDE 10000";

/// A gateway in front of `uri`, whose log is JSON.
fn gateway(uri: &str, settings: &[(&str, &str)]) -> Process {
    let mut command = boltgate(&["serve", "--database-uri", uri, "--log-format=json"]);
    command.envs(settings.iter().copied());
    Process::serve(command)
}

async fn fake() -> FakeNeo4j {
    FakeNeo4j::start_with(Options::default().without_auth()).await
}

async fn run(process: &Process, headers: &[(&str, &str)], statement: &str) -> Response {
    let body = json!({ "statement": statement }).to_string();
    request(&process.address(), "POST", PATH, &[&[JSON], headers].concat(), body.as_bytes()).await
}

/// The lines with this message, as they are.
fn lines(log: &[String], message: &str) -> Vec<Value> {
    let lines = log.iter().map(|line| serde_json::from_str::<Value>(line).expect(line));
    lines.filter(|line| line["message"] == message).collect()
}

/// Waits for the only line of the only request so far, and makes sure that it stays the only one.
fn only_line(mut process: Process) -> Value {
    wait("the line", || lines(&process.log(), "answered").pop());
    process.signal("TERM");
    assert_eq!(process.exit().code(), Some(0));
    let log = process.log();
    let answered = lines(&log, "answered");
    let [line] = &answered[..] else { panic!("{log:#?}") };
    assert_eq!((&line["level"], &line["target"]), (&json!("INFO"), &json!("boltgate::http::access_log")), "{line}");
    line.clone()
}

/// The members of a line, in their order, without those that every line has.
fn members(log: &[String], message: &str) -> Vec<String> {
    let line = log.iter().find(|line| line.contains(&format!("\"message\":\"{message}\""))).expect("there is a line");
    let names = line.split(",\"").filter_map(|member| member.split_once("\":")).map(|(name, _)| name.to_owned());
    names.filter(|name| !["{\"timestamp", "level", "target", "message"].contains(&name.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_says_who_asked_for_what_and_how_long_it_took() {
    let fake = fake().await;
    let process = gateway(&fake.uri(), &[("BOLTGATE_LOG__ACCESS", "all")]);
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let answer = run(&process, &[("traceparent", parent), ("X-Request-Id", "mine")], "ROWS 3").await;
    assert_eq!((answer.status, answer.header("X-Request-Id")), (202, Some("mine")));
    wait("the line", || lines(&process.log(), "answered").pop());
    let names = members(&process.log(), "answered");
    let expected = [
        "request_id",
        "method",
        "path",
        "route",
        "status",
        "duration_us",
        "head_us",
        "wait_us",
        "database_us",
        "rows",
        "request_bytes",
        "response_bytes",
        "protocol",
        "client",
        "caller",
        "transaction",
        "trace_id",
    ];
    assert_eq!(names, expected);
    let line = only_line(process);
    let body = json!({ "statement": "ROWS 3" }).to_string();
    for (name, value) in [
        ("request_id", json!("mine")),
        ("method", json!("POST")),
        ("path", json!(PATH)),
        ("route", json!("/db/{db}/query/v2")),
        ("status", json!(202)),
        ("rows", json!(3)),
        ("request_bytes", json!(body.len())),
        ("response_bytes", json!(answer.body.len())),
        ("protocol", json!("http/1.1")),
        ("client", json!("127.0.0.1")),
        ("trace_id", json!("4bf92f3577b34da6a3ce929d0e0e4736")),
    ] {
        assert_eq!(line[name], value, "{name}: {line}");
    }
    for name in ["caller", "transaction"] {
        let digits = line[name].as_str().unwrap();
        assert!(digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()), "{line}");
    }
    let time = |name: &str| line[name].as_u64().unwrap();
    assert!(time("duration_us") >= time("head_us") && time("head_us") >= time("database_us"), "{line}");
    assert!(time("head_us") >= time("wait_us"), "{line}");
}

/// The lines of a transaction's requests share an id, which is not its handle.
#[tokio::test(flavor = "multi_thread")]
async fn the_requests_of_a_transaction_can_be_told_by_their_lines() {
    let fake = fake().await;
    let process = gateway(&fake.uri(), &[("BOLTGATE_LOG__ACCESS", "all")]);
    let address = process.address();
    for first in ["{}", r#"{"statement":"ECHO 1"}"#] {
        let begun = request(&address, "POST", &format!("{PATH}/tx"), &[JSON], first.as_bytes()).await;
        let handle = transaction_id(&begun);
        let path = format!("{PATH}/tx/{handle}");
        let statement = br#"{"statement":"ECHO 2"}"#;
        assert_eq!(request(&address, "POST", &path, &[JSON], statement).await.status, 202);
        assert_eq!(request(&address, "POST", &format!("{path}/commit"), &[JSON], b"{}").await.status, 202);
        let of_it = |line: &Value| line["path"].as_str().is_some_and(|path| path.contains(&handle));
        let ids = wait("three lines", || {
            let answered = lines(&process.log(), "answered");
            let begin = answered.iter().position(of_it)?;
            let ids = answered.get(begin.checked_sub(1)?..begin + 2)?;
            Some(ids.iter().map(|line| line["transaction"].as_str().map(str::to_owned)).collect::<Vec<_>>())
        });
        let [Some(one), Some(other), Some(another)] = &ids[..] else { panic!("{ids:?}") };
        assert!(one == other && other == another && one.len() == 16 && !handle.contains(one), "{ids:?} {handle}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_caller_leaves_a_line_with_the_code() {
    let fake = FakeNeo4j::start().await;
    for (authorization, status, code, is_known) in [
        ("Nonsense", 400, "Neo.ClientError.Request.InvalidFormat", false),
        ("Basic YWxpY2U6d3Jvbmctc2VjcmV0", 401, "Neo.ClientError.Security.Unauthorized", true),
    ] {
        let process = gateway(&fake.uri(), &[]);
        assert_eq!(run(&process, &[("Authorization", authorization)], "RETURN 1").await.status, status);
        let line = only_line(process);
        assert_eq!((&line["status"], &line["code"]), (&json!(status), &json!(code)), "{line}");
        assert_eq!((line["caller"].is_string(), line["rows"].is_null()), (is_known, true), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_gives_up_before_the_head_leaves_a_line() {
    let fake = fake().await;
    let process = gateway(&fake.uri(), &[]);
    let mut client = Connection::open(&process.address()).await;
    client.post(PATH, &json!({ "statement": "SLEEP 600000" }).to_string()).await;
    fake.control.wait_for("the statement", |counts| counts.running == 1).await;
    drop(client);
    let line = only_line(process);
    assert_eq!((&line["status"], &line["gone"], &line["head_us"]), (&json!(499), &json!(true), &Value::Null), "{line}");
    assert!(line["database_us"].is_u64() && line["wait_us"].is_u64(), "{line}");
    assert_eq!((&line["response_bytes"], &line["code"]), (&json!(0), &Value::Null), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_gives_up_within_the_body_leaves_a_line() {
    let fake = fake().await;
    let process = gateway(&fake.uri(), &[]);
    let mut client = Connection::open(&process.address()).await;
    client.post(PATH, &json!({ "statement": LONG }).to_string()).await;
    assert_eq!(client.head().await.status, 202);
    drop(client);
    let line = only_line(process);
    assert_eq!((&line["status"], &line["gone"]), (&json!(202), &json!(true)), "{line}");
    assert!(line["response_bytes"].as_u64().unwrap() > 0, "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_after_rows_leaves_a_line_with_the_code() {
    let fake = fake().await;
    let process = gateway(&fake.uri(), &[]);
    let answer = run(&process, &[], "FAILPULL 5000 Neo.DatabaseError.General.UnknownError broken").await;
    assert!(answer.status == 202 && answer.text().contains("\"errors\""), "{}", answer.status);
    let line = only_line(process);
    assert_eq!((&line["status"], &line["gone"]), (&json!(202), &Value::Null), "{line}");
    assert_eq!((&line["code"], &line["rows"]), (&json!("Neo.DatabaseError.General.UnknownError"), &json!(5000)));
    assert_eq!(line["response_bytes"], json!(answer.body.len()), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_are_counted() {
    let fake = fake().await;
    let process = gateway(&fake.uri(), &[("BOLTGATE_LOG__ACCESS", "all")]);
    fake.control.fail_statements(
        "ECHO",
        2,
        crate::support::bolt::control::When::Run,
        "Neo.TransientError.Transaction.DeadlockDetected",
        "again",
    );
    let answer = run(&process, &[], "ECHO 1").await;
    assert_eq!((answer.status, answer.header("Boltgate-Attempts")), (202, Some("3")));
    let line = only_line(process);
    assert_eq!((&line["attempts"], &line["code"], &line["rows"]), (&json!(3), &Value::Null, &json!(1)), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_over_http2_leaves_a_line() {
    let fake = fake().await;
    let process = gateway(&fake.uri(), &[("BOLTGATE_LOG__ACCESS", "all")]);
    let mut requests = http2::connect(&process.address()).await;
    let (status, _) = http2::query(&mut requests, &process.address(), json!({ "statement": "ROWS 5000" })).await;
    assert_eq!(status, 202);
    drop(requests);
    let line = only_line(process);
    assert_eq!((&line["protocol"], &line["rows"]), (&json!("http/2"), &json!(5000)), "{line}");
    assert!(line["response_bytes"].as_u64().unwrap() > 5000, "{line}");
    assert_eq!(line["gone"], Value::Null, "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_its_client_resets_leaves_a_line() {
    let fake = fake().await;
    let process = gateway(&fake.uri(), &[]);
    let mut requests = http2::connect(&process.address()).await;
    let body = json!({ "statement": LONG }).to_string();
    let head = http2::post(&process.address(), PATH).body(()).unwrap();
    let answer = http2::send(&mut requests, head, body).await.unwrap();
    assert_eq!(answer.status(), 202);
    drop(answer);
    let line = only_line(process);
    assert_eq!((&line["status"], &line["gone"]), (&json!(202), &json!(true)), "{line}");
}

#[test]
fn a_request_leaves_one_line_while_the_database_is_down() {
    let process = gateway("bolt://127.0.0.1:1", &[]);
    // Otherwise the request could be the one that finds out.
    process.wait_for_line("the database cannot be reached");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer = runtime.block_on(run(&process, &[], "RETURN 1"));
    assert_eq!(answer.status, 503, "{answer}");
    let id = answer.header("X-Request-Id").unwrap().to_owned();
    wait("the line", || lines(&process.log(), "answered").pop());
    let log = process.log();
    let about = log.iter().filter(|line| line.contains(&id)).count();
    assert_eq!(about, 1, "{log:#?}");
    let line = only_line(process);
    assert_eq!(line["code"], "Neo.TransientError.General.DatabaseUnavailable", "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_by_the_guard_has_an_id_and_a_line() {
    let fake = fake().await;
    let process = gateway(&fake.uri(), &[]);
    let answer = run(&process, &[("Host", "other.example"), ("X-Request-Id", "mine")], "RETURN 1").await;
    assert_eq!((answer.status, answer.header("X-Request-Id")), (421, Some("mine")));
    let line = only_line(process);
    assert_eq!(line["code"], "Boltgate.ClientError.Request.HostNotAllowed", "{line}");
    assert_eq!((&line["route"], &line["caller"]), (&json!("/db/{db}/query/v2"), &Value::Null), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_leaves_a_line_when_they_are_off() {
    let fake = fake().await;
    let filter = "info,boltgate::http::access_log=debug";
    let mut process = gateway(&fake.uri(), &[("BOLTGATE_LOG__ACCESS", "off"), ("BOLTGATE_LOG__FILTER", filter)]);
    assert_eq!(run(&process, &[], "RETURN 1").await.status, 202);
    assert_eq!(run(&process, &[], "NOT A STATEMENT").await.status, 400);
    process.signal("TERM");
    process.exit();
    assert_eq!(lines(&process.log(), "answered"), [Value::Null; 0]);
}

/// Lines of other rooms belong to the request as well.
#[tokio::test(flavor = "multi_thread")]
async fn every_line_of_a_request_has_its_id() {
    let fake = fake().await;
    let process = gateway(&fake.uri(), &[("BOLTGATE_LOG__FILTER", "info,boltgate::query=debug")]);
    run(&process, &[("X-Request-Id", "mine")], "NOT A STATEMENT").await;
    let line = wait("the line", || lines(&process.log(), "a statement failed").pop());
    assert_eq!((&line["request_id"], &line["target"]), (&json!("mine"), &json!("boltgate::query")), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_statements_leave_a_line_with_their_text() {
    let fake = fake().await;
    let process = gateway(&fake.uri(), &[("BOLTGATE_LOG__SLOW_QUERY", "20ms")]);
    let body = json!({ "statement": "SLEEP\n 30", "parameters": { "age": 7, "name": "secret" } }).to_string();
    let headers = [JSON, ("X-Request-Id", "mine")];
    assert_eq!(request(&process.address(), "POST", PATH, &headers, body.as_bytes()).await.status, 202);
    let line = wait("the line", || lines(&process.log(), "slow statement").pop());
    let names = members(&process.log(), "slow statement");
    let expected = ["request_id", "caller", "database", "duration_us", "wait_us", "rows", "statement", "parameters"];
    assert_eq!(names, expected);
    assert_eq!((&line["level"], &line["target"]), (&json!("WARN"), &json!("boltgate::query::slow")), "{line}");
    assert_eq!((&line["request_id"], &line["database"], &line["rows"]), (&json!("mine"), &json!("neo4j"), &json!(1)));
    assert_eq!((&line["statement"], &line["parameters"]), (&json!("SLEEP  30"), &json!("age, name")), "{line}");
    assert!(line["duration_us"].as_u64().unwrap() >= 20_000, "{line}");
    assert!(!process.log().concat().contains("secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_statements_leave_a_line_however_they_end() {
    let fake = fake().await;
    let process = gateway(&fake.uri(), &[("BOLTGATE_LOG__SLOW_QUERY", "20ms")]);
    let address = process.address();
    let slow = |statement: &str| {
        let of_it = |line: &Value| line["statement"] == statement;
        wait(statement, || lines(&process.log(), "slow statement").into_iter().find(of_it))
    };
    // In an explicit transaction.
    let begun = request(&address, "POST", &format!("{PATH}/tx"), &[JSON], br#"{"statement":"SLEEP 31"}"#).await;
    assert_eq!(begun.status, 202, "{begun}");
    slow("SLEEP 31");
    // In a batch.
    let body = json!({ "statements": [{ "statement": "SLEEP 32" }, { "statement": "ECHO 1" }] }).to_string();
    let batch = request(&address, "POST", &format!("{PATH}/batch"), &[JSON], body.as_bytes()).await;
    assert_eq!(batch.status, 202, "{batch}");
    slow("SLEEP 32");
    // Given up by its client.
    let mut client = Connection::open(&address).await;
    client.post(PATH, &json!({ "statement": "SLEEP 600000" }).to_string()).await;
    fake.control.wait_for("the statement", |counts| counts.running == 1).await;
    // It was sent before that, so it takes longer.
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    drop(client);
    slow("SLEEP 600000");
}

/// The line about the statement that was cancelled.
fn cancelled(process: &Process) -> Value {
    wait("the line", || lines(&process.log(), "cancelled a statement").pop())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_whose_client_reads_nothing_is_cancelled_for_that_reason() {
    let fake = fake().await;
    let settings =
        [("BOLTGATE_LOG__FILTER", "info,boltgate::query=debug"), ("BOLTGATE_SERVER__WRITE_STALL_TIMEOUT", "1s")];
    let process = gateway(&fake.uri(), &settings);
    let mut client = Connection::open(&process.address()).await;
    client.post(PATH, &json!({ "statement": LONG }).to_string()).await;
    let line = cancelled(&process);
    assert_eq!(line["reason"], "write_stall", "{line}");
    let line = only_line(process);
    assert_eq!((&line["status"], &line["gone"]), (&json!(202), &json!(true)), "{line}");
    drop(client);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_outlasts_the_gateway_is_cancelled_for_that_reason() {
    let fake = fake().await;
    let settings =
        [("BOLTGATE_LOG__FILTER", "info,boltgate::query=debug"), ("BOLTGATE_SERVER__SHUTDOWN_TIMEOUT", "1s")];
    let mut process = gateway(&fake.uri(), &settings);
    let mut client = Connection::open(&process.address()).await;
    client.post(PATH, &json!({ "statement": "SLEEP 600000" }).to_string()).await;
    fake.control.wait_for("the statement", |counts| counts.running == 1).await;
    process.signal("TERM");
    process.exit();
    let line = cancelled(&process);
    assert_eq!(line["reason"], "shutdown", "{line}");
    let answered = lines(&process.log(), "answered");
    let [line] = &answered[..] else { panic!("{:#?}", process.log()) };
    assert_eq!((&line["status"], &line["gone"]), (&json!(499), &Value::Null), "{line}");
    drop(client);
}

#[cfg(all(feature = "arrow", feature = "embedded"))]
#[test]
fn why_an_answer_was_broken_off_is_found_by_the_id_of_its_request() {
    use crate::support::http::try_request;

    let process = Process::embedded(&[]);
    let statement = "UNWIND range(1, 40000) AS n RETURN CASE n WHEN 39999 THEN 'x' ELSE n END AS n";
    let request = json!({ "statement": statement }).to_string();
    let headers = [JSON, ("Accept", "application/vnd.apache.arrow.stream"), ("X-Request-Id", "late-surprise")];
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let answer = runtime.block_on(try_request(&process.address(), "POST", PATH, &headers, request.as_bytes()));
    assert!(answer.is_err(), "{answer:?}");
    let line = wait("the line", || process.log().into_iter().find(|line| line.contains("broke an answer off")));
    for part in
        ["late-surprise", "Column \\\"n\\\" is int64 (Integer)", "row 39999 has a value of type String", "arrow.sample"]
    {
        assert!(line.contains(part), "{line}");
    }
}
