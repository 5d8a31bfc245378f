//! When the head of an answer and its first rows leave, and what is held back.

use std::{any::Any, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{location, post, statements};
use crate::support::{
    bolt::{
        control::{Control, Fault, When},
        fake_memgraph::{self, FakeMemgraph},
        fake_neo4j::{self, FakeNeo4j},
    },
    gateway::{Gateway, start_for},
    http::DEADLINE,
    query::body,
};

/// More rows than are asked for at first, which only read.
const MANY: &str = "UNWIND range(1, 100000) AS i RETURN i";

struct Stand {
    gateway: Gateway,
    control: Control,
    /// Ends when it is dropped.
    _fake: Box<dyn Any>,
}

async fn neo4j() -> Stand {
    let fake = FakeNeo4j::start_with(fake_neo4j::Options::default().without_auth()).await;
    Stand { gateway: start_for(&fake.uri()).await, control: fake.control.clone(), _fake: Box::new(fake) }
}

async fn memgraph() -> Stand {
    let fake = FakeMemgraph::start_with(fake_memgraph::Options::default()).await;
    Stand { gateway: start_for(&fake.uri()).await, control: fake.control.clone(), _fake: Box::new(fake) }
}

/// Lets this number of fetches through, and holds the next one for ever.
fn hold_after(control: &Control, fetches: usize) {
    for _ in 0..fetches {
        control.on_next("PULL", Fault::Delay(Duration::ZERO));
    }
    control.on_next("PULL", Fault::Hang);
}

/// What has arrived of the answer when it contains `part`.
async fn receive(gateway: &Gateway, path: &str, texts: &[&str], part: &str) -> String {
    let request = statements(texts, &["row"]);
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        request.len()
    );
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    stream.write_all((head + &request).as_bytes()).await.unwrap();
    let mut received = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&received);
        if text.contains(part) {
            return text.into_owned();
        }
        let more = timeout(DEADLINE, stream.read_buf(&mut received)).await.expect("rows arrive").unwrap();
        assert!(more > 0, "it ends too early: {}", String::from_utf8_lossy(&received));
    }
}

#[tokio::test]
async fn first_rows_leave_before_the_end() {
    for (name, stand) in [("neo4j", neo4j().await), ("memgraph", memgraph().await)] {
        hold_after(&stand.control, 1);
        let path = format!("/db/{name}/tx/commit");
        let text = receive(&stand.gateway, &path, &[MANY], r#"{"row":[60],"meta":[null]}"#).await;
        assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
        assert!(text.to_ascii_lowercase().contains("transfer-encoding: chunked"), "{text}");
    }
}

#[tokio::test]
async fn first_rows_leave_before_the_next_statement_ends() {
    let stand = neo4j().await;
    hold_after(&stand.control, 1);
    // So much text that it is worth sending, and so little that the buffer is not full.
    let texts = ["UNWIND range(1, 20000) AS i RETURN i", "RETURN 1 AS n"];
    receive(&stand.gateway, "/db/neo4j/tx/commit", &texts, r#"{"row":[1000],"meta":[null]}"#).await;
}

#[tokio::test]
async fn first_rows_leave_in_an_open_transaction_whatever_is_written() {
    let stand = neo4j().await;
    hold_after(&stand.control, 1);
    let text = receive(&stand.gateway, "/db/neo4j/tx", &["ADD set 1 ROWS 5000"], r#"[{"row":[1],"#).await;
    assert!(text.starts_with("HTTP/1.1 201 ") && text.to_ascii_lowercase().contains("location: "), "{text}");
}

#[tokio::test]
async fn few_rows_of_what_may_write_are_held_back() {
    let stand = memgraph().await;
    // The first fetch has 64 rows. The second one fails, and another attempt is made: nothing has left.
    let code = "Memgraph.TransientError.MemgraphError.MemgraphError";
    stand.control.fail_statements("ADD set", 1, When::Rows(100), code, CONFLICT);
    let response = post(&stand.gateway, "/db/memgraph/tx/commit", &["ADD set 1 ROWS 500"], &["row"]).await;
    let answer = body(&response);
    assert_eq!(answer["errors"], serde_json::json!([]), "{response}");
    assert_eq!(answer["results"][0]["data"].as_array().map(Vec::len), Some(500), "{response}");
    assert_eq!(response.header("Boltgate-Attempts"), Some("2"));
}

const CONFLICT: &str = "Cannot resolve conflicting transactions. Retry this transaction when the conflicting transaction \
                        is finished. For more details, visit https://memgraph.com/docs";

#[tokio::test]
async fn a_small_answer_has_a_length() {
    for (name, stand) in [("neo4j", neo4j().await), ("memgraph", memgraph().await)] {
        let path = format!("/db/{name}/tx/commit");
        let response = post(&stand.gateway, &path, &["RETURN 1 AS a", "ROWS 20"], &["row"]).await;
        assert!(response.header("Content-Length").is_some(), "{response}");
    }
}

#[tokio::test]
async fn what_fails_before_the_first_rows_has_a_status_of_its_own() {
    let stand = neo4j().await;
    let path = location(&post(&stand.gateway, "/db/neo4j/tx", &[], &["row"]).await);
    stand.control.on_next("PULL", Fault::CloseBefore);
    let lost = post(&stand.gateway, &path, &[MANY], &["row"]).await;
    assert_eq!((lost.status, body(&lost)["errors"].as_array().map(Vec::len)), (503, Some(1)), "{lost}");
}
