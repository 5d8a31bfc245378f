//! Results that are larger than allowed: never cut silently, and nothing of them is committed.

use serde_json::{Value, json};

use crate::support::{
    bolt::fake_neo4j::{FakeNeo4j, Options},
    gateway::{Gateway, start_embedded, start_memory},
    http::Response,
    query::{begin, body, count, refused, values},
};

const PATH: &str = "/db/neo4j/query/v2";
const ROWS: &str = "Boltgate.ClientError.Limit.ResultRows";
const BYTES: &str = "Boltgate.ClientError.Limit.ResultBytes";
/// Every format of an answer, and whether it is one document.
const FORMATS: [(&str, bool); 4] = [
    ("application/json", true),
    ("application/jsonl", false),
    ("application/vnd.neo4j.query.v1.1", true),
    ("application/vnd.neo4j.query.v1.1+jsonl", false),
];

async fn ask(gateway: &Gateway, path: &str, accept: &str, request: &Value) -> Response {
    let headers = [("Content-Type", "application/json"), ("Accept", accept)];
    gateway.send("POST", path, &headers, &request.to_string()).await
}

/// Creates nodes, and returns a row for each.
fn creating(nodes: usize) -> Value {
    json!({ "statement": format!("UNWIND range(1, {nodes}) AS i CREATE (n:X {{i: i}}) RETURN n.i AS i") })
}

/// The last error in the answer, wherever it stands.
fn last_error(answer: &Response, is_document: bool) -> Value {
    if is_document {
        return body(answer)["errors"][0].clone();
    }
    let text = answer.text();
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let errors = if last["$event"] == "Error" { &last["_body"] } else { &last["errors"] };
    errors[0].clone()
}

fn is_refused(answer: &Response, is_document: bool, code: &str, setting: &str) {
    assert_eq!(answer.status, 400, "{answer}");
    let error = last_error(answer, is_document);
    assert_eq!(error["code"], code, "{answer}");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains(setting) && message.ends_with("The transaction was rolled back."), "{message}");
}

#[tokio::test]
async fn undoes_a_statement_with_too_many_rows() {
    let gateway = start_embedded(&[("limits.result_rows", "10")]).await;
    for (accept, is_document) in FORMATS {
        for nodes in [11, 12, 200] {
            let answer = ask(&gateway, PATH, accept, &creating(nodes)).await;
            is_refused(&answer, is_document, ROWS, "limits.result_rows = 10");
        }
        let reading = json!({ "statement": "UNWIND range(1, 5000) AS i RETURN i" });
        is_refused(&ask(&gateway, PATH, accept, &reading).await, is_document, ROWS, "limits.result_rows = 10");
    }
    assert_eq!(count(&gateway, "X").await, 0);
    // Exactly the limit is allowed, and is committed.
    let answer = ask(&gateway, PATH, "application/json", &creating(10)).await;
    assert_eq!(values(&answer).as_array().map(Vec::len), Some(10));
    assert!(body(&answer)["bookmarks"].is_array(), "{answer}");
    assert_eq!(count(&gateway, "X").await, 10);
}

#[tokio::test]
async fn undoes_a_statement_with_too_much_text() {
    // "[1],[2],…,[9]" are 35 bytes.
    let gateway = start_embedded(&[("limits.result_bytes", "35")]).await;
    for nodes in [10, 500] {
        let answer = ask(&gateway, PATH, "application/json", &creating(nodes)).await;
        is_refused(&answer, true, BYTES, "limits.result_bytes = 35");
    }
    let answer = ask(&gateway, PATH, "application/jsonl", &creating(9)).await;
    is_refused(&answer, false, BYTES, "limits.result_bytes = 35");
    assert_eq!(count(&gateway, "X").await, 0);
    assert_eq!(values(&ask(&gateway, PATH, "application/json", &creating(9)).await).as_array().map(Vec::len), Some(9));
    assert_eq!(count(&gateway, "X").await, 9);
}

