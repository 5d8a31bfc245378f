//! A million rows into a real database, through the program: all of them arrive, and its memory stays where it was.
#![cfg(target_os = "linux")]

use std::{
    fmt::Write as _,
    io::{Read, Write},
    net::TcpStream,
};

use serde_json::{Value, json};

use crate::support::{
    process::{Process, boltgate},
    servers::variable,
};

const ROWS: usize = 1_000_000;
/// What the process may need beyond what it needs without work: a transaction under way, one that is being read, and
/// what the sockets hold.
const ROOM_KIB: u64 = 32 * 1024;

#[test]
fn loads_a_million_rows_in_flat_memory() {
    let Some(uri) = variable("BOLTGATE_TEST_NEO4J_BOLT") else { return };
    let gateway = Process::serve(boltgate(&["serve", "--log-format=json", "--database-uri", &uri]));
    let address = gateway.address();
    let delete = "MATCH (n:BulkLoadMillion) CALL (n) { DELETE n } IN TRANSACTIONS OF 50000 ROWS";
    query(&address, delete);
    let idle = peak_kib(gateway.id());

    let mut load = TcpStream::connect(&address).unwrap();
    let head = "POST /db/neo4j/query/v2/batch HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n\
                Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    load.write_all(head.as_bytes()).unwrap();
    let statement = "UNWIND $rows AS row CREATE (:BulkLoadMillion {id: row.id, name: row.name})";
    let head = json!({ "statement": statement, "rowsAs": "rows", "transactionSize": 10_000 });
    chunk(&mut load, &format!("{head}\n"));
    for start in (0..ROWS).step_by(1000) {
        let mut lines = String::new();
        for id in start..start + 1000 {
            writeln!(lines, r#"{{"id":{id},"name":"row number {id}"}}"#).unwrap();
        }
        chunk(&mut load, &lines);
    }
    load.write_all(b"0\r\n\r\n").unwrap();
    let answer = answer(load);
    assert_eq!(answer["committed"], json!({ "rows": ROWS, "transactions": ROWS / 10_000 }), "{answer}");

    let over_idle = peak_kib(gateway.id()).saturating_sub(idle);
    println!("{ROWS} rows in {} transactions; {over_idle} KiB of peak over idle", ROWS / 10_000);
    let sums = query(&address, "MATCH (n:BulkLoadMillion) RETURN count(n), count(DISTINCT n.id), max(n.id)");
    assert_eq!(sums["data"]["values"], json!([[ROWS, ROWS, ROWS - 1]]), "{sums}");
    query(&address, delete);
    assert!(over_idle < ROOM_KIB, "{over_idle} KiB of peak over idle");
}

fn chunk(stream: &mut TcpStream, text: &str) {
    write!(stream, "{:x}\r\n{text}\r\n", text.len()).unwrap();
}

fn query(address: &str, statement: &str) -> Value {
    let mut stream = TcpStream::connect(address).unwrap();
    let body = json!({ "statement": statement }).to_string();
    write!(
        stream,
        "POST /db/neo4j/query/v2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let answer = answer(stream);
    assert!(answer.get("errors").is_none(), "{answer}");
    answer
}

/// The body of an answer that is short enough to come with its length.
fn answer(mut stream: TcpStream) -> Value {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 202 "), "{text}");
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The most memory that a process has had so far.
fn peak_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
