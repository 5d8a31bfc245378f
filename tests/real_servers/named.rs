//! Named queries on real servers: every type arrives as what it is, and the database explains each query at the start.

use std::fs;

use serde_json::json;

use crate::support::{
    gateway::{Gateway, start_for_with},
    query::{body, refused},
    servers::Server,
};

const TYPES: [(&str, &str); 13] = [
    ("boolean", "true"),
    ("integer", "-9223372036854775808"),
    ("float", "1.5"),
    ("string", "a'b"),
    ("date", "2026-07-01"),
    ("time", "12:00:00+02:00"),
    ("localtime", "12:00:00.000000001"),
    ("datetime", "2026-07-01T12:00:00+02:00[Europe/Berlin]"),
    ("localdatetime", "2026-07-01T12:00:00"),
    ("duration", "P1Y2M3DT4H5M6.7S"),
    ("point", "SRID=7203;POINT (1.0 2.0)"),
    ("list<date>", "2026-07-01"),
    ("list<integer>", "1"),
];

async fn start(
    uri: &str,
    files: &[(String, String)],
    settings: &[(&'static str, &str)],
) -> (tempfile::TempDir, Gateway) {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    for (name, text) in files {
        fs::write(folder.path().join(format!("{name}.cypher")), text).expect("there is room for a file");
    }
    let directory = folder.path().to_str().expect("it is UTF-8").to_owned();
    let settings = [&[("named.directory", directory.as_str())], settings].concat();
    let gateway = start_for_with(uri, &settings).await;
    (folder, gateway)
}

/// A query for each type, which returns the database's own name of the value's type.
fn typed() -> Vec<(String, String)> {
    let each = TYPES.iter().enumerate().map(|(at, (kind, _))| {
        let text =
            format!("//: [parameters.x]\n//: type = \"{kind}\"\nRETURN valueType($x) AS type, toString(true) AS ok");
        (format!("t{at}"), text)
    });
    each.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_type_arrives_as_what_it_is() {
    let Some(server) = Server::neo4j() else { return };
    let (_folder, gateway) = start(&server.bolt, &typed(), &[("named.check", "fail")]).await;
    for (at, (kind, text)) in TYPES.iter().enumerate() {
        let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let by_query = gateway.send("GET", &format!("/db/neo4j/named/t{at}?x={encoded}"), &[], "").await;
        let expected = match *kind {
            "time" => "ZONED TIME NOT NULL".to_owned(),
            "localtime" => "LOCAL TIME NOT NULL".to_owned(),
            "datetime" => "ZONED DATETIME NOT NULL".to_owned(),
            "localdatetime" => "LOCAL DATETIME NOT NULL".to_owned(),
            "list<date>" => "LIST<DATE NOT NULL> NOT NULL".to_owned(),
            "list<integer>" => "LIST<INTEGER NOT NULL> NOT NULL".to_owned(),
            scalar => format!("{} NOT NULL", scalar.to_uppercase()),
        };
        assert_eq!(body(&by_query)[0]["type"], expected, "{kind}: {by_query}");
        let value = match *kind {
            "boolean" => json!(true),
            "integer" => json!(i64::MIN),
            "float" => json!(1.5),
            "list<date>" => json!([text]),
            "list<integer>" => json!([1]),
            _ => json!(text),
        };
        let by_json = gateway.post(&format!("/db/neo4j/named/t{at}"), &json!({ "x": value }).to_string()).await;
        assert_eq!(body(&by_json), body(&by_query), "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_ends_with_its_own_time() {
    let Some(server) = Server::neo4j() else { return };
    let slow = "//: timeout = \"1s\"\nUNWIND range(1, 100000) AS x UNWIND range(1, 100000) AS y RETURN sum(x * y) AS s";
    let (_folder, gateway) = start(&server.bolt, &[("slow".to_owned(), slow.to_owned())], &[]).await;
    let error = refused(&gateway.send("GET", "/db/neo4j/named/slow", &[], "").await);
    assert!(error.code.contains("TransactionTimedOut"), "{error:?}");
}