#[tokio::test]
async fn ends_an_explicit_transaction() {
    for (setting, value, code) in [("limits.result_rows", "10", ROWS), ("limits.result_bytes", "40", BYTES)] {
        let gateway = start_embedded(&[(setting, value)]).await;
        for last in ["", "/commit"] {
            let path = begin(&gateway, &json!({ "statement": "CREATE (:X)" })).await;
            let answer = ask(&gateway, &format!("{path}{last}"), "application/json", &creating(11)).await;
            is_refused(&answer, true, code, setting);
            let answer = gateway.post(&path, "{}").await;
            assert_eq!(refused(&answer).status, 404, "{answer}");
        }
        let answer = ask(&gateway, &format!("{PATH}/tx"), "application/json", &creating(11)).await;
        is_refused(&answer, true, code, setting);
        assert_eq!((gateway.engine().open_transactions(), count(&gateway, "X").await), (0, 0));
    }
}

#[tokio::test]
async fn undoes_a_batch_with_one_result_too_large() {
    for (setting, value, code) in [("limits.result_rows", "10", ROWS), ("limits.result_bytes", "40", BYTES)] {
        let gateway = start_embedded(&[(setting, value)]).await;
        let path = format!("{PATH}/batch");
        // Each result has the limit to itself.
        let answer =
            ask(&gateway, &path, "application/json", &json!({ "statements": [creating(9), creating(9)] })).await;
        assert_eq!((answer.status, count(&gateway, "X").await), (202, 18), "{answer}");
        let runs = json!({
            "statement": "UNWIND range(1, $n) AS i CREATE (n:X) RETURN $n AS n",
            "parametersList": [{ "n": 6 }, { "n": 6 }]
        });
        for (statements, at) in
            [(json!([creating(9), creating(11)]), 1), (json!([creating(11), creating(9)]), 0), (json!([runs]), 0)]
        {
            for (accept, is_document) in FORMATS {
                let answer = ask(&gateway, &path, accept, &json!({ "statements": statements })).await;
                if setting == "limits.result_rows" || accept == "application/json" {
                    is_refused(&answer, is_document, code, setting);
                    assert_eq!(last_error(&answer, is_document)["statement"], at, "{answer}");
                }
            }
        }
        assert_eq!(count(&gateway, "X").await, 18);
    }
}

#[tokio::test]
async fn says_so_after_the_rows_that_have_left() {
    for (setting, value, code) in [("limits.result_rows", "2000", ROWS), ("limits.result_bytes", "2000000", BYTES)] {
        let fake = FakeNeo4j::start_with(Options::default().without_auth()).await;
        let control = fake.control.clone();
        let gateway = start_memory(move || fake.connect(), &[(setting, value)]).await;
        for (accept, is_document) in FORMATS {
            let request = json!({ "statement": "ROWS 4000 WIDE 1000" });
            let answer = ask(&gateway, PATH, accept, &request).await;
            assert_eq!(answer.status, 202);
            let error = last_error(&answer, is_document);
            assert_eq!(error["code"], code, "{error}");
            if is_document {
                let rows = body(&answer)["data"]["values"].as_array().unwrap().len();
                assert!((1..=2000).contains(&rows), "{rows}");
            }
            control
                .wait_for("the end of the statement", |counts| counts.running == 0 && counts.transactions == 0)
                .await;
        }
        assert_eq!(control.violations(), [""; 0]);
    }
}

#[tokio::test]
async fn requests_no_more_rows_than_show_that_there_are_too_many() {
    let fake = FakeNeo4j::start_with(Options::default().without_auth()).await;
    let control = fake.control.clone();
    let gateway = start_memory(move || fake.connect(), &[("limits.result_rows", "10")]).await;
    let answer = ask(&gateway, PATH, "application/json", &json!({ "statement": "ROWS 40000" })).await;
    is_refused(&answer, true, ROWS, "limits.result_rows = 10");
    let pulls: Vec<_> = control.seen().into_iter().filter(|seen| seen.name() == "PULL").collect();
    assert_eq!(pulls.len(), 1);
    assert!(format!("{:?}", pulls[0].message).contains("11"), "{:?}", pulls[0]);
    let attempts = answer.header("Boltgate-Attempts");
    assert_eq!((attempts, control.count("RUN")), (None, 1), "it is not retried");
}
