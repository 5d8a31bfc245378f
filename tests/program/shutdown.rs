//! The end of the program, and the log that it leaves: real processes, real signals.
#![cfg(all(feature = "embedded", unix))]

mod drain;
mod keyed;
mod log;
mod signals;

use serde_json::json;

use crate::support::http::{Response, request};

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
