//! Memgraph's own Python tools over HTTP, with a gateway and the stand-in for Memgraph behind it.
//!
//! `BOLTGATE_TEST_MEMGRAPH_TOOLS` names a Python that has them; without it the test says that it is skipped.
//! `tests/clients/run-memgraph-tools` makes one and runs this.

use std::{
    env,
    process::{Command, ExitStatus},
};

use crate::support::{
    bolt::{
        control::{Answer, Control, When},
        fake_memgraph::FakeMemgraph,
        value::{list, map, strings, structure, v},
    },
    gateway,
};

const CLIENT: &str = "Memgraph.ClientError.MemgraphError.MemgraphError";

const SCHEMA: &str = r#"{
    "nodes": [{"labels": ["Person"], "properties": [{"key": "name", "count": 2, "types": [{"type": "String"}]}]}],
    "edges": [{"type": "KNOWS", "start_node_labels": ["Person"], "end_node_labels": ["Person"],
               "properties": [{"key": "since", "count": 1, "types": [{"type": "Integer"}]}]}],
    "node_indexes": [{"labels": ["Person"], "properties": ["name"]}],
    "edge_indexes": [],
    "node_constraints": [],
    "enums": [{"name": "Status", "values": ["Good", "Bad"]}]
}"#;

/// What the tools ask for, with the answers of a Memgraph that has two people in it.
fn know_the_statements(control: &Control) {
    let done = || Answer::rows(&["result"], [vec![v("done")]]);
    let nothing = Answer::default;
    let person = structure(b'N', [v(1), strings(&["Person"]), map([("name", v("Ada"))]), v("1")]);
    let index = [v("label+property"), v("Person"), strings(&["name"]), v(2)];
    let vector = [v("label+property_vector"), v("Person"), strings(&["embedding"]), v(2)];
    let indexes = [index.to_vec(), vector.to_vec()];
    let property = map([("key", v("name")), ("types", strings(&["String"]))]);
    let node_type = map([("labels", v(":`Person`")), ("properties", list([property]))]);
    let ends = strings(&["Person"]);
    let since = list([list([v("since"), v("INTEGER")])]);
    let relationship = vec![ends.clone(), v("KNOWS"), ends, since];
    for (part, answer) in [
        ("SHOW SCHEMA INFO", Answer::rows(&["schema"], [vec![v(SCHEMA)]])),
        ("SHOW INDEX INFO", Answer::rows(&["index type", "label", "property", "count"], indexes)),
        ("INDEX ON :", nothing()),
        ("CREATE CONSTRAINT ON", nothing()),
        ("CALL mg.procedures()", procedures()),
        ("MERGE (n:BoltgateTool", Answer::rows(&["id"], [vec![v(1)]])),
        ("MATCH (n:BoltgateTool) DELETE n", nothing()),
        ("MATCH (n) RETURN n LIMIT 1", Answer::rows(&["n"], [vec![person]])),
        ("schema.node_type_properties()", Answer::rows(&["output"], [vec![node_type]])),
        (
            "keys(e) AS properties",
            Answer::rows(&["start_node_labels", "rel_type", "end_node_labels", "properties_info"], [relationship]),
        ),
        ("CALL merge.node(", done()),
        ("CALL merge.relationship(", done()),
        ("MERGE (source", done()),
        ("MERGE (d:Document", done()),
        ("MERGE (d)-[:MENTIONS]->", done()),
    ] {
        control.answer_any(part, answer);
    }
}

fn procedures() -> Answer {
    let row = [v("mg.procedures"), v("mg.procedures() :: (name :: STRING)"), v(false)];
    Answer::rows(&["name", "signature", "is_write"], [row.to_vec()])
}

async fn run(python: String, url: String, schema_info: &'static str) -> ExitStatus {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/memgraph_tools.py");
    let running = tokio::task::spawn_blocking(move || {
        let mut command = Command::new(python);
        command.args(["-B", script]).env("MEMGRAPH_URL", url).env("BOLTGATE_SCHEMA_INFO", schema_info);
        command.env("BOLTGATE_STAND_IN", "1").status()
    });
    running.await.unwrap().expect("Python can be run")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_every_statement_of_memgraphs_tools() {
    let Ok(python) = env::var("BOLTGATE_TEST_MEMGRAPH_TOOLS") else {
        println!("skipped: BOLTGATE_TEST_MEMGRAPH_TOOLS names no Python with Memgraph's tools");
        return;
    };
    for schema_info in ["on", "off"] {
        let fake = FakeMemgraph::start().await;
        know_the_statements(&fake.control);
        // Another client has created the same node in the meantime.
        let taken = "Unable to commit due to unique constraint violation on :BoltgateTool(id)";
        fake.control.fail_statements("MERGE (n:BoltgateTool", 1, When::Commit, CLIENT, taken);
        if schema_info == "off" {
            fake.control.fail_statements("SHOW SCHEMA INFO", 1000, When::Run, CLIENT, "SchemaInfo disabled.");
        }
        let gateway = gateway::start_for(&fake.uri()).await;
        let status = run(python.clone(), gateway.base_url(), schema_info).await;
        assert!(status.success(), "what failed stands above");
        assert_eq!(fake.violations(), [""; 0]);
        assert!(fake.control.statements("SHOW SCHEMA INFO") > 1, "first in a transaction, then without");
        assert_eq!(fake.control.statements("MERGE (n:BoltgateTool"), 2, "tried again");
    }
}
