//! Request bodies: how much memory all of them may take, from whom, and for how long.
//!
//! Runs against the fake of Neo4j.

mod coded;
mod given_back;
mod memory;
mod parsing;
mod unverified;

use serde_json::{Value, json};

use crate::support::{
    bolt::fake_neo4j::FakeNeo4j,
    gateway::{Gateway, start_for_with},
    http::{Connection, Response, request},
    query::{body, values},
};

const PATH: &str = "/db/neo4j/query/v2";
/// `neo4j:password`, and somebody else.
const GOOD: &str = "Basic bmVvNGo6cGFzc3dvcmQ=";
const BAD: &str = "Basic bmVvNGo6d3Jvbmc=";
const MIB: usize = 1024 * 1024;

/// A gateway that knows nobody yet.
async fn stand(settings: &[(&'static str, &str)]) -> (FakeNeo4j, Gateway) {
    let fake = FakeNeo4j::start().await;
    let gateway = start_for_with(&fake.uri(), settings).await;
    (fake, gateway)
}

/// A statement with a parameter, so that the body has `size` bytes.
fn of_size(size: usize) -> String {
    let bare = json!({ "statement": "WHOAMI", "parameters": { "x": "" } }).to_string().len();
    json!({ "statement": "WHOAMI", "parameters": { "x": "x".repeat(size - bare) } }).to_string()
}

async fn post(address: &str, authorization: &str, text: &str) -> Response {
    let headers = [("Content-Type", "application/json"), ("Authorization", authorization)];
    request(address, "POST", PATH, &headers, text.as_bytes()).await
}

/// The database answers to it.
async fn is_served(gateway: &Gateway, size: usize) {
    let answer = post(gateway.address(), GOOD, &of_size(size)).await;
    assert_eq!((answer.status, &values(&answer)[0][0]), (202, &json!("neo4j")), "{answer}");
}

fn head(path: &str, authorization: &str, more: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: {authorization}\r\n\
         {more}\r\n\r\n"
    )
}

fn error(answer: &Response) -> Value {
    body(answer)["errors"][0].clone()
}

/// A connection whose body of this number of bytes is being read.
async fn reading(gateway: &Gateway, size: usize) -> Connection {
    let mut connection = Connection::open(gateway.address()).await;
    let more = format!("Content-Length: {size}\r\nExpect: 100-continue");
    connection.send(head(PATH, GOOD, &more).as_bytes()).await;
    // It is asked for once it has been counted.
    assert_eq!(connection.head().await.status, 100);
    connection
}
