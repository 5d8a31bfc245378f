//! The console in front of the stand-in for Memgraph, in a browser.
//!
//! `BOLTGATE_TEST_CONSOLE` names the folder of the console, in which `npm ci` has been done; without it the test says that it
//! is skipped. `console/ci` runs it. What the page has to do stands in `console/tests/memgraph.test.mjs`.

use std::{
    env,
    process::{Command, ExitStatus},
};

use crate::support::{
    bolt::{
        control::{Answer, Control, When},
        fake_memgraph::FakeMemgraph,
        value::{Value, list, map, strings, structure, v},
    },
    gateway,
};

const CLIENT: &str = "Memgraph.ClientError.MemgraphError.MemgraphError";

fn column<const N: usize>(name: &str, values: [&str; N]) -> Answer {
    Answer::rows(&[name], values.map(|value| vec![v(value)]))
}

fn node(id: i64, label: &str, name: &str) -> Value {
    structure(b'N', [v(id), strings(&[label]), map([("name", v(name))]), v(id.to_string())])
}

/// What the console asks for, with the answers of a Memgraph in which Ada lives in London.
fn know_the_statements(control: &Control) {
    let lives_in = structure(b'R', [v(7), v(1), v(2), v("LIVES_IN"), map([]), v("7"), v("1"), v("2")]);
    let neighbour = vec![node(2, "City", "London"), list([lives_in])];
    let nothing = || Answer::rows(&["m", "r"], []);
    for (part, answer) in [
        ("UNWIND labels(n)", column("label", ["Person", "City"])),
        ("RETURN DISTINCT type(r)", column("type(r)", ["LIVES_IN", "KNOWS"])),
        ("UNWIND keys(n)", column("key", ["since", "name"])),
        ("CALL mg.functions()", column("name", ["username", "assert"])),
        ("CALL mg.procedures()", column("name", ["mg.procedures"])),
        ("WHERE id(n) = $id AND NOT id(m) IN $shown", Answer::rows(&["m", "r"], [neighbour])),
        ("WHERE id(n) = $id AND id(m) IN $shown", nothing()),
    ] {
        control.answer_any(part, answer);
    }
    control.answer("SHOW DATABASES", column("Name", ["memgraph", "other"]));
    control.answer("SHOW NODE_LABELS INFO", column("Node Labels", ["Person", "City"]));
    control.answer("SHOW EDGE_TYPES INFO", column("Edge Types", ["LIVES_IN", "KNOWS"]));
    control.answer("SHOW STORAGE INFO", column("storage info", ["name"]));
    control.answer("MATCH (n:Person) RETURN n", Answer::rows(&["n"], [vec![node(1, "Person", "Ada")]]));
}

async fn run_in_browser(console: String, open: String, with_users: String) -> ExitStatus {
    let running = tokio::task::spawn_blocking(move || {
        let mut command = Command::new("node");
        command.args(["--test", "--test-reporter=tap", "tests/memgraph.test.mjs"]).current_dir(console);
        command.env("BOLTGATE_TEST_CONSOLE_MEMGRAPH", open);
        command.env("BOLTGATE_TEST_CONSOLE_MEMGRAPH_WITH_USERS", with_users).status()
    });
    running.await.unwrap().expect("Node.js can be run")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn works_in_front_of_memgraph() {
    let Ok(console) = env::var("BOLTGATE_TEST_CONSOLE") else {
        println!("skipped: BOLTGATE_TEST_CONSOLE names no folder of the console");
        return;
    };
    let closed = FakeMemgraph::start().await;
    closed.control.set_password("ada", "secret");
    let closed_gateway = gateway::start_for(&closed.uri()).await;
    for lists_names in [true, false] {
        let fake = FakeMemgraph::start().await;
        know_the_statements(&fake.control);
        if !lists_names {
            let off = "--storage-enable-schema-metadata is off";
            fake.control.fail_statements("_LABELS INFO", 1000, When::Run, CLIENT, off);
            fake.control.fail_statements("_TYPES INFO", 1000, When::Run, CLIENT, off);
        }
        let gateway = gateway::start_for(&fake.uri()).await;
        let status = run_in_browser(console.clone(), gateway.base_url(), closed_gateway.base_url()).await;
        assert!(status.success(), "what failed stands above");
        fake.control.wait_for("no transaction is open", |counts| counts.transactions == 0).await;
        assert_eq!([fake.violations(), closed.violations()], [[""; 0]; 2]);
        assert_eq!(fake.control.statements("elementId("), 0, "Memgraph does not know it");
        let samples = fake.control.statements("UNWIND labels(n)");
        assert_eq!(samples > 0, !lists_names, "data are looked at where names are not listed");
    }
}
