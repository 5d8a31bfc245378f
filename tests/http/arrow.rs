//! Results as Arrow streams, for data frames.
#![cfg(all(feature = "arrow", feature = "embedded"))]

use std::io::Cursor;

use arrow_array::{RecordBatch, cast::AsArray as _, types::Int64Type};
use arrow_ipc::reader::StreamReader;
use arrow_schema::Schema;
use serde_json::{Value, json};

use crate::support::{
    bolt::fake_neo4j::{FakeNeo4j, Options},
    gateway::{Gateway, start_embedded, start_memory},
    http::{Response, try_request},
    http2,
    query::{begin, body, count, refused},
};

const PATH: &str = "/db/neo4j/query/v2";
const ARROW: &str = "application/vnd.apache.arrow.stream";
const HEADERS: [(&str, &str); 2] = [("Content-Type", "application/json"), ("Accept", ARROW)];
/// What a complete stream ends with.
const MARKER: [u8; 8] = [0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0];

async fn ask_at(gateway: &Gateway, path: &str, request: &Value) -> Response {
    gateway.send("POST", path, &HEADERS, &request.to_string()).await
}

async fn ask(gateway: &Gateway, statement: &str) -> Response {
    ask_at(gateway, PATH, &json!({ "statement": statement })).await
}

/// The schema and the batches of a complete answer.
fn read(answer: &Response) -> (std::sync::Arc<Schema>, Vec<RecordBatch>) {
    assert_eq!((answer.status, answer.header("Content-Type")), (200, Some(ARROW)), "{answer}");
    assert!(answer.body.ends_with(&MARKER));
    let reader = StreamReader::try_new(Cursor::new(&answer.body), None).expect("it has a schema");
    (reader.schema(), reader.map(|batch| batch.expect("it is whole")).collect())
}

fn rows(answer: &Response) -> usize {
    read(answer).1.iter().map(RecordBatch::num_rows).sum()
}

#[tokio::test]
async fn a_result_is_a_stream_of_typed_columns() {
    let gateway = start_embedded(&[]).await;
    let answer = ask(&gateway, "UNWIND [1, null, 3] AS n RETURN n, 'x' AS text, [1.5] AS list, n AS m").await;
    assert_eq!(answer.header("Vary"), Some("Accept, Accept-Encoding"), "{answer}");
    let (schema, batches) = read(&answer);
    let types: Vec<_> = schema.fields().iter().map(|field| &*field.metadata()["boltgate:type"]).collect();
    assert_eq!(types, ["Integer", "String", "List", "Integer"]);
    assert!(schema.fields().iter().all(|field| field.is_nullable()));
    let numbers: Vec<_> = batches[0].column(0).as_primitive::<Int64Type>().iter().collect();
    assert_eq!((batches.len(), numbers), (1, vec![Some(1), None, Some(3)]));
    assert_eq!(rows(&ask(&gateway, "UNWIND range(1, 30000) AS n RETURN n").await), 30_000);
}

#[tokio::test]
async fn what_returns_nothing_is_a_schema_alone() {
    let gateway = start_embedded(&[]).await;
    let (schema, batches) = read(&ask(&gateway, "CREATE (:N)").await);
    assert_eq!((schema.fields().len(), batches.len()), (0, 0));
    let (schema, batches) = read(&ask(&gateway, "MATCH (n:Nobody) RETURN n.a AS a, n.b AS b").await);
    assert_eq!((schema.fields().len(), batches.len()), (2, 0));
    assert_eq!(schema.field(0).metadata()["boltgate:type"], "Null");
}

