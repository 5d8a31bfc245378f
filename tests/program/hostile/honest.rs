//! A client that wants nothing but its answers.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::support::{http::request, query::values};

/// A client that wants nothing but its answers.
pub struct Honest {
    address: Arc<str>,
}

impl Honest {
    pub fn new(address: Arc<str>) -> Self {
        Self { address }
    }

    /// Asks this number of questions, one after another, each on a connection of its own, and says how long each took.
    ///
    /// # Panics
    /// When an answer is wrong.
    pub async fn ask(&self, count: u64) -> Vec<Duration> {
        let mut took = Vec::new();
        for number in 0..count {
            let body = json!({ "statement": "RETURN $n AS n", "parameters": { "n": number } }).to_string();
            let headers = [("Content-Type", "application/json")];
            let began = Instant::now();
            let answer = request(&self.address, "POST", "/db/neo4j/query/v2", &headers, body.as_bytes()).await;
            took.push(began.elapsed());
            assert_eq!(values(&answer), json!([[number]]), "{answer}");
        }
        took
    }
}

/// The time that all but one of a hundred answers stayed below.
pub fn p99(mut took: Vec<Duration>) -> Duration {
    took.sort();
    took[took.len() * 99 / 100]
}
