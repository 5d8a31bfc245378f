//! The rows that it writes, in each format.

use super::{
    ended, query, rows,
    stand_in::{answer, whole},
};
use crate::support::process::{Process, boltgate};

const STATEMENT: &str = "UNWIND range(1, 3) AS n RETURN n, 'a,' + toString(n) AS t, {k: [n]} AS m";

#[test]
fn writes_rows_in_every_format_of_the_gateway() {
    let gateway = Process::embedded(&[]);
    let of = |format: &str| rows(&gateway, &[STATEMENT, "--format", format]);
    assert_eq!(
        of("csv"),
        "n,t,m\r\n1,\"a,1\",\"{\"\"k\"\":[1]}\"\r\n2,\"a,2\",\"{\"\"k\"\":[2]}\"\r\n3,\"a,3\",\"{\"\"k\"\":[3]}\"\r\n"
    );
    assert_eq!(of("auto"), of("csv"), "a pipe is no terminal");
    assert_eq!(of("ndjson").lines().nth(2), Some(r#"{"n":3,"t":"a,3","m":{"k":[3]}}"#));
    assert!(of("json").starts_with(r#"{"data":{"fields":["n","t","m"],"values":[[1,"a,1",{"k":[1]}],"#));
    assert_eq!(of("jsonl").lines().nth(1), Some(r#"{"$event":"Record","_body":[1,"a,1",{"k":[1]}]}"#));
    assert!(of("typed").contains(r#"{"$type":"Integer","_value":"3"}"#));
    let table = "\
n | t   | m
--+-----+----------
1 | a,1 | {\"k\":[1]}
2 | a,2 | {\"k\":[2]}
3 | a,3 | {\"k\":[3]}
";
    assert_eq!(of("table"), table);
}

#[test]
fn passes_every_format_on_byte_for_byte() {
    // No format allows all of these bytes: none of them may be looked at.
    let body: Vec<u8> = (0..=255).chain(*b"\r\n\0\"\xff").collect();
    for (format, media) in [
        ("csv", "text/csv"),
        ("json", "application/json"),
        ("jsonl", "application/jsonl"),
        ("ndjson", "application/x-ndjson"),
        ("typed", "application/vnd.neo4j.query.v1.2"),
        ("arrow", "application/vnd.apache.arrow.stream"),
        ("graph", "application/vnd.boltgate.graph+json"),
    ] {
        let (address, served) = answer(&[&whole("200 OK", &format!("{media}; a=b"), &body)]);
        let output = query(&address, &["RETURN 1", "--format", format]).output().expect("the program starts");
        assert_eq!((output.status.code(), output.stdout), (Some(0), body.clone()), "{format}");
        assert_eq!(served.join().expect("is asked")[0].field("accept"), Some(media));
    }
}

#[test]
fn writes_rows_to_standard_output_and_the_summary_to_standard_error() {
    let gateway = Process::embedded(&[]);
    let (_, rows, said) = ended(&mut query(&gateway.address(), &[STATEMENT]));
    assert_eq!(rows.lines().count(), 4);
    assert!(said.starts_with("3 rows in ") && said.lines().count() == 1, "{said}");
    let (_, _, said) = ended(&mut query(&gateway.address(), &["CREATE (:A {b: 1}), (:A)", "--format", "table"]));
    assert!(said.contains(", nodes created 2") && said.contains(", properties set 1"), "{said}");
    let (status, rows, said) = ended(&mut query(&gateway.address(), &[STATEMENT, "--quiet"]));
    assert_eq!((status, rows.lines().count(), said.as_str()), (Some(0), 4, ""));
}

#[test]
fn makes_values_harmless_in_a_table() {
    let gateway = Process::embedded(&[]);
    let table = rows(&gateway, &["RETURN $t AS `a\nb`", "--param", "t=\u{1b}[2J\u{7}x\ny", "--format", "table"]);
    assert_eq!(table, "a\\nb\n-------------------\n\\u001b[2J\\u0007x\\ny\n");
}

#[test]
fn asks_an_embedded_database_without_a_gateway() {
    let folder = tempfile::tempdir().expect("there is room for a file");
    let file = folder.path().join("graph.db");
    let file = file.to_str().expect("is text");
    let run = |statement: &str| ended(&mut boltgate(&["query", statement, "--embedded", file]));
    assert_eq!(run("CREATE (:Kept {n: 5})").0, Some(0));
    let (status, rows, said) = run("MATCH (k:Kept) RETURN k.n AS n");
    assert_eq!((status, rows.as_str()), (Some(0), "n\r\n5\r\n"), "{said}");
    let (status, rows, _) = ended(&mut boltgate(&["query", "MATCH (n) RETURN count(n) AS c", "--embedded"]));
    assert_eq!((status, rows.as_str()), (Some(0), "c\r\n0\r\n"), "a database of its own");
}
