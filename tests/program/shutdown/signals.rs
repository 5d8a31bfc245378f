//! What a signal ends, and what it lets finish.

use std::net::TcpStream;

use serde_json::json;

use super::{PATH, post, query};
use crate::support::{
    http::Connection,
    process::{Process, wait},
    query::{transaction_id, values},
};

/// Asks for far more than lies between the gateway and a client that does not read, and reads the head of the answer.
async fn unread_answer(address: &str) -> (Connection, super::Response) {
    let mut reader = Connection::open(address).await;
    let text = "x".repeat(10_000);
    let request = json!({ "statement": "UNWIND range(1, 4000) AS i RETURN i, $t AS t", "parameters": { "t": text } });
    reader.post(PATH, &request.to_string()).await;
    let head = reader.head().await;
    assert_eq!(head.status, 202);
    (reader, head)
}

#[tokio::test]
async fn finishes_an_answer_in_flight() {
    let mut process = Process::embedded(&[]);
    let address = process.address();
    let mut idle = Connection::open(&address).await;
    idle.request("GET", "/", &[], "").await;
    assert_eq!(idle.answer().await.status, 200);
    let (mut reader, head) = unread_answer(&address).await;

    process.signal("TERM");
    process.wait_for_line("stopping");
    wait("connections to be refused", || TcpStream::connect(&address).is_err().then_some(()));
    assert_eq!(idle.end().await, b"", "a connection that does nothing is closed");
    assert!(process.runs(), "it waits for the answer to be taken");

    let response = reader.rest(head).await;
    assert_eq!(values(&response).as_array().map(Vec::len), Some(4000));
    assert_eq!(reader.end().await, b"", "no other request is taken");
    assert_eq!(process.exit().code(), Some(0));
    process.wait_for_line("\"stopped\"");
}

#[tokio::test]
async fn stops_on_sigint_as_on_sigterm() {
    for signal in ["TERM", "INT"] {
        let mut process = Process::embedded(&[]);
        assert_eq!(query(&process.address(), "RETURN 1 AS a").await.status, 202);
        process.signal(signal);
        assert_eq!(process.exit().code(), Some(0), "{signal}");
        assert!(process.wait_for_line("stopping").contains(&format!("SIG{signal}")));
    }
}

#[tokio::test]
async fn rolls_back_open_transactions_and_keeps_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("graph.db");
    let mut process = Process::embedded_in(&file, &[]);
    let address = process.address();
    assert_eq!(query(&address, "CREATE (:Kept)").await.status, 202);
    let begun = post(&address, "/db/neo4j/query/v2/tx", &[], r#"{"statement":"CREATE (:Lost)"}"#).await;
    let id = transaction_id(&begun);
    process.signal("TERM");
    assert_eq!(process.exit().code(), Some(0));
    drop(process);

    let process = Process::embedded_in(&file, &[]);
    let address = process.address();
    let counted = query(&address, "MATCH (n) RETURN labels(n) AS l, count(n) AS n").await;
    assert_eq!(values(&counted), json!([[["Kept"], 1]]));
    let gone = post(&address, &format!("/db/neo4j/query/v2/tx/{id}/commit"), &[], "").await;
    assert_eq!(gone.status, 404);
    assert_eq!(query(&address, "CREATE (:Kept)").await.status, 202, "the turn to write is free");
}

#[tokio::test]
async fn stops_at_once_on_a_second_signal() {
    let mut process = Process::embedded(&[]);
    let (_reader, _) = unread_answer(&process.address()).await;
    process.signal("TERM");
    process.wait_for_line("stopping");
    assert!(process.runs());
    process.signal("TERM");
    assert_eq!(process.exit().code(), Some(1), "something was broken off");
    process.wait_for_line("stopped at once");
}

#[tokio::test]
async fn goes_on_after_other_signals() {
    let mut process = Process::embedded(&[]);
    let address = process.address();
    let begun = post(&address, &format!("{PATH}/tx"), &[], "{}").await;
    let id = transaction_id(&begun);
    for signal in ["HUP", "PIPE", "USR1", "USR2", "HUP"] {
        process.signal(signal);
        assert_eq!(query(&address, "RETURN 1 AS a").await.status, 202, "after SIG{signal}");
    }
    process.wait_for_line("the settings were reloaded");
    let committed = post(&address, &format!("{PATH}/tx/{id}/commit"), &[], "").await;
    assert_eq!(committed.status, 202, "what was open is open still");
    let (reader, head) = unread_answer(&address).await;
    process.signal("TERM");
    process.wait_for_line("stopping");
    for signal in ["HUP", "USR1"] {
        process.signal(signal);
    }
    drop((reader, head));
    assert_eq!(process.exit().code(), Some(0), "nor do they while it stops");
}

#[tokio::test]
async fn aborts_requests_after_the_shutdown_timeout() {
    let mut process = Process::embedded_with(&[("BOLTGATE_SERVER__SHUTDOWN_TIMEOUT", "300ms")], &[]);
    let (reader, _) = unread_answer(&process.address()).await;
    process.signal("TERM");
    assert_eq!(process.exit().code(), Some(0));
    process.wait_for_line("server.shutdown_timeout");
    assert!(reader.end().await.len() < 40_000_000, "the answer is not whole");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn exits_despite_a_statement_that_runs() {
    let mut process = Process::embedded_with(&[("BOLTGATE_SERVER__SHUTDOWN_TIMEOUT", "300ms")], &[]);
    let mut client = Connection::open(&process.address()).await;
    // Hours of work, and little memory.
    let statement = "RETURN size([a IN range(1, 100000) WHERE size([b IN range(1, 100000) WHERE b = -a]) = 1]) AS n";
    client.post(PATH, &json!({ "statement": statement }).to_string()).await;
    crate::engine::busy(&process);
    process.signal("TERM");
    assert_eq!(process.exit().code(), Some(0));
    assert_eq!(client.end().await, b"", "there is no answer");
}
