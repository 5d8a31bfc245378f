//! The real databases that the environment names, asked past any gateway.
//!
//! Promises that a database which is not there is said aloud: a line that begins with SKIPPED, or a failure where
//! `BOLTGATE_TEST_REQUIRE_SERVERS=1`. Knows nothing of Boltgate.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use tokio::time::sleep;

use super::{http::request, suite};

/// The longest wait for anything.
pub const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(10);

/// Returns the value of an environment variable that names a server; without it, prints that the test is skipped.
///
/// Afterwards the test's suite has the servers to itself (see [`suite`]).
///
/// # Panics
/// When it is missing and `BOLTGATE_TEST_REQUIRE_SERVERS=1`.
pub fn variable(name: &str) -> Option<String> {
    let Some(value) = std::env::var(name).ok().filter(|value| !value.is_empty()) else {
        skip(&format!("{name}; run: eval \"$(tests/servers/all start)\""));
        return None;
    };
    suite::enter();
    Some(value)
}

/// Prints that the test is skipped for lack of `what`.
///
/// # Panics
/// With `BOLTGATE_TEST_REQUIRE_SERVERS=1`.
pub fn skip(what: &str) {
    assert!(std::env::var("BOLTGATE_TEST_REQUIRE_SERVERS").as_deref() != Ok("1"), "this test needs {what}");
    println!("SKIPPED: this test needs {what}");
}

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brand {
    /// Without users.
    Neo4j,
    ArcadeDb,
}

/// A database that runs.
#[derive(Debug, Clone)]
pub struct Server {
    pub brand: Brand,
    /// `bolt://HOST:PORT`.
    pub bolt: String,
    http: String,
}

impl Server {
    pub fn neo4j() -> Option<Self> {
        Self::find(Brand::Neo4j, "BOLTGATE_TEST_NEO4J")
    }

    pub fn arcadedb() -> Option<Self> {
        Self::find(Brand::ArcadeDb, "BOLTGATE_TEST_ARCADEDB")
    }

    fn find(brand: Brand, prefix: &str) -> Option<Self> {
        let variable = |interface: &str| variable(&format!("{prefix}_{interface}"));
        Some(Self { brand, bolt: variable("BOLT")?, http: variable("HTTP")? })
    }

    /// What its callers send as `Authorization`.
    pub fn authorization(&self) -> Option<&'static str> {
        match self.brand {
            Brand::Neo4j => None,
            Brand::ArcadeDb => Some("Basic cm9vdDpwbGF5d2l0aGRhdGE="), // root:playwithdata
        }
    }

    /// The port at which it serves Bolt.
    pub fn port(&self) -> u16 {
        let port = self.bolt.rsplit(':').next().and_then(|port| port.parse().ok());
        port.unwrap_or_else(|| panic!("{} has no port", self.bolt))
    }

    /// The rows of a statement, each with its values by name.
    ///
    /// # Panics
    /// When the database refuses it.
    pub async fn rows(&self, statement: &str, parameters: Value) -> Vec<Map<String, Value>> {
        let (path, body) = match self.brand {
            Brand::Neo4j => ("/db/neo4j/query/v2", json!({ "statement": statement, "parameters": parameters })),
            Brand::ArcadeDb => {
                let body = json!({ "language": "opencypher", "command": statement, "params": parameters, "limit": -1 });
                ("/api/v1/command/neo4j", body)
            }
        };
        let answer = self.post(path, &body).await;
        match self.brand {
            Brand::Neo4j => {
                let (names, rows) = (&answer["data"]["fields"], &answer["data"]["values"]);
                let names: Vec<_> = items(names).iter().map(|name| name.as_str().expect("a name is text")).collect();
                let row = |row: &Value| names.iter().map(|name| (*name).to_owned()).zip(items(row).clone()).collect();
                items(rows).iter().map(row).collect()
            }
            Brand::ArcadeDb => {
                let row = |row: &Value| row.as_object().expect("a row is an object").clone();
                items(&answer["result"]).iter().map(row).collect()
            }
        }
    }

    /// A whole number: the only value of the only row.
    pub async fn number(&self, statement: &str) -> i64 {
        let rows = self.rows(statement, json!({})).await;
        let only = rows.first().and_then(|row| row.values().next()).and_then(Value::as_i64);
        only.unwrap_or_else(|| panic!("{statement}: {rows:?}"))
    }

    /// The status and the text of each transaction on Neo4j whose metadata says that it is of `test`.
    pub async fn transactions(&self, test: &str) -> Vec<Map<String, Value>> {
        let statement = "SHOW TRANSACTIONS YIELD status, currentQuery, metaData WHERE metaData.test = $test \
                         RETURN status, currentQuery";
        self.rows(statement, json!({ "test": test })).await
    }

    /// Waits until Neo4j's list of the transactions of `test` is as it should be, and says how long that took.
    pub async fn until(&self, what: &str, test: &str, is_right: impl Fn(&[Map<String, Value>]) -> bool) -> Duration {
        let began = Instant::now();
        loop {
            let list = self.transactions(test).await;
            let took = began.elapsed();
            if is_right(&list) {
                return took;
            }
            assert!(took < PATIENCE, "waited in vain for {what}: {} transactions, {:?}", list.len(), list.first());
            sleep(PAUSE).await;
        }
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let headers = [("Content-Type", "application/json")].into_iter();
        let headers: Vec<_> = headers.chain(self.authorization().map(|value| ("Authorization", value))).collect();
        let answer = request(&self.http, "POST", path, &headers, body.to_string().as_bytes()).await;
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("{error}: {answer}"));
        assert!((200..300).contains(&answer.status) && body.get("errors").is_none(), "{answer}");
        body
    }

    /// Opens a transaction on Neo4j's own interface with this statement, and gives its path.
    pub async fn begin(&self, statement: &str) -> String {
        let answer = self.post("/db/neo4j/query/v2/tx", &json!({ "statement": statement })).await;
        format!("/db/neo4j/query/v2/tx/{}", answer["transaction"]["id"].as_str().expect("it has a handle"))
    }

    /// Commits what [`Server::begin`] opened.
    pub async fn commit(&self, path: &str) {
        self.post(&format!("{path}/commit"), &json!({})).await;
    }
}

fn items(list: &Value) -> &Vec<Value> {
    list.as_array().unwrap_or_else(|| panic!("not a list: {list}"))
}
