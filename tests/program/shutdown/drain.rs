//! The time between a signal to stop and the stop: load balancers learn of it before anything is refused.

use std::net::TcpStream;

use serde_json::json;
use tokio::time::timeout;

use super::{PATH, post};
use crate::support::{
    http::{Connection, DEADLINE},
    http2,
    process::Process,
    query::transaction_id,
};

/// A process that goes on serving for `delay` after a signal.
fn draining(delay: &str) -> Process {
    Process::embedded_with(&[("BOLTGATE_SERVER__DRAIN_DELAY", delay)], &["--admin-listen=127.0.0.1:0"])
}

#[tokio::test]
async fn serves_everything_but_new_transactions_while_it_drains() {
    // It ends by a second signal.
    let mut process = draining("1h");
    let address = process.address();
    let mut kept = Connection::open(&address).await;
    kept.request("GET", "/", &[], "").await;
    assert_eq!(kept.answer().await.header("Connection"), None);
    let begun = post(&address, &format!("{PATH}/tx"), &[], "{}").await;
    let id = transaction_id(&begun);

    process.signal("TERM");
    process.wait_for_line("stopping");
    // It may say so a moment before.
    let last = loop {
        kept.request("GET", "/", &[], "").await;
        let answer = kept.answer().await;
        assert_eq!(answer.status, 200);
        if let Some(connection) = answer.header("Connection") {
            break connection.to_owned();
        }
    };
    assert_eq!(last, "close");
    assert_eq!(kept.end().await, b"", "it is closed after its answer");

    let mut new = Connection::open(&address).await;
    new.post(PATH, r#"{"statement":"RETURN 1 AS a"}"#).await;
    let answer = new.answer().await;
    assert_eq!((answer.status, answer.header("Connection")), (202, Some("close")), "new connections are served");
    let refused = post(&address, &format!("{PATH}/tx"), &[], r#"{"statement":"RETURN 1"}"#).await;
    assert_eq!((refused.status, refused.header("Retry-After")), (503, Some("1")), "{refused}");
    assert!(refused.text().contains("about to stop"), "{refused}");
    let committed = post(&address, &format!("{PATH}/tx/{id}/commit"), &[], "").await;
    assert_eq!(committed.status, 202, "what was open goes on");
    let mut operator = Connection::open(&process.admin_address()).await;
    operator.request("GET", "/live", &[], "").await;
    let answer = operator.answer().await;
    assert_eq!((answer.status, answer.header("Connection")), (200, None), "operators are served to the end");

    process.signal("TERM");
    assert_eq!(process.exit().code(), Some(1));
}

#[tokio::test]
async fn stops_when_the_delay_is_over() {
    let mut process = draining("300ms");
    let address = process.address();
    let mut idle = Connection::open(&address).await;
    idle.request("GET", "/", &[], "").await;
    assert_eq!(idle.answer().await.status, 200);
    let (mut requests, ending) = http2::connect_and_watch(&address).await;
    assert_eq!(http2::query(&mut requests, &address, json!({ "statement": "RETURN 1" })).await.0, 202);
    process.signal("TERM");
    assert_eq!(idle.end().await, b"", "what is idle is closed");
    let ended = timeout(DEADLINE, ending).await.expect("it ends").unwrap();
    assert!(ended.is_ok(), "it ends by GOAWAY, in order: {ended:?}");
    assert_eq!(process.exit().code(), Some(0));
    assert!(TcpStream::connect(&address).is_err());
}
