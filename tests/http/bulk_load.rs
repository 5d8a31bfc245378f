//! Rows that stream in, one JSON object a line, and are committed in steps; and what is said when it goes wrong.
#![cfg(feature = "embedded")]

use serde_json::{Value, json};

use crate::support::{
    bolt::{
        control::{Control, Fault},
        fake_memgraph::{FakeMemgraph, Options as MemgraphOptions},
        fake_neo4j::{FakeNeo4j, Options as Neo4jOptions},
    },
    gateway::{Gateway, start_embedded, start_memory},
    http::{Connection, Response},
    query::{body, count, refused, values},
};

const NDJSON: &str = "application/x-ndjson";

/// A gateway in front of a fake.
struct Stand {
    gateway: Gateway,
    control: Control,
    database: &'static str,
}

async fn stands(settings: &[(&'static str, &str)]) -> [Stand; 2] {
    let neo4j = FakeNeo4j::start_with(Neo4jOptions::default().without_auth()).await;
    let memgraph = FakeMemgraph::start_with(MemgraphOptions::default()).await;
    let (one, other) = (neo4j.control.clone(), memgraph.control.clone());
    [
        Stand { gateway: start_memory(move || neo4j.connect(), settings).await, control: one, database: "neo4j" },
        Stand {
            gateway: start_memory(move || memgraph.connect(), settings).await,
            control: other,
            database: "memgraph",
        },
    ]
}

impl Stand {
    async fn load(&self, lines: &[Value]) -> Response {
        load(&self.gateway, self.database, &[], &text(lines)).await
    }

    async fn read(&self, key: &str) -> Value {
        let request = json!({ "statement": format!("READ {key}") });
        values(&self.gateway.post(&format!("/db/{}/query/v2", self.database), &request.to_string()).await)[0][0].clone()
    }
}

async fn load(gateway: &Gateway, database: &str, headers: &[(&str, &str)], text: &str) -> Response {
    let headers = [&[("Content-Type", NDJSON)], headers].concat();
    gateway.send("POST", &format!("/db/{database}/query/v2/batch"), &headers, text).await
}

fn text(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// A head, and rows from 1 to `last`.
fn adding(head: Value, last: u64) -> Vec<Value> {
    let mut lines = vec![head];
    lines.extend((1..=last).map(|n| json!({ "n": n })));
    lines
}

fn error(response: &Response) -> Value {
    body(response)["errors"][0].clone()
}

#[tokio::test]
async fn commits_rows_in_steps() {
    for stand in stands(&[]).await {
        let head = json!({ "statement": "ADD a $n", "transactionSize": 100, "includeCounters": true });
        let answer = stand.load(&adding(head, 1050)).await;
        let body = body(&answer);
        assert_eq!(answer.status, 202, "{answer}");
        assert_eq!(body["committed"], json!({ "rows": 1050, "transactions": 11 }));
        assert_eq!((&body["attempts"], body["bookmarks"].as_array().unwrap().len()), (&json!(11), 1), "{answer}");
        assert!(body.get("errors").is_none() && body["counters"]["propertiesSet"].is_number(), "{answer}");
        assert_eq!(stand.read("a").await, json!(1050 * 1051 / 2));
        assert_eq!(stand.control.count("COMMIT"), 11);
        assert_eq!(stand.control.count("PULL"), 1, "rows that nobody wants are not sent");
        assert_eq!(stand.control.violations(), [""; 0]);
    }
}

#[tokio::test]
async fn runs_a_list_of_rows_once_per_transaction() {
    let gateway = start_embedded(&[]).await;
    let head =
        json!({ "statement": "UNWIND $rows AS row CREATE (:L {id: row.id})", "rowsAs": "rows", "transactionSize": 40 });
    let mut lines = vec![head];
    lines.extend((0..100).map(|id| json!({ "id": id })));
    let answer = load(&gateway, "neo4j", &[], &text(&lines)).await;
    assert_eq!(body(&answer)["committed"], json!({ "rows": 100, "transactions": 3 }), "{answer}");
    assert_eq!(count(&gateway, "L").await, 100);
}

#[tokio::test]
async fn reports_what_was_committed_and_where_to_resume() {
    for stand in stands(&[]).await {
        let head = json!({ "statement": "ADD a $n", "transactionSize": 10 });
        let mut lines = adding(head, 35);
        // The 25th row, in the third transaction.
        lines[25] = json!({ "n": "no number" });
        let answer = stand.load(&lines).await;
        let (status, told) = (answer.status, body(&answer));
        assert!(status == 400 && told["committed"] == json!({ "rows": 20, "transactions": 2 }), "{answer}");
        assert_eq!(error(&answer)["lines"], json!([22, 31]), "{answer}");
        assert_eq!(stand.read("a").await, json!(20 * 21 / 2));
        // Going on behind what was committed: the head again, and the rows from there.
        lines[25] = json!({ "n": 25 });
        let committed = usize::try_from(told["committed"]["rows"].as_u64().unwrap()).unwrap();
        let rest = [&lines[..1], &lines[1 + committed..]].concat();
        assert_eq!(stand.load(&rest).await.status, 202);
        assert_eq!(stand.read("a").await, json!(35 * 36 / 2));
    }
}

#[tokio::test]
async fn names_the_line_that_is_invalid() {
    let head = r#"{"statement":"ADD a $n","transactionSize":2}"#;
    for (rows, named, lines) in [
        ("{\"n\":1}\n\n{\"n\":1}\n{\"n\":1}\n{\"n\":\n", "column 6", json!([6, 6])),
        ("{\"n\":1}\n{\"n\":1}\n[1]\n", "an array", json!([4, 4])),
        ("{\"n\":1}\n{\"n\":1}\n{\"n\":1} x\n", "text follows the object", json!([4, 4])),
        ("{\"n\":1}\n{\"n\":1}\n\"\u{fffd}\"\n", "the string", json!([4, 4])),
    ] {
        let [stand, _] = stands(&[]).await;
        let answer = load(&stand.gateway, "neo4j", &[], &format!("{head}\n{rows}")).await;
        assert_eq!((answer.status, &error(&answer)["lines"]), (400, &lines), "{answer}");
        assert!(error(&answer)["message"].as_str().unwrap().contains(named), "{answer}");
        assert_eq!(body(&answer)["committed"]["rows"], 2, "{answer}");
        assert_eq!(stand.read("a").await, json!(2), "what stands before it in whole transactions is there");
    }
    let [stand, _] = stands(&[("limits.line", "100")]).await;
    let long = format!("{head}\n{{\"n\":1}}\n{{\"n\":1}}\n{{\"n\":\"{}\"}}\n", "x".repeat(100));
    let answer = load(&stand.gateway, "neo4j", &[], &long).await;
    assert!(answer.status == 400 && error(&answer)["message"].as_str().unwrap().contains("limits.line"), "{answer}");
    assert_eq!((&error(&answer)["lines"], &body(&answer)["committed"]["rows"]), (&json!([4, 4]), &json!(2)));
}

#[tokio::test]
async fn accepts_several_media_types_for_lines() {
    let gateway = start_embedded(&[]).await;
    let lines = text(&[json!({ "statement": "CREATE (:Named {id: $id})" }), json!({ "id": 1 }), json!({ "id": 2 })]);
    let send = async |content_type: &str| {
        gateway.send("POST", "/db/neo4j/query/v2/batch", &[("Content-Type", content_type)], &lines).await
    };
    let names = ["application/x-ndjson", "application/ndjson", "application/jsonl", "application/jsonlines"];
    for name in names {
        let response = send(name).await;
        assert_eq!(body(&response)["committed"]["rows"], 2, "{name}: {response}");
    }
    assert_eq!(count(&gateway, "Named").await, 8);
    for other in ["text/x-ndjson", "text/plain", "application/json-seq"] {
        let told = refused(&send(other).await);
        assert_eq!(told.status, 415, "{other}");
        for name in names {
            assert!(told.message.contains(name), "{other}: {told:?}");
        }
    }
    assert_eq!(count(&gateway, "Named").await, 8);
}

#[tokio::test]
async fn rejects_an_invalid_first_line() {
    let gateway = start_embedded(&[]).await;
    for (text, named) in [
        ("", "the body is empty"),
        ("\n \n", "the body is empty"),
        ("{}\n", "statement cannot be null or empty"),
        ("[]\n", "must be an object, not an array"),
        ("{\"statement\":\"RETURN 1\",\"statements\":[]}\n", "unknown field `statements`"),
        (
            "{\"statement\":\"RETURN 1\",\"transactionSize\":0}\n",
            "transactionSize must be a whole number from 1 to 1000000, not the number 0",
        ),
        ("{\"statement\":\"RETURN 1\",\"parameters\":{}}\n", "unknown field `parameters`"),
        ("{\"statement\":\"RETURN 1\"}{\"id\":1}{\"id\":2}", "text follows the object"),
        ("{\"statement\":\"RETURN 1\"} x\n{\"id\":1}\n", "text follows the object"),
        ("{\0\"\0s\0\"\0:\0", "must be UTF-8"),
    ] {
        let answer = load(&gateway, "neo4j", &[], text).await;
        assert_eq!(answer.status, 400, "{answer}");
        assert!(error(&answer)["message"].as_str().unwrap().contains(named), "{named}: {answer}");
    }
    let key = [("Idempotency-Key", "k")];
    let answer = load(&gateway, "neo4j", &key, "{\"statement\":\"RETURN 1\"}\n").await;
    assert!(
        answer.status == 400 && error(&answer)["message"].as_str().unwrap().contains("Idempotency-Key"),
        "{answer}"
    );
    // Without rows there is nothing to do.
    let answer = load(&gateway, "neo4j", &[], "{\"statement\":\"RETURN 1\"}").await;
    assert_eq!((answer.status, &body(&answer)["committed"]["rows"]), (202, &json!(0)), "{answer}");
}

#[tokio::test]
async fn counts_no_transaction_of_unknown_outcome() {
    for stand in stands(&[]).await {
        for (fault, applied) in [(Fault::CloseBefore, 6), (Fault::CloseAfter, 9)] {
            let key = format!("k{applied}");
            let head = json!({ "statement": format!("ADD {key} $n"), "transactionSize": 2 });
            let lines = [head, json!({ "n": 1 }), json!({ "n": 2 }), json!({ "n": 3 }), json!({ "n": 3 })];
            stand.control.on_next("COMMIT", fault);
            let answer = stand.load(&lines).await;
            assert_eq!(answer.status, 502, "{answer}");
            assert_eq!(error(&answer)["code"], "Boltgate.DatabaseError.Transaction.OutcomeUnknown");
            assert_eq!((&error(&answer)["lines"], &body(&answer)["committed"]["rows"]), (&json!([2, 3]), &json!(0)));
            let there = stand.read(&key).await;
            assert_eq!(there, if applied == 6 { Value::Null } else { json!(3) });
        }
        // When it is lost before COMMIT, it is retried.
        stand.control.on_next("DISCARD", Fault::CloseBefore);
        let head = json!({ "statement": "ADD b $n", "transactionSize": 2 });
        let answer = stand.load(&adding(head, 4)).await;
        assert_eq!((answer.status, &body(&answer)["attempts"]), (202, &json!(3)), "{answer}");
        assert_eq!(stand.read("b").await, json!(10));
    }
}

#[tokio::test]
async fn keeps_only_whole_transactions_when_a_client_disconnects() {
    for stand in stands(&[]).await {
        let mut client = Connection::open(stand.gateway.address()).await;
        let path = format!("/db/{}/query/v2/batch", stand.database);
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {NDJSON}\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        client.send(head.as_bytes()).await;
        let lines = text(&adding(json!({ "statement": "ADD a $n", "transactionSize": 10 }), 25));
        // In pieces that end anywhere.
        for piece in lines.as_bytes().chunks(7) {
            let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
            client.send(&chunk).await;
        }
        stand.control.wait_for("two transactions", |_| stand.control.count("COMMIT") == 2).await;
        drop(client);
        stand.control.wait_for("the end", |counts| counts.transactions == 0).await;
        assert_eq!(stand.read("a").await, json!(20 * 21 / 2));
        assert_eq!(stand.control.count("COMMIT"), 2);
    }
}

#[tokio::test]
async fn reports_the_failure_while_the_client_is_still_sending() {
    let [stand, _] = stands(&[]).await;
    let mut lines = vec![json!({ "statement": "ADD a $n", "transactionSize": 1 }), json!({ "n": "x" })];
    lines.extend((0..200_000).map(|n| json!({ "n": n })));
    let answer = stand.load(&lines).await;
    assert_eq!((answer.status, &error(&answer)["lines"]), (400, &json!([2, 2])), "{answer}");
}

#[tokio::test]
async fn gives_up_on_a_silent_client() {
    let [stand, _] = stands(&[("server.body_timeout", "200ms")]).await;
    let mut client = Connection::open(stand.gateway.address()).await;
    let head = "POST /db/neo4j/query/v2/batch HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/jsonl\r\nContent-Length: 1000\r\n\r\n";
    client.send(head.as_bytes()).await;
    client.send(text(&adding(json!({ "statement": "ADD a $n", "transactionSize": 2 }), 3)).as_bytes()).await;
    let answer = client.head().await;
    assert_eq!(answer.status, 408);
}

#[tokio::test]
async fn reads_typed_rows() {
    let gateway = start_embedded(&[]).await;
    let head = json!({ "statement": "CREATE (:L {at: $at})" });
    let row = json!({ "at": { "$type": "Date", "_value": "2026-11-21" } });
    let typed = [("Content-Type", "application/vnd.neo4j.query.v1.1+jsonl")];
    let answer = gateway.send("POST", "/db/neo4j/query/v2/batch", &typed, &text(&[head, row])).await;
    assert_eq!(answer.status, 202, "{answer}");
    assert_eq!(values(&gateway.query("MATCH (l:L) RETURN l.at AS at").await), json!([["2026-11-21"]]));
}
