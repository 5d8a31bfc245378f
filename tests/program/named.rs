//! Named queries of the program: what is wrong with their files, the exit status, and SIGHUP.
#![cfg(all(feature = "embedded", unix))]

use std::{fs, path::Path};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    http::request,
    process::{Process, boltgate, texts, wait},
    query::body,
};

/// The exit status of a configuration that cannot be used.
const EX_CONFIG: Option<i32> = Some(78);
const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config/named");

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("there is room for a file");
    }
    folder
}

#[test]
fn all_that_is_wrong_is_told_with_its_place_before_anything_starts() {
    let folder = folder(&[
        ("bad.cypher", "//: sumary = \"x\"\nRETURN 1"),
        ("two.cypher", "RETURN $a,\n$b"),
        ("Name.cypher", "RETURN 1"),
        ("notes.txt", "x"),
        ("a-b.cypher", "RETURN 1"),
        ("a_b.cypher", "RETURN 1"),
        ("read-cypher.cypher", "//: mcp = true\nRETURN 1"),
        ("write-cypher.cypher", "RETURN 1"),
        (".hidden", "x"),
        ("good.cypher", "RETURN 1"),
    ]);
    for arguments in [&["check-config"][..], &["serve", "--embedded", "--listen", "127.0.0.1:0"]] {
        let output = boltgate(arguments).env("BOLTGATE_NAMED__DIRECTORY", folder.path()).output().expect("it starts");
        let (printed, said) = texts(&output);
        assert_eq!((output.status.code(), printed.as_str()), (EX_CONFIG, ""), "{said}");
        assert!(said.starts_with("boltgate: the settings have 7 mistakes:"), "{said}");
        for part in [
            "bad.cypher:1: the header is not valid: unknown field `sumary`",
            "two.cypher:1: the statement names $a; describe it in [parameters.a]",
            "two.cypher:2: the statement names $b; describe it in [parameters.b]",
            "Name.cypher:1: is not the file of a query",
            "notes.txt:1: is not the file of a query",
            "a_b.cypher:1: differs from a-b.cypher only in - and _",
            "read-cypher.cypher:1: `mcp` is set, but read_cypher is the name of a tool that the gateway has itself",
        ] {
            assert!(said.contains(part), "{part}\n{said}");
        }
    }
    let missing = boltgate(&["check-config"]).env("BOLTGATE_NAMED__DIRECTORY", "/nowhere").output().expect("it starts");
    assert!(missing.status.code() == EX_CONFIG && texts(&missing).1.contains("named.directory"), "{missing:?}");
}

#[test]
fn a_query_that_the_database_does_not_accept_keeps_the_gateway_from_starting_if_it_is_to() {
    let folder = folder(&[("typo.cypher", "MATCH (n) RETRUN n")]);
    let mut command = boltgate(&["serve", "--embedded", "--listen", "127.0.0.1:0"]);
    command.env("BOLTGATE_NAMED__DIRECTORY", folder.path()).env("BOLTGATE_NAMED__CHECK", "fail");
    let output = command.output().expect("it starts");
    let (_, said) = texts(&output);
    assert_eq!(output.status.code(), EX_CONFIG, "{said}");
    assert!(said.contains("the database does not accept named queries") && said.contains("typo.cypher"), "{said}");
}

async fn get(process: &Process, path: &str) -> (u16, Value) {
    let answer = request(&process.address(), "GET", path, &[], b"").await;
    (answer.status, body(&answer))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hang_up_takes_all_files_or_none() {
    let folder = folder(&[("one.cypher", "RETURN 1 AS x")]);
    let directory = folder.path().to_str().expect("it is UTF-8");
    let process = Process::embedded_with(&[("BOLTGATE_NAMED__DIRECTORY", directory)], &[]);
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("there is room for a file");
    let reload = |expected: &str| {
        let count = |process: &Process| process.log().iter().filter(|line| line.contains(expected)).count();
        let before = count(&process);
        process.signal("HUP");
        wait(expected, || (count(&process) > before).then_some(()));
    };
    assert_eq!(get(&process, "/db/neo4j/named/one").await, (200, json!([{ "x": 1 }])));
    write("one.cypher", "RETURN 2 AS x");
    write("two.cypher", "RETURN $x AS x");
    reload("two.cypher:1: the statement names $x");
    assert_eq!(get(&process, "/db/neo4j/named/one").await, (200, json!([{ "x": 1 }])));
    assert_eq!(get(&process, "/db/neo4j/named/two").await.0, 404);
    write("two.cypher", "RETURN 3 AS x");
    reload("named queries reloaded");
    assert_eq!(get(&process, "/db/neo4j/named/one").await, (200, json!([{ "x": 2 }])));
    assert_eq!(get(&process, "/db/neo4j/named/two").await, (200, json!([{ "x": 3 }])));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queries_that_come_along_work_on_the_sample_graph() {
    assert!(Path::new(SAMPLES).is_dir());
    let process = Process::embedded_with(&[("BOLTGATE_NAMED__DIRECTORY", SAMPLES)], &["--sample"]);
    for (call, expected) in [
        ("films-of?actor=Peter+Lorre&limit=1", json!([{ "title": "Casablanca", "year": 1942, "roles": ["Ugarte"] }])),
        ("actors?text=LORRE", json!([{ "name": "Peter Lorre", "films": 3 }])),
        ("people-born?from=1924&to=1980", json!(3)),
    ] {
        let (status, answer) = get(&process, &format!("/db/neo4j/named/{call}")).await;
        assert_eq!((status, &answer), (200, &expected), "{call}");
    }
    let (status, film) = get(&process, "/db/neo4j/named/film?title=M").await;
    assert_eq!((status, &film["directors"]), (200, &json!(["Fritz Lang"])), "{film}");
    let json = [("Content-Type", "application/json")];
    let rating = br#"{"title":"M","stars":5}"#;
    let rated = request(&process.address(), "POST", "/db/neo4j/named/rate-film", &json, rating).await;
    assert_eq!(body(&rated), json!({ "title": "M", "stars": 5 }));
}

#[test]
fn the_description_has_a_path_for_each_query() {
    let folder = folder(&[("b.toml", &format!("[named]\ndirectory = '{SAMPLES}'"))]);
    let file = folder.path().join("b.toml");
    let output = boltgate(&["openapi", "--config"]).arg(file).output().expect("it starts");
    let description: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let films = &description["paths"]["/db/{db}/named/films-of"];
    assert_eq!(films["get"]["operationId"], "named_films_of");
    let actor = json!({ "name": "actor", "in": "query", "required": true, "schema": {
        "type": "string", "description": "The actor's whole name", "examples": ["Peter Lorre"], "minLength": 1, "maxLength": 100,
    } });
    assert_eq!(films["get"]["parameters"][0], actor);
    assert_eq!(films["get"]["responses"]["200"]["content"]["application/json"]["schema"]["type"], "array");
    assert!(description["paths"]["/db/{db}/named/rate-film"].get("get").is_none());
    let plain = boltgate(&["openapi"]).output().expect("it starts");
    assert!(!String::from_utf8_lossy(&plain.stdout).contains("named_films_of"));
}
