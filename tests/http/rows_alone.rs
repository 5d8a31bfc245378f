//! Results as CSV and NDJSON, for tools that eat rows.
#![cfg(feature = "embedded")]

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::support::{
    bolt::fake_neo4j::{FakeNeo4j, Options},
    gateway::{Gateway, start_embedded, start_memory},
    http::{DEADLINE, Response},
    query::{begin, body, count},
};

const PATH: &str = "/db/neo4j/query/v2";
const CSV: &str = "text/csv";
const NDJSON: &str = "application/x-ndjson";

async fn ask_at(gateway: &Gateway, path: &str, accept: &str, statement: &str) -> Response {
    let headers = [("Content-Type", "application/json"), ("Accept", accept)];
    gateway.send("POST", path, &headers, &json!({ "statement": statement }).to_string()).await
}

async fn ask(gateway: &Gateway, accept: &str, statement: &str) -> Response {
    ask_at(gateway, PATH, accept, statement).await
}

#[tokio::test]
async fn csv_has_a_header_and_a_record_for_each_row() {
    let gateway = start_embedded(&[]).await;
    let statement = "UNWIND [1, 2] AS n RETURN n, 'a,\"b\"' AS text, null AS nothing, '' AS empty, date('2020-01-02') AS day, \
                     [1, 'x'] AS list, {k: 1.0} AS map, n AS n2, true AS `yes, no`";
    let answer = ask(&gateway, CSV, statement).await;
    assert_eq!(answer.status, 200, "{answer}");
    assert_eq!(answer.header("Content-Type"), Some("text/csv; charset=utf-8; header=present"));
    assert_eq!(answer.header("Vary"), Some("Accept, Accept-Encoding"));
    let rest = "\"a,\"\"b\"\"\",,\"\",2020-01-02,\"[1,\"\"x\"\"]\",\"{\"\"k\"\":1.0}\"";
    assert_eq!(
        answer.text(),
        format!("n,text,nothing,empty,day,list,map,n2,\"yes, no\"\r\n1,{rest},1,true\r\n2,{rest},2,true\r\n")
    );
}

#[tokio::test]
async fn csv_is_written_as_the_request_says() {
    let gateway = start_embedded(&[]).await;
    let text = |answer: Response| (answer.header("Content-Type").unwrap().to_owned(), answer.text());
    let (content_type, rows) = text(ask(&gateway, "text/csv; header=absent", "RETURN '=1' AS a").await);
    assert_eq!((&*content_type, &*rows), ("text/csv; charset=utf-8; header=absent", "=1\r\n"));
    let escaped = "text/csv; charset=utf-8; header=present; formulas=escape; bom=present";
    let (content_type, rows) = text(ask(&gateway, "text/csv;formulas=escape;bom=present", "RETURN '=1' AS a").await);
    assert_eq!((&*content_type, &*rows), (escaped, "\u{feff}a\r\n\"'=1\"\r\n"));
    gateway.reload(&[("formats.csv_formulas", "escape")]);
    assert_eq!(ask(&gateway, CSV, "RETURN '=1' AS a").await.text(), "a\r\n\"'=1\"\r\n");
    assert_eq!(ask(&gateway, "text/csv;formulas=keep", "RETURN '=1' AS a").await.text(), "a\r\n=1\r\n");
    let refused = ask(&gateway, "text/csv;header=maybe", "RETURN 1").await;
    assert_eq!(refused.status, 400, "{refused}");
    assert!(refused.text().contains("header=present or header=absent"), "{refused}");
}

#[tokio::test]
async fn ndjson_has_an_object_for_each_row() {
    let gateway = start_embedded(&[]).await;
    let answer = ask(&gateway, NDJSON, "CREATE (n:L {x: 1}) WITH n UNWIND [1, 2] AS i RETURN i, n.x AS x, n").await;
    assert_eq!((answer.status, answer.header("Content-Type")), (200, Some(NDJSON)), "{answer}");
    let text = answer.text();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert_eq!(rows.len(), 2);
    assert!(text.starts_with("{\"i\":1,\"x\":1,\"n\":{"), "{text}");
    assert_eq!((&rows[1]["i"], &rows[1]["n"]["properties"]["x"]), (&json!(2), &json!(1)));
    assert_eq!(count(&gateway, "L").await, 1);
}