#[tokio::test]
async fn the_request_decides_the_types_if_it_says_so() {
    let gateway = start_embedded(&[]).await;
    let request = |arrow: Value| json!({ "statement": "UNWIND [1, 2] AS a RETURN a, a AS b", "arrow": arrow });
    let answer = ask_at(&gateway, PATH, &request(json!({ "columns": { "a": "float64" }, "sample": 1 }))).await;
    let types: Vec<_> = read(&answer).0.fields().iter().map(|field| field.data_type().to_string()).collect();
    assert_eq!(types, ["Float64", "Int64"]);
    for (arrow, expected) in [
        (json!({ "columns": { "c": "int64" } }), "\"c\", but the result has no such column; it has: a, b"),
        (json!({ "columns": { "a": "bool" } }), "\"a\" is bool (Boolean), as the request declares, but row 1"),
        (json!({ "columns": { "a": "int" } }), "arrow.columns.a must be one of bool, int64, float64,"),
        (json!({ "columns": { "a": 1 } }), "arrow.columns.a must be one of bool, int64, float64,"),
        (json!({ "columns": [] }), "arrow.columns must be an object or null"),
        (json!({ "sample": 0 }), "arrow.sample must be a whole number from 1 to 100000, not the number 0"),
        (json!({ "sample": 100_001 }), "arrow.sample must be a whole number from 1 to 100000"),
        (json!({ "rows": 1 }), "arrow: unknown field `rows`; known fields: columns, sample"),
        (json!([1]), "arrow must be an object or null, not an array"),
    ] {
        let error = refused(&ask_at(&gateway, PATH, &request(arrow.clone())).await);
        assert_eq!((error.status, error.message.contains(expected)), (400, true), "{}", error.message);
        // Other formats do not look at it.
        let answer = gateway.post(PATH, &request(arrow).to_string()).await;
        assert_eq!(answer.status, 202, "{answer}");
    }
    let answer = ask_at(&gateway, PATH, &request(Value::Null)).await;
    assert_eq!(rows(&answer), 2);
}

#[tokio::test]
async fn an_error_before_the_first_byte_is_json_with_its_own_status() {
    let gateway = start_embedded(&[("limits.result_rows", "5000")]).await;
    for (statement, code) in [
        ("RETRUN 1", "Neo.ClientError.Statement.SyntaxError"),
        ("UNWIND [1, 0] AS x RETURN 1 / x AS y", "Neo.ClientError.Statement.ArithmeticError"),
        ("UNWIND range(1, 5001) AS x CREATE (:W) RETURN x", "Boltgate.ClientError.Limit.ResultRows"),
    ] {
        // Whatever comes with the sample has not left yet, however many fetches it takes.
        let answer = ask_at(&gateway, PATH, &json!({ "statement": statement, "arrow": { "sample": 6000 } })).await;
        assert_eq!((answer.status, answer.header("Content-Type")), (400, Some("application/json")), "{answer}");
        assert_eq!(body(&answer)["errors"][0]["code"], code, "{answer}");
    }
    assert_eq!(count(&gateway, "W").await, 0);
}

#[tokio::test]
async fn an_error_within_a_sample_of_several_fetches_has_its_own_status() {
    let fake = FakeNeo4j::start_with(Options::default().without_auth()).await;
    let gateway = start_memory(move || fake.connect(), &[]).await;
    let statement = "FAILPULL 3000 Neo.TransientError.General.OutOfMemoryError no memory";
    let answer = ask_at(&gateway, PATH, &json!({ "statement": statement, "arrow": { "sample": 5000 } })).await;
    assert_eq!(answer.header("Content-Type"), Some("application/json"), "{answer}");
    assert_eq!(refused(&answer).code, "Neo.TransientError.General.OutOfMemoryError");
}

#[tokio::test]
async fn results_larger_than_allowed_are_refused_and_undone() {
    let gateway = start_embedded(&[("limits.result_bytes", "2000")]).await;
    let creating = |rows: usize| format!("UNWIND range(1, {rows}) AS i CREATE (n:X {{i: i}}) RETURN n.i AS i");
    for rows in [500, 20_000] {
        let error = refused(&ask(&gateway, &creating(rows)).await);
        assert_eq!((error.status, &*error.code), (400, "Boltgate.ClientError.Limit.ResultBytes"));
        assert!(error.message.ends_with("The transaction was rolled back."), "{}", error.message);
    }
    assert_eq!(count(&gateway, "X").await, 0);
    assert_eq!(rows(&ask(&gateway, &creating(100)).await), 100);
    assert_eq!(count(&gateway, "X").await, 100);
}

