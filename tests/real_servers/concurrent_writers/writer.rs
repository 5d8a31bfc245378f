//! One of many who write, and the account that they keep of what they were told.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::time::sleep;

use super::graph::{Graph, HUB, Link, NODES};
use crate::support::{
    chance::{below, between},
    client::{BATCH, QUERY, Refusal, Said, TX, transaction},
    http::Response,
};

/// The number of attempts at one transaction before a client gives up.
const ATTEMPTS: u32 = 100;

/// How a change is made.
#[derive(Debug, Clone, Copy)]
pub enum Way {
    /// One statement, which the gateway retries.
    Automatic,
    /// Several in one request, which the gateway retries.
    Batch,
    /// Several requests, which the client retries.
    Explicit,
}

pub struct Writer {
    graph: Arc<Graph>,
    name: String,
    tally: Tally,
}

/// What requests have said.
#[derive(Debug, Default)]
pub struct Tally {
    /// By how much each counter has to have grown.
    pub counters: BTreeMap<String, i64>,
    links: Vec<Link>,
    /// Changes that were made.
    pub done: usize,
    /// Changes that were not, however often they were tried.
    pub refused: usize,
    /// Changes that were not, of those that are tried only once.
    pub conflicts: usize,
    /// Attempts that were repeated.
    pub retried: u64,
}

impl Writer {
    pub fn new(graph: Arc<Graph>, name: String) -> Self {
        Self { graph, name, tally: Tally::default() }
    }

    /// Makes this number of changes, alternating between the ways.
    pub async fn write(mut self, requests: usize, ways: &'static [Way]) -> Tally {
        for request in 0..requests {
            let link = self.draw(request);
            match ways[request % ways.len()] {
                Way::Automatic => self.automatic(request, link).await,
                Way::Batch => self.batch(link).await,
                Way::Explicit => self.explicit(link).await,
            }
        }
        self.tally
    }

    /// Any two nodes, in any order.
    fn draw(&self, request: usize) -> Link {
        let from = below(6) as usize;
        let to = (from + 1 + below(5) as usize) % 6;
        (format!("{}-{request}", self.name), NODES[from].to_owned(), NODES[to].to_owned())
    }

    async fn automatic(&mut self, request: usize, link: Link) {
        match self.graph.join(&link).filter(|_| request % 2 == 1) {
            Some(join) => {
                let answer = self.graph.client.post(QUERY, &join).await;
                if self.was_done(&answer, true) {
                    self.tally.count(&[&link.1, &link.2]);
                    self.tally.links.push(link);
                }
            }
            None => {
                let answer = self.graph.client.post(QUERY, &self.graph.increment(HUB)).await;
                if self.was_done(&answer, self.graph.undoes_refused()) {
                    self.tally.count(&[HUB]);
                }
            }
        }
    }

    /// The common counter comes last: taken first, it would keep the writers from meeting anywhere else.
    fn statements(&self, link: &Link) -> Vec<Value> {
        let mut statements = vec![self.graph.increment(&link.1), self.graph.increment(&link.2)];
        statements.extend(self.graph.link(link));
        statements.push(self.graph.increment(HUB));
        statements
    }

    async fn batch(&mut self, link: Link) {
        let answer = self.graph.client.post(BATCH, &json!({ "statements": self.statements(&link) })).await;
        if self.was_done(&answer, true) {
            self.count_all(link);
        }
    }

    /// Whether a request was carried out, which the gateway retries if it `may` be.
    fn was_done(&mut self, answer: &Response, may: bool) -> bool {
        let attempts: u64 = answer.header("Boltgate-Attempts").map_or(1, |n| n.parse().expect("it is a number"));
        assert!(may || attempts == 1, "it was tried again: {answer}");
        self.tally.retried += attempts - 1;
        match Said::by(answer) {
            Said::Yes(_) => {
                self.tally.done += 1;
                true
            }
            Said::No(Refusal { retryable, code, .. }) if retryable == may && code.contains(".TransientError.") => {
                *if may { &mut self.tally.refused } else { &mut self.tally.conflicts } += 1;
                false
            }
            other => panic!("{other:?}"),
        }
    }

    async fn explicit(&mut self, link: Link) {
        for attempt in 0..ATTEMPTS {
            match self.attempt(&link).await {
                Ok(()) => {
                    self.tally.done += 1;
                    self.tally.retried += u64::from(attempt);
                    return self.count_all(link);
                }
                Err(refusal) => assert!(refusal.retryable, "{refusal:?}"),
            }
            let longest = Duration::from_millis(50) * (attempt + 1).min(10);
            sleep(between(Duration::from_millis(10), longest)).await;
        }
        self.tally.refused += 1;
        self.tally.retried += u64::from(ATTEMPTS);
    }

    /// One transaction of several requests.
    async fn attempt(&self, link: &Link) -> Result<(), Refusal> {
        let mut path = TX.to_owned();
        for statement in self.statements(link) {
            let body = self.ask(&path, &statement).await?;
            if path == TX {
                path = format!("{TX}/{}", transaction(&body));
            }
        }
        self.ask(&format!("{path}/commit"), &json!({})).await?;
        Ok(())
    }

    async fn ask(&self, path: &str, body: &Value) -> Result<Value, Refusal> {
        match Said::by(&self.graph.client.post(path, body).await) {
            Said::Yes(body) => Ok(body),
            Said::No(refusal) => Err(refusal),
            Said::Unknown(reason) => panic!("no connection was lost: {reason}"),
        }
    }

    fn count_all(&mut self, link: Link) {
        self.tally.count(&[&link.1, &link.2, HUB]);
        if self.graph.has_links() {
            self.tally.links.push(link);
        }
    }
}

impl Tally {
    fn count(&mut self, keys: &[&str]) {
        for key in keys {
            *self.counters.entry((*key).to_owned()).or_default() += 1;
        }
    }

    /// Takes another's account over.
    pub fn add(&mut self, other: Self) {
        for (key, n) in other.counters {
            *self.counters.entry(key).or_default() += n;
        }
        self.links.extend(other.links);
        self.done += other.done;
        self.refused += other.refused;
        self.conflicts += other.conflicts;
        self.retried += other.retried;
    }

    /// The relationships that have to be there, in order.
    pub fn links(&self) -> Vec<Link> {
        let mut links = self.links.clone();
        links.sort();
        links
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { done, refused, conflicts, retried, .. } = self;
        write!(f, "{done} done, {refused} refused, {conflicts} refused at once, {retried} attempts repeated")
    }
}
