//! The operator's listener: its routes, who may use them, and what operators see of callers and can end.

mod access;
mod busy;
mod ending;
mod health;
mod listing;
mod log;
mod routes;

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::{
    task::JoinHandle,
    time::{Duration, Instant, sleep},
};

use crate::support::{
    bolt::{
        control::Control,
        fake_memgraph::{FakeMemgraph, Options as MemgraphOptions},
        fake_neo4j::{FakeNeo4j, Options as Neo4jOptions},
    },
    gateway::{Gateway, start_memory},
    http::Response,
    query::body,
};

const PATIENCE: Duration = Duration::from_secs(60);
const ALICE: &str = "Basic YWxpY2U6cHc=";
const LISTEN: (&str, &str) = ("admin.listen", "127.0.0.1:0");
const TOKEN: (&str, &str) = ("admin.token", "a-secret-of-operators");
const BEARER: (&str, &str) = ("Authorization", "Bearer a-secret-of-operators");
/// Longer than any test.
const FOR_AGES: &str = "SLEEP 600000";

/// A gateway with an admin listener, in front of a fake.
struct Stand {
    gateway: Arc<Gateway>,
    control: Control,
    /// The path of the database.
    path: &'static str,
}

impl Stand {
    async fn neo4j(settings: &[(&'static str, &str)]) -> Self {
        let fake = FakeNeo4j::start_with(Neo4jOptions::default().without_auth()).await;
        let control = fake.control.clone();
        let settings = [&[LISTEN, TOKEN], settings].concat();
        let gateway = Arc::new(start_memory(move || fake.connect(), &settings).await);
        Self { gateway, control, path: "/db/neo4j/query/v2" }
    }

    async fn memgraph() -> Self {
        let fake = FakeMemgraph::start_with(MemgraphOptions::default()).await;
        let control = fake.control.clone();
        let gateway = Arc::new(start_memory(move || fake.connect(), &[LISTEN, TOKEN]).await);
        Self { gateway, control, path: "/db/memgraph/query/v2" }
    }

    async fn both() -> [Self; 2] {
        [Self::neo4j(&[]).await, Self::memgraph().await]
    }

    /// Asks as an operator.
    async fn admin(&self, method: &str, path: &str) -> Response {
        self.gateway.admin(method, path, &[BEARER], "").await
    }

    async fn transactions(&self) -> Vec<Value> {
        let answer = self.admin("GET", "/transactions").await;
        assert_eq!(answer.status, 200, "{answer}");
        body(&answer)["transactions"].as_array().expect("a list").clone()
    }

    async fn pools(&self) -> Value {
        body(&self.admin("GET", "/pools").await)
    }

    /// Waits until there is one transaction, in this state.
    async fn until(&self, state: &str) -> Value {
        let is_right = |list: &[Value]| list.len() == 1 && list[0]["state"] == state;
        let mut listed = until(async || self.transactions().await, |list| is_right(list)).await;
        listed.remove(0)
    }

    /// Ends a transaction as an operator.
    async fn end(&self, transaction: &Value) -> Response {
        let id = transaction["id"].as_str().expect("a text");
        self.admin("DELETE", &format!("/transactions/{id}")).await
    }

    /// Asks as Alice.
    async fn send(&self, method: &str, path: &str, body: &Value) -> Response {
        let headers = [("Authorization", ALICE), ("Content-Type", "application/json")];
        self.gateway.send(method, &format!("{}{path}", self.path), &headers, &body.to_string()).await
    }

    /// Sends a request of Alice that stays unanswered for a while.
    fn start(&self, path: &str, headers: &[(&'static str, &'static str)], text: String) -> JoinHandle<Response> {
        let (gateway, path) = (Arc::clone(&self.gateway), format!("{}{path}", self.path));
        let headers = [&[("Authorization", ALICE)], headers].concat();
        tokio::spawn(async move { gateway.send("POST", &path, &headers, &text).await })
    }

    fn start_statement(&self, path: &str, statement: &str) -> JoinHandle<Response> {
        self.start(path, &[("Content-Type", "application/json")], json!({ "statement": statement }).to_string())
    }

    /// Opens a transaction of Alice, and returns its path and its handle.
    async fn begin(&self, request: &Value) -> (String, String) {
        let answer = self.send("POST", "/tx", request).await;
        let handle = body(&answer)["transaction"]["id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        (format!("/tx/{handle}"), handle)
    }
}

/// Asks until the answer is right.
async fn until<T: std::fmt::Debug>(ask: impl AsyncFn() -> T, is_right: impl Fn(&T) -> bool) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = ask().await;
        if is_right(&answer) {
            return answer;
        }
        assert!(Instant::now() < deadline, "{answer:?}");
        sleep(Duration::from_millis(5)).await;
    }
}
