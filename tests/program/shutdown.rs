//! The end of the program, and the log that it leaves: real processes, real signals.
#![cfg(all(feature = "embedded", unix))]
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

#[path = "shutdown/keyed.rs"]
mod keyed;
#[path = "shutdown/log.rs"]
mod log;
#[path = "shutdown/signals.rs"]
mod signals;
mod support;

use serde_json::json;
use support::http::{Response, request};

const PATH: &str = "/db/neo4j/query/v2";

/// POSTs JSON to a process.
async fn post(address: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
    let headers = [&[("Content-Type", "application/json")], headers].concat();
    request(address, "POST", path, &headers, body.as_bytes()).await
}

/// Runs one statement on a process.
async fn query(address: &str, statement: &str) -> Response {
    post(address, PATH, &[], &json!({ "statement": statement }).to_string()).await
}
