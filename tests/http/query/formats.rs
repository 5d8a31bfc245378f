//! Every media type that can be sent and asked for, and what an answer looks like in it.

use serde_json::{Value, json};

use super::gateway;
use crate::support::query::{begin, body, refused, values};

const PATH: &str = "/db/neo4j/query/v2";
const PLAIN: &str = "application/json";

/// All that can be asked for, and whether it is typed and in lines.
const ANSWERS: [(&str, bool, bool); 9] = [
    (PLAIN, false, false),
    ("application/vnd.neo4j.query", true, false),
    ("application/vnd.neo4j.query.v1.0", true, false),
    ("application/vnd.neo4j.query.v1.1", true, false),
    ("application/vnd.neo4j.query.v1.2", true, false),
    ("application/jsonl", false, true),
    ("application/vnd.neo4j.query.v1.0+jsonl", true, true),
    ("application/vnd.neo4j.query.v1.1+jsonl", true, true),
    ("application/vnd.neo4j.query.v1.2+jsonl", true, true),
];

fn lines(text: &str) -> Vec<Value> {
    assert!(text.ends_with('\n'), "the last line ends too: {text:?}");
    text.lines().map(|line| serde_json::from_str(line).expect("a line is a JSON document")).collect()
}

#[tokio::test]
async fn answers_in_the_requested_type() {
    let gateway = gateway().await;
    for (accept, typed, in_lines) in ANSWERS {
        let headers = [("Content-Type", PLAIN), ("Accept", accept)];
        let response = gateway.send("POST", PATH, &headers, r#"{"statement":"RETURN 1 AS a"}"#).await;
        assert_eq!((response.status, response.header("Content-Type")), (202, Some(accept)), "{response}");
        let one = if typed { json!({ "$type": "Integer", "_value": "1" }) } else { json!(1) };
        if in_lines {
            let lines = lines(&response.text());
            assert_eq!(lines[0], json!({ "$event": "Header", "_body": { "fields": ["a"] } }), "{accept}");
            assert_eq!(lines[1], json!({ "$event": "Record", "_body": [one] }), "{accept}");
            assert_eq!((&lines[2]["$event"], &lines[2]["_body"]["queryType"]), (&json!("Summary"), &json!("r")));
            assert_eq!(lines.len(), 3, "{accept}");
        } else {
            assert_eq!(body(&response)["data"], json!({ "fields": ["a"], "values": [[one]] }), "{accept}");
        }
    }
}

#[tokio::test]
async fn reads_requests_by_their_content_type() {
    let gateway = gateway().await;
    let typed = json!({ "p": { "$type": "Date", "_value": "2020-01-01" } });
    for (content_type, parameters) in [
        (PLAIN, json!({ "p": "2020-01-01" })),
        ("application/json; charset=UTF-8", json!({ "p": "2020-01-01" })),
        ("application/vnd.neo4j.query", typed.clone()),
        ("APPLICATION/vnd.neo4j.query.v1.0", typed.clone()),
        ("application/vnd.neo4j.query.v1.1", typed.clone()),
        ("application/vnd.neo4j.query.v1.2", typed),
    ] {
        let request = json!({ "statement": "RETURN $p AS p", "parameters": parameters }).to_string();
        let response = gateway.send("POST", PATH, &[("Content-Type", content_type)], &request).await;
        assert_eq!(values(&response), json!([["2020-01-01"]]), "{content_type}");
    }
}

#[tokio::test]
async fn honours_the_clients_preferences() {
    let gateway = gateway().await;
    for (accept, expected) in [
        ("*/*", PLAIN),
        ("application/vnd.neo4j.query, application/json", "application/vnd.neo4j.query"),
        ("application/jsonl;q=0.5, application/json;q=0.6", PLAIN),
        ("text/html, application/jsonl;q=0.1", "application/jsonl"),
        ("application/json; charset=UTF-8;", "application/json;charset=utf-8"),
    ] {
        let headers = [("Content-Type", PLAIN), ("Accept", accept)];
        let response = gateway.send("POST", PATH, &headers, r#"{"statement":"RETURN 1 AS a"}"#).await;
        assert_eq!((response.status, response.header("Content-Type")), (202, Some(expected)), "{accept}");
    }
}

#[tokio::test]
async fn returns_errors_in_the_requested_type() {
    let gateway = gateway().await;
    for (accept, _, in_lines) in ANSWERS {
        let headers = [("Content-Type", PLAIN), ("Accept", accept)];
        let response = gateway.send("POST", PATH, &headers, r#"{"statement":"RETURN x"}"#).await;
        assert_eq!((response.status, response.header("Content-Type")), (400, Some(accept)), "{response}");
        if in_lines {
            let lines = lines(&response.text());
            assert_eq!((lines.len(), &lines[0]["$event"]), (1, &json!("Error")), "{response}");
            assert_eq!(lines[0]["_body"][0]["code"], "Neo.ClientError.Statement.SyntaxError", "{response}");
        } else {
            assert_eq!(refused(&response).code, "Neo.ClientError.Statement.SyntaxError");
        }
    }
}

#[tokio::test]
async fn writes_lines_without_a_result() {
    let gateway = gateway().await;
    let headers = [("Content-Type", PLAIN), ("Accept", "application/jsonl")];
    let empty = json!({ "$event": "Header", "_body": {} });

    let begun = lines(&gateway.send("POST", "/db/neo4j/query/v2/tx", &headers, "").await.text());
    assert_eq!(begun[0], empty);
    let transaction = &begun[1]["_body"]["transaction"];
    assert_eq!(begun[1], json!({ "$event": "Summary", "_body": { "transaction": transaction } }));

    let path = format!("/db/neo4j/query/v2/tx/{}", transaction["id"].as_str().unwrap());
    let committed = lines(&gateway.send("POST", &format!("{path}/commit"), &headers, "").await.text());
    assert_eq!((committed.len(), &committed[0]), (2, &empty));
    assert_eq!(committed[1]["_body"]["bookmarks"].as_array().map(Vec::len), Some(1));

    let path = begin(&gateway, &json!({})).await;
    let response = gateway.send("DELETE", &path, &headers, "").await;
    assert_eq!(response.status, 200);
    assert_eq!(lines(&response.text()), [empty, json!({ "$event": "Summary", "_body": {} })]);
}

#[tokio::test]
async fn accepts_every_unicode_encoding() {
    let gateway = gateway().await;
    let text = r#"{"statement":"RETURN 'Grüße' AS g"}"#;
    let big_endian: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let with_mark = ["\u{FEFF}", text].concat().into_bytes();
    for bytes in [big_endian, with_mark] {
        let headers = [("Content-Type", PLAIN)];
        let response = crate::support::http::request(gateway.address(), "POST", PATH, &headers, &bytes).await;
        assert_eq!(values(&response), json!([["Grüße"]]));
    }
}
