//! Tools for agents in front of Memgraph, which has a read mode for data alone, and none for commands.

use std::time::Duration;

use serde_json::{Value, json};

use super::stand::Stand;
use crate::support::{
    bolt::{
        control::{Answer, PATIENCE, Seen},
        fake_memgraph::FakeMemgraph,
        value::{self, v},
    },
    gateway,
    http::Connection,
    query::body,
};

/// The same attempts that are made on real servers.
const ATTEMPTS: &str = include_str!("../../clients/agents/attempts.json");

async fn start() -> Stand {
    let fake = FakeMemgraph::start().await;
    let gateway = gateway::start_for_with(&fake.uri(), &[("mcp.enabled", "true"), ("mcp.deny", "[]")]).await;
    Stand { fake, gateway }
}

fn message(tool: &str, arguments: &Value) -> String {
    let params = json!({"name": tool, "arguments": arguments});
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string()
}

async fn call(stand: &Stand, tool: &str, arguments: &Value) -> Value {
    let answer = stand.gateway.post("/mcp", &message(tool, arguments)).await;
    let answer = body(&answer);
    assert!(answer["result"].is_object(), "{answer}");
    answer["result"].clone()
}

async fn read(stand: &Stand, query: &str) -> Value {
    call(stand, "read_cypher", &json!({"query": query, "database": "memgraph"})).await
}

/// A statement that the server carries out, of this type.
fn of_type(kind: &str) -> Answer {
    Answer { summary: vec![("type".into(), v(kind))], ..Answer::rows(&["n"], [vec![v(1)]]) }
}

#[tokio::test]
async fn nothing_is_written_by_reading() {
    let stand = start().await;
    // Whatever reaches the server is carried out there, and said to have written.
    stand.fake.control.answer_any("", of_type("w"));
    let attempts: Vec<String> = serde_json::from_str(ATTEMPTS).expect("the attempts are a list");
    assert!(attempts.len() >= 60, "{}", attempts.len());
    for attempt in &attempts {
        let result = read(&stand, attempt).await;
        assert_eq!(result["isError"], true, "{attempt}: {result}");
    }
    stand.lent(0).await;
    let counts = stand.fake.control.counts();
    assert_eq!(counts.commits, 0);
    assert_eq!(stand.fake.control.count("RUN"), stand.fake.control.count("BEGIN"), "all in transactions");
    for seen in stand.fake.control.seen().iter().filter(|seen| seen.name() == "BEGIN") {
        assert_eq!(seen.field(0).and_then(|extra| extra.get("mode")), Some(&v("r")));
    }
    for seen in stand.fake.control.seen().iter().filter(|seen| seen.name() == "RUN") {
        let text = format!("{:?}", seen.field(0));
        assert!(text.contains("CALL "), "only what procedures may do is left to the server: {text}");
    }
    stand.is_content().await;
}

#[tokio::test]
async fn reading_is_rolled_back_and_must_be_of_its_type() {
    let stand = start().await;
    read(&stand, "RETURN 1").await;
    stand.fake.control.forget_messages();
    stand.fake.control.answer("CALL some.procedure()", of_type("r"));
    let result = read(&stand, "CALL some.procedure()").await;
    assert_eq!(result["structuredContent"]["rows"], json!([{"n": 1}]), "{result}");
    let sent: Vec<_> = stand.fake.control.seen().iter().map(Seen::name).collect();
    assert_eq!(sent, ["BEGIN", "RUN", "PULL", "ROLLBACK"]);
    for kind in ["w", "rw", "s", "x"] {
        stand.fake.control.answer("CALL some.procedure()", of_type(kind));
        let result = read(&stand, "CALL some.procedure()").await;
        let text = result["content"][0]["text"].as_str().unwrap_or_default();
        assert!(text.starts_with("Neo.ClientError.Statement.AccessMode: The database says"), "{kind}: {result}");
    }
    assert_eq!(stand.fake.control.counts().commits, 0);
    // The rest of a result that is cut off is discarded, since the type comes last.
    let result = call(&stand, "read_cypher", &json!({"query": "UNWIND range(1, 500) AS i RETURN i", "limit": 2})).await;
    assert_eq!(result["structuredContent"]["rowCount"], 2, "{result}");
    assert_eq!(result["structuredContent"]["truncated"], true, "{result}");
    stand.lent(0).await;
    stand.is_content().await;
}

#[tokio::test]
async fn a_statement_ends_with_its_request() {
    let stand = start().await;
    stand.fake.control.answer("RETURN 'slow'", Answer { sleep: Some(10 * PATIENCE), ..of_type("r") });
    let mut client = Connection::open(stand.gateway.address()).await;
    client.post("/mcp", &message("read_cypher", &json!({"query": "RETURN 'slow'"}))).await;
    stand.fake.control.wait_for("the statement", |counts| counts.running == 1).await;
    drop(client);
    stand.fake.control.wait_for("its end", |counts| counts.running == 0 && counts.transactions == 0).await;
    stand.lent(0).await;
    assert_eq!(read(&stand, "RETURN 1").await["isError"], false, "and others go on");
}

#[tokio::test]
async fn the_schema_is_found_out_without_lists() {
    let stand = start().await;
    let control = &stand.fake.control;
    let summary = || vec![("type".to_owned(), v("r"))];
    let texts = |name: &str| Answer { summary: summary(), ..Answer::rows(&["name"], [vec![v(name)]]) };
    control.answer_any("UNWIND labels(n)", texts("Person"));
    control.answer_any("DISTINCT type(n)", texts("KNOWS"));
    control.answer_any("MATCH (n:Person)", Answer { summary: summary(), ..Answer::rows(&["i", "n"], []) });
    control.answer_any("[n:KNOWS]", Answer { summary: summary(), ..Answer::rows(&["i", "n", "f", "t"], []) });
    control.answer(
        "SHOW INDEX INFO",
        Answer::rows(
            &["index type", "label", "property", "count"],
            [vec![v("label"), v("Person"), value::Value::Null, v(3)]],
        ),
    );
    let result = call(&stand, "get_schema", &json!({"database": "memgraph"})).await;
    let expected = json!({
        "database": "memgraph",
        "nodeLabels": [{"label": "Person", "properties": []}],
        "relationshipTypes": [{"type": "KNOWS", "from": [], "to": [], "properties": []}],
        "indexes": [{"type": "label", "labelsOrTypes": ["Person"]}],
        "truncated": false,
    });
    assert_eq!(result["structuredContent"], expected, "{result}");
    stand.lent(0).await;
    assert_eq!(stand.fake.control.count("COMMIT"), 0);
    tokio::time::timeout(Duration::from_secs(60), stand.is_content()).await.expect("nothing stays open");
}