#[tokio::test]
async fn what_returns_nothing_is_empty() {
    let gateway = start_embedded(&[]).await;
    for accept in [CSV, NDJSON] {
        let answer = ask(&gateway, accept, "CREATE (:N)").await;
        assert_eq!((answer.status, &*answer.text()), (200, ""), "{answer}");
    }
    assert_eq!(ask(&gateway, CSV, "MATCH (n:Nobody) RETURN n.a AS a, n.b").await.text(), "a,n.b\r\n");
    assert_eq!(ask(&gateway, NDJSON, "MATCH (n:Nobody) RETURN n.a AS a").await.text(), "");
    assert_eq!(ask(&gateway, CSV, "UNWIND [null, ''] AS a RETURN a").await.text(), "a\r\n\"\"\r\n\"\"\r\n");
}

#[tokio::test]
async fn an_error_before_the_first_row_is_json_with_its_own_status() {
    let gateway = start_embedded(&[("limits.result_rows", "10")]).await;
    for accept in [CSV, NDJSON] {
        for (statement, code) in [
            ("RETRUN 1", "Neo.ClientError.Statement.SyntaxError"),
            ("UNWIND [1, 0] AS x RETURN 1 / x AS y", "Neo.ClientError.Statement.ArithmeticError"),
            ("UNWIND range(1, 11) AS x CREATE (:W) RETURN x", "Boltgate.ClientError.Limit.ResultRows"),
        ] {
            let answer = ask(&gateway, accept, statement).await;
            assert_eq!((answer.status, answer.header("Content-Type")), (400, Some("application/json")), "{answer}");
            assert_eq!(body(&answer)["errors"][0]["code"], code, "{answer}");
        }
    }
    assert_eq!(count(&gateway, "W").await, 0);
}

#[tokio::test]
async fn an_error_after_rows_breaks_the_transfer_off() {
    let fake = FakeNeo4j::start_with(Options::default().without_auth()).await;
    let gateway = start_memory(move || fake.connect(), &[]).await;
    let request =
        json!({ "statement": "FAILPULL 3000 Neo.TransientError.General.OutOfMemoryError no memory" }).to_string();
    for (accept, says_why) in [(CSV, false), (NDJSON, true)] {
        let head = format!(
            "POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: {accept}\r\nContent-Length: \
             {}\r\n\r\n",
            request.len()
        );
        let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
        stream.write_all((head + &request).as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        // Ends by itself, although nothing asked for the connection to be closed.
        tokio::time::timeout(DEADLINE, stream.read_to_end(&mut bytes)).await.expect("ends").unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.starts_with("HTTP/1.1 200 ") && !text.ends_with("\r\n0\r\n\r\n"), "{text}");
        let why = "{\"$error\":{\"code\":\"Neo.TransientError.General.OutOfMemoryError\",\"message\":\"no memory\"}}\n";
        assert_eq!(text.contains(why), says_why, "{}", &text[text.len().saturating_sub(500)..]);
    }
}

#[tokio::test]
async fn transactions_show_rows_where_they_have_a_statement() {
    let gateway = start_embedded(&[]).await;
    let path = begin(&gateway, &json!({ "statement": "CREATE (:T {x: 1})" })).await;
    for (accept, rows) in [(CSV, "x\r\n1\r\n"), (NDJSON, "{\"x\":1}\n")] {
        assert_eq!(ask_at(&gateway, &path, accept, "MATCH (n:T) RETURN n.x AS x").await.text(), rows);
        let headers = [("Content-Type", "application/json"), ("Accept", accept)];
        for (path, request) in [
            (path.clone(), "{}"),
            (format!("{path}/commit"), "{}"),
            (format!("{PATH}/tx"), "{\"statement\":\"RETURN 1\"}"),
            (format!("{PATH}/batch"), "{\"statements\":[{\"statement\":\"RETURN 1\"}]}"),
        ] {
            let answer = gateway.send("POST", &path, &headers, request).await;
            assert_eq!(answer.status, 406, "{path}: {answer}");
            assert!(!answer.text().contains(accept), "{answer}");
        }
        assert_eq!(gateway.send("DELETE", "/db/neo4j/query/v2/running/1", &headers, "").await.status, 406);
    }
    // The refusals have not ended it.
    assert_eq!(gateway.post(&format!("{path}/commit"), "{}").await.status, 202);
}
