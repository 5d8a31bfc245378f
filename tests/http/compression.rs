//! Answers in gzip and zstd, for clients that accept them.
//!
//! Runs against the fake of Neo4j.

mod streams;

use boltgate::unpack::{Coding, Unpacker};
use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};

use crate::support::{
    bolt::{
        control::Control,
        fake_neo4j::{FakeNeo4j, Options},
    },
    gateway::{Gateway, start_memory},
    http::Response,
    http2,
    query::body,
};

const PATH: &str = "/db/neo4j/query/v2";
const CODINGS: [(&str, Coding); 2] = [("gzip", Coding::Gzip), ("zstd", Coding::Zstd)];
const FORMATS: [&str; 6] = [
    "application/json",
    "application/jsonl",
    "application/vnd.neo4j.query.v1.2",
    "application/vnd.neo4j.query.v1.2+jsonl",
    "application/x-ndjson",
    "text/csv",
];
/// More than a kibibyte, and less.
const LARGE: &str = "ROWS 100 WIDE 20";
const SMALL: &str = "ROWS 3 WIDE 20";

async fn stand(changes: &[(&'static str, &str)]) -> (Gateway, Control) {
    let fake = FakeNeo4j::start_with(Options::default().without_auth()).await;
    let control = fake.control.clone();
    (start_memory(move || fake.connect(), changes).await, control)
}

/// Sends a JSON body with these headers besides its type.
async fn post(gateway: &Gateway, path: &str, headers: &[(&str, &str)], request: &Value) -> Response {
    let headers = [&[("Content-Type", "application/json")], headers].concat();
    gateway.send("POST", path, &headers, &request.to_string()).await
}

async fn ask(gateway: &Gateway, headers: &[(&str, &str)], statement: &str) -> Response {
    post(gateway, PATH, headers, &json!({ "statement": statement })).await
}

/// Unpacks what has arrived of a stream.
fn unpack(unpacker: &mut Unpacker, packed: Bytes) -> BytesMut {
    let mut text = BytesMut::new();
    unpacker.feed(packed);
    while !unpacker.is_hungry() {
        unpacker.step(&mut text, 65_536).expect("it is such a stream");
    }
    text
}

/// Unpacks a whole body.
fn unpack_all(coding: Coding, packed: Vec<u8>) -> Vec<u8> {
    let mut unpacker = Unpacker::new(coding).unwrap();
    let text = unpack(&mut unpacker, packed.into());
    unpacker.end().expect("the stream is whole");
    text.to_vec()
}

/// The answer as it was before it was compressed with the coding that it names.
fn decoded(mut answer: Response) -> Response {
    let name = answer.header("Content-Encoding").unwrap_or_else(|| panic!("it is compressed: {answer}"));
    let (_, coding) = CODINGS.into_iter().find(|(known, _)| *known == name).expect("a coding that is offered");
    assert!(answer.header("Vary").is_some_and(|vary| vary.contains("Accept-Encoding")), "{:?}", answer.headers);
    answer.body = unpack_all(coding, answer.body);
    answer
}

/// The rows of an answer in any format, without what differs from run to run.
fn rows(answer: &Response) -> String {
    let content_type = answer.header("Content-Type").unwrap();
    match () {
        () if content_type.contains("jsonl") => {
            answer.text().lines().filter(|line| line.contains("Record")).map(|line| format!("{line}\n")).collect()
        }
        () if content_type.contains("csv") || content_type.contains("ndjson") => answer.text(),
        () => body(answer)["data"]["values"].to_string(),
    }
}

#[tokio::test]
async fn every_format_is_the_same_once_it_is_unpacked() {
    let (gateway, _) = stand(&[]).await;
    for accept in FORMATS {
        // The larger one is streamed.
        for statement in [LARGE, "ROWS 20000 WIDE 20"] {
            let plain = ask(&gateway, &[("Accept", accept)], statement).await;
            assert_eq!(plain.header("Content-Encoding"), None);
            assert!(rows(&plain).len() > 2000, "{plain}");
            for (name, _) in CODINGS {
                let packed = ask(&gateway, &[("Accept", accept), ("Accept-Encoding", name)], statement).await;
                assert_eq!(packed.header("Content-Encoding"), Some(name), "{accept} {statement}");
                assert_eq!((packed.header("Content-Length"), packed.status), (None, plain.status));
                assert!(packed.body.len() < plain.body.len() / 2, "{accept} {statement}: {}", packed.body.len());
                assert!(rows(&decoded(packed)) == rows(&plain), "{accept} {statement} {name}");
            }
        }
    }
}

#[tokio::test]
async fn http2_gets_the_same() {
    let (gateway, _) = stand(&[]).await;
    let mut requests = http2::connect(gateway.address()).await;
    for statement in [LARGE, "ROWS 20000 WIDE 20"] {
        let plain = ask(&gateway, &[], statement).await;
        for (name, coding) in CODINGS {
            let head = http2::post(gateway.address(), PATH).header("accept-encoding", name).body(()).unwrap();
            let request = json!({ "statement": statement }).to_string();
            let answer = http2::send(&mut requests, head, request).await.expect("it is answered");
            assert_eq!(answer.headers()["content-encoding"], name);
            let packed = http2::whole(answer).await.expect("it is whole");
            let text: Value = serde_json::from_slice(&unpack_all(coding, packed.to_vec())).unwrap();
            assert!(text["data"] == body(&plain)["data"], "{statement} {name}");
        }
    }
}

#[tokio::test]
async fn other_answers_are_compressed_too() {
    let (gateway, _) = stand(&[]).await;
    let packed = [("Accept-Encoding", "gzip, deflate, br, zstd")];
    let failed = ask(&gateway, &packed, &format!("FAIL Neo.ClientError.Test.Long {}", "why ".repeat(500))).await;
    assert_eq!((failed.status, failed.header("Content-Encoding")), (400, Some("zstd")), "{failed}");
    assert_eq!(body(&decoded(failed))["errors"][0]["code"], "Neo.ClientError.Test.Long");
    let batch = json!({ "statements": [{ "statement": LARGE }, { "statement": "RETURN 1" }] });
    let batch = decoded(post(&gateway, &format!("{PATH}/batch"), &packed, &batch).await);
    assert_eq!(body(&batch)["results"].as_array().map(Vec::len), Some(2), "{batch}");
    let older = json!({ "statements": [{ "statement": LARGE }] });
    let older = decoded(post(&gateway, "/db/neo4j/tx/commit", &packed, &older).await);
    assert_eq!(body(&older)["results"][0]["data"].as_array().map(Vec::len), Some(100), "{older}");
    let description = decoded(gateway.send("GET", "/openapi.json", &packed, "").await);
    assert_eq!(description.text(), boltgate::http::openapi());
    let page = [packed.as_slice(), &[("Accept", "text/html")]].concat();
    let page = decoded(gateway.send("GET", "/no-such-page", &page, "").await);
    assert!(page.text().starts_with("<!"), "{page}");
    assert_eq!(page.header("Vary"), Some("Accept, Accept-Encoding"));
}

#[tokio::test]
async fn the_answer_to_head_says_the_same_without_a_body() {
    let (gateway, _) = stand(&[]).await;
    let head = gateway.send("HEAD", "/openapi.json", &[("Accept-Encoding", "gzip")], "").await;
    assert_eq!((head.status, head.header("Content-Encoding")), (200, Some("gzip")), "{head}");
    assert_eq!((head.header("Content-Length"), head.header("Vary")), (None, Some("Accept-Encoding")), "{head}");
    let plain = gateway.send("HEAD", "/openapi.json", &[], "").await;
    let length = boltgate::http::openapi().len().to_string();
    assert_eq!((plain.header("Content-Encoding"), plain.header("Content-Length")), (None, Some(&*length)), "{plain}");
    let mut requests = http2::connect(gateway.address()).await;
    let uri = format!("http://{}/openapi.json", gateway.address());
    let request = axum::http::Request::builder().method("HEAD").uri(uri).header("accept-encoding", "zstd");
    let answer = http2::send(&mut requests, request.body(()).unwrap(), "").await.expect("it is answered");
    assert_eq!(answer.headers()["content-encoding"], "zstd");
    assert!(http2::whole(answer).await.expect("it ends in order").is_empty());
}

#[tokio::test]
async fn is_left_out_where_it_is_not_wanted_or_not_worth_it() {
    let (gateway, _) = stand(&[]).await;
    let is_plain = |answer: &Response| {
        assert_eq!((answer.status, answer.header("Content-Encoding")), (202, None), "{answer}");
        assert_eq!(answer.header("Content-Length"), Some(&*answer.body.len().to_string()), "{answer}");
    };
    let small = ask(&gateway, &[("Accept-Encoding", "gzip, zstd")], SMALL).await;
    is_plain(&small);
    assert_eq!(small.header("Vary"), None, "it is the same for everybody");
    for coding in ["", "br", "identity", "gzip;q=0", "*;q=0", "gzip;q=0.5, identity", "gzip;q=2"] {
        let large = ask(&gateway, &[("Accept-Encoding", coding)], LARGE).await;
        is_plain(&large);
        assert_eq!(large.header("Vary"), Some("Accept-Encoding"), "{coding}");
    }
    // Where no coding is acceptable, none is the best that there is.
    is_plain(&ask(&gateway, &[("Accept-Encoding", "identity;q=0, br")], LARGE).await);
    for (values, chosen) in
        [(["gzip;q=0.9", "zstd;q=0.8"], "gzip"), (["gzip", "zstd"], "zstd"), (["gzip;q=0", "*"], "zstd")]
    {
        let answer = ask(&gateway, &values.map(|value| ("Accept-Encoding", value)), LARGE).await;
        assert_eq!(answer.header("Content-Encoding"), Some(chosen), "{values:?}");
    }
}

#[tokio::test]
async fn the_operator_turns_it_off_and_on() {
    let (gateway, _) = stand(&[("http.compression", "false")]).await;
    let packed = [("Accept-Encoding", "gzip")];
    let plain = ask(&gateway, &packed, LARGE).await;
    assert_eq!((plain.header("Content-Encoding"), plain.header("Vary")), (None, None), "{plain}");
    gateway.reload(&[("http.compression", "true")]);
    assert_eq!(rows(&decoded(ask(&gateway, &packed, LARGE).await)), rows(&plain));
    gateway.reload(&[("http.compression", "false")]);
    assert_eq!(ask(&gateway, &packed, LARGE).await.header("Content-Encoding"), None);
}

#[tokio::test]
async fn a_stored_answer_is_compressed_for_whoever_asks() {
    let (gateway, _) = stand(&[]).await;
    let key = ("Idempotency-Key", "k1");
    let first = decoded(ask(&gateway, &[key, ("Accept-Encoding", "gzip")], LARGE).await);
    for coding in ["zstd", "gzip"] {
        let again = ask(&gateway, &[key, ("Accept-Encoding", coding)], LARGE).await;
        assert_eq!(again.header("Idempotency-Replayed"), Some("true"), "{again}");
        assert_eq!(again.header("Content-Encoding"), Some(coding), "{again}");
        assert_eq!(decoded(again).body, first.body, "{coding}");
    }
    let plain = ask(&gateway, &[key], LARGE).await;
    assert_eq!((plain.header("Content-Encoding"), &plain.body), (None, &first.body), "{plain}");
}

#[tokio::test]
async fn pages_of_other_origins_get_it_too() {
    let (gateway, _) = stand(&[("cors.allowed_origins", "https://page.example")]).await;
    let headers = [("Origin", "https://page.example"), ("Accept-Encoding", "gzip"), ("Accept", "text/csv")];
    let answer = ask(&gateway, &headers, LARGE).await;
    assert_eq!(answer.header("Vary"), Some("Accept, Accept-Encoding, Origin"), "{answer}");
    assert!(decoded(answer).text().contains("\r\n100,"));
}

#[tokio::test]
async fn the_metrics_count_what_was_sent() {
    let (gateway, _) = stand(&[("admin.listen", "127.0.0.1:0")]).await;
    let answer = ask(&gateway, &[("Accept-Encoding", "gzip")], "ROWS 20000 WIDE 20").await;
    let sent = gateway.metrics().await.value("boltgate_http_response_body_bytes_total", &[]);
    assert_eq!(sent, answer.body.len() as f64, "{} bytes arrived", answer.body.len());
}
