//! Named queries as tools.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{call, called, code, failed, request, send, start};
use crate::support::{
    gateway::Gateway,
    query::{body, count},
};

const NUMBERS: &str = "\
//: summary = \"Numbers up to a limit\"
//: description = \"All of them are whole.\"
//: mcp = true
//: [parameters.limit]
//: type = \"integer\"
//: minimum = 0
//: maximum = 5000
//: [parameters.day]
//: type = \"date\"
//: nullable = true
UNWIND range(1, $limit) AS n RETURN n, $day AS day
";
const ADD: &str = "\
//: access = \"write\"
//: deprecated = true
//: mcp = true
//: [parameters.name]
//: type = \"string\"
//: max_length = 10
UNWIND range(1, 9) AS n CREATE (a:Added {name: $name, n: n}) RETURN a.n AS n
";
const HIDDEN: &str = "RETURN 1 AS x";
const FOR_ALICE: &str = "//: mcp = true\n//: allow = [\"user:alice\"]\nRETURN 1 AS x";

/// A gateway with named queries, and their folder.
async fn start_with(files: &[(&str, &str)], settings: &[(&'static str, &str)]) -> (Gateway, TempDir) {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    for (name, text) in files {
        fs::write(folder.path().join(format!("{name}.cypher")), text).expect("there is room for a file");
    }
    let directory = folder.path().to_str().expect("it is UTF-8");
    let gateway = start(&[&[("named.directory", directory), ("named.check", "off")], settings].concat()).await;
    (gateway, folder)
}

async fn listed(gateway: &Gateway) -> Vec<Value> {
    let listed = body(&send(gateway, &request("tools/list", json!({})), &[]).await);
    listed["result"]["tools"].as_array().unwrap_or_else(|| panic!("{listed}")).clone()
}

/// The message of a call whose arguments break the schema, or that names no tool.
async fn refused(gateway: &Gateway, tool: &str, arguments: Value) -> String {
    let answer = send(gateway, &request("tools/call", json!({"name": tool, "arguments": arguments})), &[]).await;
    assert_eq!((answer.status, code(&answer)), (200, -32602), "{tool} {arguments}: {answer}");
    body(&answer)["error"]["message"].as_str().expect("it has a message").to_owned()
}

#[tokio::test]
async fn those_that_the_files_offer_follow_the_gateways_own() {
    let files = [("numbers", NUMBERS), ("add-names", ADD), ("hidden", HIDDEN), ("for-alice", FOR_ALICE)];
    let (gateway, _folder) = start_with(&files, &[]).await;
    let tools = listed(&gateway).await;
    let names: Vec<_> = tools.iter().map(|tool| tool["name"].as_str().unwrap_or_default()).collect();
    assert_eq!(names, ["get_schema", "read_cypher", "add_names", "numbers"]);
    let (add, numbers) = (&tools[2], &tools[3]);
    let schema = json!({
        "type": "object", "additionalProperties": false, "required": ["limit"],
        "properties": {
            "limit": {"type": "integer", "format": "int64", "minimum": 0, "maximum": 5000},
            "day": {"type": ["string", "null"], "format": "date"},
        },
    });
    assert_eq!(numbers["inputSchema"], schema);
    assert_eq!(numbers["title"], "Numbers up to a limit");
    assert_eq!(numbers["description"], "Numbers up to a limit\n\nAll of them are whole.");
    assert!(add["description"].as_str().is_some_and(|text| text.starts_with("add-names\n\nDeprecated")), "{add}");
    for (tool, reads) in [(numbers, true), (add, false)] {
        let hints =
            json!({"title": tool["title"], "readOnlyHint": reads, "destructiveHint": !reads, "openWorldHint": false});
        assert_eq!(tool["annotations"], hints);
        let output = &tool["outputSchema"];
        assert_eq!(output["required"], json!(["columns", "rows", "rowCount", "truncated"]));
        assert_eq!(output["properties"].as_object().map(serde_json::Map::len), Some(4), "{output}");
    }
}

#[tokio::test]
async fn a_call_returns_rows_whatever_agents_may_not_do_otherwise() {
    let deny = ("mcp.deny", r#"["range"]"#);
    let (gateway, _folder) = start_with(&[("numbers", NUMBERS), ("add", ADD)], &[("cypher.allow", ""), deny]).await;
    failed(&gateway, "read_cypher", json!({"query": "RETURN 1"})).await;
    let read = called(&gateway, "numbers", json!({"limit": 2, "day": "2026-11-30"})).await;
    let rows = json!([{"n": 1, "day": "2026-11-30"}, {"n": 2, "day": "2026-11-30"}]);
    assert_eq!(read, json!({"columns": ["n", "day"], "rows": rows, "rowCount": 2, "truncated": false}));
    let result = call(&gateway, "numbers", json!({"limit": 0})).await;
    let text = result["content"][0]["text"].as_str().unwrap_or_default();
    assert_eq!(text, r#"{"columns":["n","day"],"rows":[],"rowCount":0,"truncated":false}"#);
    let written = called(&gateway, "add", json!({"name": "a"})).await;
    assert_eq!((&written["rowCount"], &written["truncated"]), (&json!(9), &json!(false)), "{written}");
}

#[tokio::test]
async fn arguments_that_break_the_schema_are_told_all_at_once() {
    let files = [("numbers", NUMBERS), ("add", ADD), ("hidden", HIDDEN), ("for-alice", FOR_ALICE)];
    let (gateway, _folder) = start_with(&files, &[]).await;
    let message = refused(&gateway, "numbers", json!({"limit": 5001, "day": "never", "other": 1})).await;
    let parts = ["`limit` is out of bounds", "`day` takes", "no parameter `other`"];
    let places: Vec<_> =
        parts.iter().map(|part| message.find(part).unwrap_or_else(|| panic!("{part}: {message}"))).collect();
    assert!(places.is_sorted(), "{message}");
    for arguments in
        [json!({}), json!({"limit": "1"}), json!({"limit": null}), json!({"limit": 1, "database": "neo4j"})]
    {
        refused(&gateway, "numbers", arguments).await;
    }
    refused(&gateway, "add", json!({"name": "more than ten"})).await;
    assert_eq!(count(&gateway, "Added").await, 0);
    // Neither the name with a hyphen is a tool, nor what is for others, nor what is for no agent.
    for unknown in ["for-alice", "for_alice", "hidden", "nothing"] {
        assert_eq!(refused(&gateway, unknown, json!({"x": 1})).await, format!("There is no tool {unknown}."));
    }
}

#[tokio::test]
async fn results_keep_to_the_limits_of_agents_and_of_the_file() {
    let three = NUMBERS.replace("//: mcp", "//: max_rows = 3\n//: mcp");
    let one = NUMBERS.replace("//: mcp", "//: result = \"record\"\n//: mcp");
    let files = [("numbers", NUMBERS), ("three", &three), ("one", &one), ("add", ADD)];
    let (gateway, _folder) = start_with(&files, &[("mcp.max_rows", "5")]).await;
    for (tool, limit, count, truncated) in [
        ("numbers", 5, 5, false),
        ("numbers", 6, 5, true),
        ("numbers", 5000, 5, true),
        ("three", 3, 3, false),
        ("one", 1, 1, false),
        ("one", 0, 0, false),
    ] {
        let result = call(&gateway, tool, json!({"limit": limit})).await;
        let shown = &result["structuredContent"];
        assert_eq!((&shown["rowCount"], &shown["truncated"]), (&json!(count), &json!(truncated)), "{tool}: {result}");
        let text = result["content"][0]["text"].as_str().unwrap_or_default();
        assert_eq!(text.contains("cut off after 5 rows. Change the arguments"), truncated, "{text}");
    }
    for (tool, code) in [
        ("three", "Boltgate.ClientError.Limit.ResultRows: "),
        ("one", "Boltgate.DatabaseError.Named.SeveralRecords: The query one has several records"),
    ] {
        let text = failed(&gateway, tool, json!({"limit": 4})).await;
        assert!(text.starts_with(code), "{text}");
    }
    let written = called(&gateway, "add", json!({"name": "a"})).await;
    assert_eq!((&written["rowCount"], &written["truncated"]), (&json!(5), &json!(true)), "{written}");
    assert_eq!(count(&gateway, "Added").await, 9, "all of it was carried out");
    gateway.reload(&[("mcp.enabled", "true")]);
    assert_eq!(listed(&gateway).await.len(), 2, "without the folder there are none");
}

#[tokio::test]
async fn what_reads_writes_nothing_and_what_writes_only_once_its_limits_are_kept() {
    let sly = "//: mcp = true\nCREATE (:Sly) RETURN 1 AS x";
    let many = ADD.replace("//: mcp", "//: max_rows = 3\n//: mcp");
    let (gateway, _folder) = start_with(&[("sly", sly), ("many", &many)], &[]).await;
    failed(&gateway, "sly", json!({})).await;
    assert_eq!(count(&gateway, "Sly").await, 0);
    let text = failed(&gateway, "many", json!({"name": "a"})).await;
    assert!(text.starts_with("Boltgate.ClientError.Limit.ResultRows: "), "{text}");
    assert_eq!(count(&gateway, "Added").await, 0, "it was rolled back");
}

#[tokio::test]
async fn a_query_runs_on_a_database_of_its_file() {
    let of = |databases: &str| format!("//: mcp = true\n//: databases = {databases}\nRETURN 1 AS x");
    let (several, one, none) = (of(r#"["elsewhere", "neo4j"]"#), of(r#"["elsewhere"]"#), of("[]"));
    let own = of(r#"["neo4j", "elsewhere"]"#)
        .replace("RETURN", "//: [parameters.database]\n//: type = \"integer\"\nRETURN $database,");
    let files = [("several", several.as_str()), ("one", &one), ("none", &none), ("own", &own)];
    let (gateway, _folder) = start_with(&files, &[]).await;
    let tools = listed(&gateway).await;
    let names: Vec<_> = tools.iter().skip(2).map(|tool| tool["name"].as_str().unwrap_or_default()).collect();
    assert_eq!(names, ["one", "own", "several"]);
    let choice = json!({
        "type": "string", "enum": ["elsewhere", "neo4j"], "default": "elsewhere", "description": "The database.",
    });
    assert_eq!(tools[4]["inputSchema"]["properties"], json!({"database": choice}));
    assert_eq!(tools[2]["inputSchema"]["properties"], json!({}));
    for (tool, arguments) in [("several", json!({})), ("several", json!({"database": "elsewhere"})), ("one", json!({}))]
    {
        let text = failed(&gateway, tool, arguments).await;
        assert!(text.starts_with("Neo.ClientError.Database.DatabaseNotFound: "), "{tool}: {text}");
    }
    assert_eq!(called(&gateway, "several", json!({"database": "neo4j"})).await["rows"], json!([{"x": 1}]));
    assert_eq!(called(&gateway, "own", json!({"database": 7})).await["rows"][0]["x"], 1);
    for arguments in [json!({"database": "system"}), json!({"database": ""}), json!({"database": 1})] {
        let message = refused(&gateway, "several", arguments).await;
        assert_eq!(message, "`database` has to be one of elsewhere, neo4j.");
    }
    assert!(refused(&gateway, "one", json!({"database": "neo4j"})).await.contains("no parameter `database`"));
}
