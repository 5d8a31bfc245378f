//! Explicit transactions, as their owner and as others see them: from opening to their end, whoever ends them.
//!
//! Runs against the embedded database, and against a fake where that cannot fail as wanted.
#![cfg(feature = "embedded")]

mod expiry;
mod failures;
mod lifecycle;
mod ownership;
mod unencodable;
mod writers;

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::support::{
    gateway::{Gateway, start_embedded},
    http::Response,
    query::refused,
};

const TX: &str = "/db/neo4j/query/v2/tx";
/// The longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

async fn gateway() -> Gateway {
    start_embedded(&[]).await
}

/// Runs a statement at `path`.
async fn run(gateway: &Gateway, path: &str, statement: &str) -> Response {
    gateway.post(path, &json!({ "statement": statement }).to_string()).await
}

/// Commits, with nothing more to run.
async fn commit(gateway: &Gateway, path: &str) -> Response {
    gateway.post(&format!("{path}/commit"), "{}").await
}

/// A request that opens a transaction in read mode.
fn reading() -> Value {
    json!({ "accessMode": "READ" })
}

/// Waits until no transaction is open.
async fn until_none_is_open(gateway: &Gateway) {
    let deadline = Instant::now() + PATIENCE;
    while gateway.engine().open_transactions() > 0 {
        assert!(Instant::now() < deadline, "a transaction is still open");
        sleep(PAUSE).await;
    }
}

/// The transaction at `path` cannot be told from one that never was, whatever is asked of it.
async fn is_gone(gateway: &Gateway, path: &str) {
    let because = "It may have timed out and therefore rolled back or the routing header 'neo4j-cluster-affinity' was \
                   not provided.";
    is_gone_because(gateway, path, because).await;
}

/// The transaction at `path` is not there, and its owner is told why.
async fn is_gone_because(gateway: &Gateway, path: &str, because: &str) {
    let id = path.rsplit('/').next().expect("the handle is last");
    let message = format!("Transaction with Id: \"{id}\" was not found. {because}");
    let json = [("Content-Type", "application/json")];
    for (method, path, body) in [
        ("POST", path.to_owned(), r#"{"statement":"RETURN 1"}"#),
        ("POST", path.to_owned(), "{}"),
        ("POST", format!("{path}/commit"), ""),
        ("DELETE", path.to_owned(), ""),
    ] {
        let refused = refused(&gateway.send(method, &path, &json, body).await);
        assert_eq!(
            (refused.status, refused.code.as_str()),
            (404, "Neo.ClientError.Request.Invalid"),
            "{method} {path}"
        );
        assert_eq!(refused.message, message, "{method} {path}");
    }
}