#[tokio::test]
async fn a_late_surprise_breaks_the_transfer_off() {
    let gateway = start_embedded(&[]).await;
    let late = "UNWIND range(1, 40000) AS n RETURN CASE n WHEN 39999 THEN 'x' ELSE n END AS n";
    let fake = FakeNeo4j::start_with(Options::default().without_auth()).await;
    let failing = start_memory(move || fake.connect(), &[]).await;
    let failure = "FAILPULL 3000 Neo.TransientError.General.OutOfMemoryError no memory";
    for (gateway, statement) in [(&gateway, late), (&failing, failure)] {
        let request = json!({ "statement": statement }).to_string();
        let http1 = try_request(gateway.address(), "POST", PATH, &HEADERS, request.as_bytes()).await;
        assert!(http1.is_err(), "the last chunk is missing: {http1:?}");
        let mut requests = http2::connect(gateway.address()).await;
        let head = http2::post(gateway.address(), PATH).header("accept", ARROW).body(()).unwrap();
        let answer = http2::send(&mut requests, head, request).await.expect("it is answered");
        assert_eq!(answer.status().as_u16(), 200);
        let reset = http2::whole(answer).await.unwrap_err();
        assert_eq!(reset.reason(), Some(h2::Reason::INTERNAL_ERROR), "{reset}");
    }
}

#[tokio::test]
async fn transactions_show_arrow_where_they_have_a_statement() {
    let gateway = start_embedded(&[]).await;
    let path = begin(&gateway, &json!({ "statement": "CREATE (:T {x: 1})" })).await;
    let request = |statement: &str| json!({ "statement": statement, "arrow": { "sample": 1 } });
    assert_eq!(rows(&ask_at(&gateway, &path, &request("MATCH (n:T) RETURN n.x AS x")).await), 1);
    for (path, request) in [
        (path.clone(), "{}"),
        (format!("{path}/commit"), "{}"),
        (format!("{PATH}/tx"), "{\"statement\":\"RETURN 1\"}"),
        (format!("{PATH}/batch"), "{\"statements\":[{\"statement\":\"RETURN 1\"}]}"),
    ] {
        let answer = gateway.send("POST", &path, &HEADERS, request).await;
        assert_eq!(answer.status, 406, "{path}: {answer}");
        assert!(!answer.text().contains(ARROW), "{answer}");
    }
    // A row that does not fit rolls it back, as one that cannot be shown does in any format.
    let declared = json!({ "statement": "RETURN 1 AS x", "arrow": { "columns": { "x": "string" } } });
    let error = refused(&ask_at(&gateway, &path, &declared).await);
    assert!(error.message.ends_with("The transaction was rolled back."), "{}", error.message);
    assert_eq!(count(&gateway, "T").await, 0);
}

#[tokio::test]
async fn an_answer_is_repeated_under_its_key() {
    let gateway = start_embedded(&[("idempotency.max_answer", "16KiB")]).await;
    let creating = |rows: usize| json!({ "statement": format!("UNWIND range(1, {rows}) AS i CREATE (:K) RETURN i") });
    let send = async |key: &str, request: Value| {
        let headers = [&HEADERS[..], &[("Idempotency-Key", key)]].concat();
        gateway.send("POST", PATH, &headers, &request.to_string()).await
    };
    let first = send("a", creating(3)).await;
    let again = send("a", creating(3)).await;
    assert_eq!((rows(&first), again.header("Idempotency-Replayed")), (3, Some("true")), "{again}");
    assert_eq!(first.body, again.body);
    assert_eq!(count(&gateway, "K").await, 3);
    let error = refused(&send("b", creating(10_000)).await);
    assert!(error.message.contains("idempotency.max_answer"), "{}", error.message);
}
