//! What was written, as the database itself tells it, against what customers were told.

use std::{collections::HashMap, fmt, time::Duration};

use serde_json::json;

use crate::support::servers::Server;

/// What customers were told about their writes.
#[derive(Debug, Default)]
pub struct Tally {
    pub done: Vec<String>,
    pub refused: Vec<String>,
    pub unknown: Vec<String>,
    /// Right answers to what only reads.
    pub read: usize,
    /// Requests of all kinds, with those that failed or were given up.
    pub requests: usize,
    /// The longest time that an answer took.
    pub longest: Duration,
}

impl Tally {
    pub fn add(&mut self, other: Self) {
        self.done.extend(other.done);
        self.refused.extend(other.refused);
        self.unknown.extend(other.unknown);
        self.read += other.read;
        self.requests += other.requests;
        self.longest = self.longest.max(other.longest);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { done, refused, unknown, read, requests, longest } = self;
        let (done, refused, unknown) = (done.len(), refused.len(), unknown.len());
        write!(
            f,
            "{requests} requests, {read} reads right, writes: {done} confirmed, {refused} refused, {unknown} unknown; \
             longest answer {longest:.1?}"
        )
    }
}

/// The database, asked past the gateway.
pub struct Audit {
    server: Server,
    run: String,
}

impl Audit {
    pub fn of(server: Server) -> Self {
        Self { server, run: format!("chaos{}", std::process::id()) }
    }

    /// The name of this run, in nodes and in the metadata of transactions.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// The first of a kind has databases make room for it.
    pub async fn prepare(&self) {
        self.server.rows("CREATE (:Chaos {run: $run, key: 'first'})", json!({ "run": self.run })).await;
        self.remove().await;
    }

    async fn remove(&self) {
        self.server.rows("MATCH (n:Chaos {run: $run}) DELETE n", json!({ "run": self.run })).await;
    }

    /// Compares what is there with what customers were told, and takes it away.
    pub async fn agrees_with(&self, tally: &Tally) {
        // What nobody waits for any more may still run.
        self.server.until("the end of all transactions", &self.run, <[_]>::is_empty).await;
        let statement = "MATCH (n:Chaos {run: $run}) RETURN n.key AS key, count(n) AS count";
        let rows = self.server.rows(statement, json!({ "run": self.run })).await;
        let there: HashMap<&str, i64> =
            rows.iter().map(|row| (row["key"].as_str().unwrap(), row["count"].as_i64().unwrap())).collect();
        let count = |key: &String| there.get(key.as_str()).copied().unwrap_or_default();
        for (key, count) in &there {
            assert_eq!(*count, 1, "{key} was written {count} times");
        }
        for key in &tally.done {
            assert_eq!(count(key), 1, "{key} was confirmed and is not there");
        }
        for key in &tally.refused {
            assert_eq!(count(key), 0, "{key} was refused and is there");
        }
        let told = tally.done.len() + tally.refused.len() + tally.unknown.len();
        assert!(there.len() <= told, "nobody knows of some: {} of {told}", there.len());
        self.remove().await;
    }
}
