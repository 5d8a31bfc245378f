//! docs/client-guide.md, request by request: what stands there is typed into a shell, and the answers are those that
//! stand there.
//!
//! Each section runs on the databases that it names. Those that a tester has to start are left out without them; every
//! section runs on the embedded database, and shows what it refuses, but for what no embedded database has to do with.
//! Needs `curl`.
#![cfg(feature = "embedded")]

mod document;
mod embedded;
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

/// What single sign-on has given to the reader.
const ACCESS: &str = "e30.e30.access";
const ID: &str = "e30.e30.id";
const TOKENS: [(&str, &str); 2] = [("ACCESS_TOKEN", ACCESS), ("ID_TOKEN", ID)];

/// The sections that do not run on the embedded database, and why.
const NOT_EMBEDDED: [(&str, &str); 2] = [
    ("A self-signed certificate", "no connection leads to the embedded database that could be encrypted"),
    ("A certificate that is verified", "no server shows a certificate"),
];

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
        let mut settings = if uri.is_some() { document::settings() } else { Table::new() };
        settings.extend(own.cloned().unwrap_or_default());
        Gateway::serve(settings, uri)
    };
    let common = serve(None);
    let play_one = |section: &Section| {
        let alone = section.settings.is_some() || (uri.is_none() && embedded::is_disturbed(section.title));
        let own = alone.then(|| serve(section.settings.as_ref()));
        let gateway = own.as_ref().unwrap_or(&common);
        let stand = Stand { database, gateway, user, variables: &TOKENS };
        if uri.is_none() {
            embedded::disturb(section.title, gateway);
        }
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

    #[test]
    fn runs_every_section_on_the_embedded_database() {
        let (embedded, others): (Vec<_>, Vec<_>) =
            document::sections().into_iter().partition(|section| section.runs_on.contains(&EMBEDDED));
        assert!(!embedded.is_empty());
        assert!(others.iter().all(|section| section.runs_on.contains(&MEMGRAPH)), "a section runs on no machine alone");
        let others: Vec<_> = others.iter().map(|section| section.title).collect();
        assert_eq!(others, NOT_EMBEDDED.map(|(title, _)| title));
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
