//! What every request has to pass first: the name that it asks for, the page that it comes from, and CORS.
#![cfg(feature = "embedded")]

mod cors;
mod hosts;
mod origins;
mod proxies;

use crate::support::{gateway::Gateway, http::Response, query::refused};

const PATH: &str = "/db/neo4j/query/v2";
const PLAIN: &str = "application/json";
const HOST_NOT_ALLOWED: &str = "Boltgate.ClientError.Request.HostNotAllowed";
const CROSS_ORIGIN: &str = "Boltgate.ClientError.Request.CrossOrigin";

/// Every route, with each method that means something there, and some that mean nothing.
const ROUTES: [(&str, &str); 14] = [
    ("GET", "/"),
    ("HEAD", "/"),
    ("POST", "/"),
    ("GET", "/openapi.json"),
    ("GET", "/nothing"),
    ("POST", "/db/neo4j/query/v2"),
    ("GET", "/db/neo4j/query/v2"),
    ("OPTIONS", "/db/neo4j/query/v2"),
    ("POST", "/db/neo4j/query/v2/batch"),
    ("GET", "/db/neo4j/query/v2/running"),
    ("DELETE", "/db/neo4j/query/v2/running/0"),
    ("POST", "/db/neo4j/query/v2/tx"),
    ("DELETE", "/db/neo4j/query/v2/tx/0"),
    ("POST", "/db/neo4j/tx/commit"),
];

/// Whether the guard refused it so: in the API's form, and with an id for the log.
fn is_refused(response: &Response, status: u16, code: &str) -> bool {
    assert!(response.header("X-Request-Id").is_some(), "{response}");
    if response.body.is_empty() {
        return response.status == status;
    }
    if response.status < 400 {
        return false;
    }
    let refused = refused(response);
    (refused.status, refused.code.as_str()) == (status, code)
}

/// Opens a transaction with as little as possible; the answer's status.
async fn open_transaction(gateway: &Gateway, headers: &[(&str, &str)]) -> Response {
    gateway.send("POST", &format!("{PATH}/tx"), headers, "").await
}

/// How many transactions are open.
fn open(gateway: &Gateway) -> usize {
    gateway.engine().pool_status().in_use
}
