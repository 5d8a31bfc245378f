//! Neo4j's older HTTP API in front of Memgraph and Neo4j: what differs between them, and when answers begin.

mod begin;
mod on_memgraph;

use serde_json::{Value, json};

use crate::support::{gateway::Gateway, http::Response};

const JSON: (&str, &str) = ("Content-Type", "application/json");

/// The body of a request that asks for the results of `texts` in these forms.
fn statements(texts: &[&str], forms: &[&str]) -> String {
    let statement = |text: &&str| json!({"statement": text, "resultDataContents": forms, "includeStats": true});
    json!({ "statements": texts.iter().map(statement).collect::<Value>() }).to_string()
}

async fn post(gateway: &Gateway, path: &str, texts: &[&str], forms: &[&str]) -> Response {
    gateway.send("POST", path, &[JSON], &statements(texts, forms)).await
}

/// The path in the header that says where the transaction is.
fn location(response: &Response) -> String {
    let location = response.header("Location").expect("it has an address");
    location[location.find("/db/").expect("it is a path of a database")..].to_owned()
}
