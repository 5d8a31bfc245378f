//! A gateway in front of a fake, and the ways in which a statement gets there.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{
    bolt::{
        control::{Control, PATIENCE, Seen, When},
        fake_memgraph::{self, FakeMemgraph},
        fake_neo4j::{self, FakeNeo4j},
        store::Store,
        value,
    },
    gateway::{Gateway, start_memory},
    http::Response,
    query::{body, transaction_id},
};

/// Memgraph's codes: the same two for nearly everything.
pub const TRANSIENT: &str = "Memgraph.TransientError.MemgraphError.MemgraphError";
pub const CLIENT: &str = "Memgraph.ClientError.MemgraphError.MemgraphError";
/// Its word for a conflict.
pub const CONFLICT: &str = "Cannot resolve conflicting transactions. Retry this transaction when the conflicting \
                            transaction is finished. For more details, visit https://memgraph.com/docs";
/// Neo4j's.
pub const DEADLOCK: &str = "Neo.TransientError.Transaction.DeadlockDetected";
pub const UNKNOWN_OUTCOME: &str = "Boltgate.DatabaseError.Transaction.OutcomeUnknown";
/// The wish for statuses as HTTP has them.
pub const PRECISE: (&str, &str) = ("Boltgate-Statuses", "precise");

pub struct Stand {
    pub gateway: Gateway,
    pub control: Control,
    store: Arc<Store>,
    /// Of the database, there and in paths.
    pub name: &'static str,
    /// The code and the words with which it reports a conflict.
    pub conflict: (&'static str, &'static str),
}

pub async fn neo4j(settings: &[(&'static str, &str)]) -> Stand {
    let fake = FakeNeo4j::start_with(fake_neo4j::Options::default().without_auth()).await;
    let (control, store) = (fake.control.clone(), Arc::clone(fake.store()));
    let gateway = start_memory(move || fake.connect(), settings).await;
    Stand { gateway, control, store, name: "neo4j", conflict: (DEADLOCK, "ForsetiClient can't acquire ExclusiveLock") }
}

pub async fn memgraph(settings: &[(&'static str, &str)]) -> Stand {
    memgraph_of(fake_memgraph::Options::default(), settings).await
}

pub async fn memgraph_of(options: fake_memgraph::Options, settings: &[(&'static str, &str)]) -> Stand {
    let fake = FakeMemgraph::start_with(options).await;
    let (control, store) = (fake.control.clone(), Arc::clone(fake.store()));
    let gateway = start_memory(move || fake.connect(), settings).await;
    Stand { gateway, control, store, name: "memgraph", conflict: (TRANSIENT, CONFLICT) }
}

pub async fn stands(settings: &[(&'static str, &str)]) -> [Stand; 2] {
    [neo4j(settings).await, memgraph(settings).await]
}

/// Hardly any pauses, and no end of attempts.
pub fn at_once() -> Value {
    json!({ "initialRetryDelay": 0.001, "retryDelayMultiplier": 1, "maxTransactionRetryTime": 3600 })
}

/// `request` with the members of `more`.
pub fn with(mut request: Value, more: &Value) -> Value {
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    request
}

/// Statements without parameters.
pub fn statements(texts: &[&str]) -> Value {
    let list: Vec<_> = texts.iter().map(|text| json!({ "statement": text })).collect();
    json!({ "statements": list })
}

/// The error, which is the last thing in the answer, or all of it.
pub fn error(response: &Response) -> Value {
    body(response)["errors"][0].clone()
}

/// What the answer says of attempts.
pub fn attempts(response: &Response) -> Option<usize> {
    response.header("Boltgate-Attempts").map(|count| count.parse().unwrap())
}

impl Stand {
    pub fn path(&self, behind: &str) -> String {
        format!("/db/{}/query/v2{behind}", self.name)
    }

    pub async fn post(&self, behind: &str, headers: &[(&str, &str)], request: &Value) -> Response {
        let headers = [&[("Content-Type", "application/json")], headers].concat();
        self.gateway.send("POST", &self.path(behind), &headers, &request.to_string()).await
    }

    /// Runs one statement in a transaction of its own.
    pub async fn query(&self, statement: &str, more: &Value) -> Response {
        self.post("", &[], &with(json!({ "statement": statement }), more)).await
    }

    /// Runs several in one.
    pub async fn batch(&self, texts: &[&str], more: &Value) -> Response {
        self.post("/batch", &[], &with(statements(texts), more)).await
    }

    /// Opens a transaction, and gives what is behind the path of the API.
    pub async fn begin(&self) -> String {
        let answer = self.post("/tx", &[], &json!({})).await;
        format!("/tx/{}", transaction_id(&answer))
    }

    /// The number under a key; 0 if there is none.
    pub fn committed(&self, key: &str) -> i64 {
        self.store.committed(self.name, key).map_or(0, |value| value.as_int().unwrap())
    }

    /// The next `times` statements of this text meet a conflict.
    pub fn conflicts(&self, part: &str, times: usize, when: When) {
        self.control.fail_statements(part, times, when, self.conflict.0, self.conflict.1);
    }

    /// The messages of this name since they were last forgotten.
    pub fn seen(&self, name: &str) -> Vec<Seen> {
        self.control.seen().into_iter().filter(|seen| seen.name() == name).collect()
    }

    /// The member `key` of the maps in which the messages `name` carry their options.
    pub fn extras(&self, name: &str, key: &str) -> Vec<Option<value::Value>> {
        let at = if name == "BEGIN" { 0 } else { 2 };
        self.seen(name).iter().map(|seen| seen.field(at).unwrap().get(key).cloned()).collect()
    }

    /// How many statements of this text have arrived since messages were last forgotten.
    pub fn runs(&self, part: &str) -> usize {
        let runs = self.seen("RUN");
        runs.iter().filter(|run| run.field(0).unwrap().as_str().unwrap().contains(part)).count()
    }

    /// The client did nothing that the real servers punish, nothing is left open, and no connection is being cleaned.
    pub async fn is_content(&self) {
        let over = self.control.wait_for("the end of all", |counts| counts.transactions == 0 && counts.running == 0);
        over.await;
        let deadline = Instant::now() + PATIENCE;
        while self.gateway.engine().pool_status().in_use > 0 {
            assert!(Instant::now() < deadline, "{}: a connection is never given back", self.name);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(self.control.violations(), [""; 0], "{}", self.name);
    }
}
