//! docs/client-guide.md, request by request: what stands there is typed into a shell, and the answers are those that
//! stand there.
//!
//! Each section runs on the databases that it names. Those that a tester has to start are left out without them; no
//! section names only such, but for what nothing else can do. Needs `curl`.
#![cfg(feature = "embedded")]

mod document;
mod memgraph;
mod pattern;
mod play;
mod shell;
mod tls;

use std::process::Command;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use document::{ARCADEDB, EMBEDDED, MEMGRAPH, NEO4J, NEO4J_WITH_USERS, Section};
use play::{Gateway, Stand, play};
use toml::Table;

use crate::support::{
    gateway::start_for,
    servers::{skip, variable},
};

/// Cleans up behind all others.
const TIDY_UP: &str = "What this page has made";

/// The sections that run on this database; none without curl.
fn sections(database: &str) -> Vec<Section> {
    if Command::new("curl").arg("--version").output().is_err() {
        skip("curl");
        return Vec::new();
    }
    document::sections().into_iter().filter(|section| section.runs_on.contains(&database)).collect()
}

/// Runs all sections of a database at `uri`, or of an embedded one.
fn play_all(database: &str, uri: Option<&str>, user: Option<&str>) {
    let sections = sections(database);
    let serve = |own: Option<&Table>| {
        let mut settings = document::settings();
        settings.extend(own.cloned().unwrap_or_default());
        Gateway::serve(settings, uri)
    };
    let common = serve(None);
    let play_one = |section: &Section| {
        let own = section.settings.as_ref().map(|settings| serve(Some(settings)));
        let stand = Stand { database, gateway: own.as_ref().unwrap_or(&common), user, variables: &[] };
        play(section, &stand, |_| ())
    };
    // What an earlier run has left behind.
    let left = sections.iter().filter(|section| section.title == TIDY_UP).map(play_one);
    let problems: Vec<_> = left.collect::<Vec<_>>().into_iter().chain(sections.iter().map(play_one)).collect();
    report(problems);
}

fn report(outcomes: Vec<Result<(), String>>) {
    let run = outcomes.len();
    let problems: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
    assert!(problems.is_empty(), "{} of {run} sections:\n{}", problems.len(), problems.join("\n\n"));
}

#[test]
fn neo4j() {
    if let Some(uri) = variable("BOLTGATE_TEST_NEO4J_BOLT") {
        play_all(NEO4J, Some(&uri), None);
    }
}

#[test]
fn arcadedb() {
    if let Some(uri) = variable("BOLTGATE_TEST_ARCADEDB_BOLT") {
        play_all(ARCADEDB, Some(&uri), Some("root:playwithdata"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn neo4j_with_users() {
    let Some(uri) = variable("BOLTGATE_TEST_NEO4J_AUTH_BOLT") else { return };
    let administrator = start_for(&uri).await;
    let credentials = format!("Basic {}", STANDARD.encode("neo4j:password1"));
    let run = async |statement: &str| {
        let body = serde_json::json!({ "statement": statement }).to_string();
        let headers = [("Content-Type", "application/json"), ("Authorization", credentials.as_str())];
        let answer = administrator.send("POST", "/db/system/query/v2", &headers, &body).await;
        assert_eq!(answer.status, 202, "{answer}");
    };
    run("CREATE OR REPLACE USER memgraphUser SET PASSWORD 'memgraphPassword' CHANGE NOT REQUIRED").await;
    play_all(NEO4J_WITH_USERS, Some(&uri), None);
    run("DROP USER memgraphUser").await;
}

mod without_servers {
    use super::*;

    /// What only a server can do that has to be started by hand.
    #[test]
    fn runs_every_request() {
        let only_there: Vec<_> = document::sections()
            .into_iter()
            .filter(|section| !section.runs_on.iter().any(|name| [MEMGRAPH, EMBEDDED].contains(name)))
            .map(|section| section.title)
            .collect();
        assert_eq!(
            only_there,
            ["Notifications", "Index, Neo4j", "Batches of its own", "Many writers on ArcadeDB", "A time limit"]
        );
    }

    #[test]
    fn embedded() {
        play_all(EMBEDDED, None, None);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn memgraph() {
        let mut outcomes = Vec::new();
        for section in sections(MEMGRAPH) {
            outcomes.push(memgraph::run(&section).await);
        }
        report(outcomes);
    }
}
