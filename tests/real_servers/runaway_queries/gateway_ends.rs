//! The gateway itself ends, in order or not.

use tokio::task::block_in_place;

use super::{SILENCE, STREAM, Stage, read};
use crate::support::client::QUERY;

/// Sends the signal while one statement gives rows and another gives none.
async fn with_two_under_way(signal: &str, code: Option<i32>) {
    let Some(stage) = Stage::enter().await else { return };
    let mut gateway = stage.gateway(&[("BOLTGATE_SERVER__SHUTDOWN_TIMEOUT", "500ms")]);
    let mut reader = gateway.send(QUERY, &stage.request(STREAM)).await;
    let waiter = gateway.send(QUERY, &stage.request(SILENCE)).await;
    read(&mut reader, 1024).await;
    stage.is_at_work(2).await;
    gateway.process.signal(signal);
    stage.is_free(&format!("SIG{signal} (shutdown_timeout 500 ms)")).await;
    let exit = block_in_place(|| gateway.process.exit());
    assert_eq!(exit.code(), code, "{:#?}", gateway.process.log());
    assert_eq!(waiter.end().await, b"", "there is no answer");
    assert!(!reader.end().await.ends_with(b"0\r\n\r\n"), "the answer is not whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn frees_the_database_on_sigterm() {
    with_two_under_way("TERM", Some(0)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frees_the_database_on_sigkill() {
    with_two_under_way("KILL", None).await;
}
