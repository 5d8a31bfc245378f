//! A database, a proxy that cuts, and two gateways: one before the proxy, and one past it that sees what is there.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::table::{MODES, MODES_WITH_LOGIN, Mode, Write};
use crate::support::{
    cut::Cutter,
    gateway::{Gateway, start_for_with},
    http::Response,
    query::{body, values},
};

/// Connections of the gateway before the proxy. Few, so that a lost permit is noticed.
const CONNECTIONS: usize = 3;
/// The longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a database is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// The directives of the fakes.
    Directives,
    Cypher,
}

pub struct Stand {
    pub name: &'static str,
    pub gateway: Gateway,
    pub cutter: Cutter,
    /// Past the proxy.
    observer: Gateway,
    database: &'static str,
    authorization: Option<String>,
    language: Language,
    /// What is to be played on it.
    pub modes: Vec<&'static Mode>,
    /// Of everything that is written here.
    label: String,
}

/// Only what a request needs is to be on the wire, and few connections are to be there.
fn settings(login_age: &str) -> [(&'static str, &str); 9] {
    [
        ("database.max_connections", "3"),
        ("database.caller_share", "100"),
        ("database.connect_timeout", "30s"),
        ("database.acquire_timeout", "30s"),
        ("database.liveness_after", "1h"),
        ("database.login_age", login_age),
        ("transactions.max", "2"),
        ("transactions.caller_share", "100"),
        ("retry.initial_delay", "5ms"),
    ]
}

impl Stand {
    /// `cutter` stands before the database of `observer`.
    pub async fn new(name: &'static str, cutter: Cutter, observer: Gateway, database: &'static str) -> Self {
        let gateway = start_for_with(&cutter.uri(), &settings("1h")).await;
        let label = format!("Crash{}{}", name.replace(|c: char| !c.is_ascii_alphanumeric(), ""), std::process::id());
        Self {
            name,
            gateway,
            cutter,
            observer,
            database,
            authorization: None,
            language: Language::Directives,
            modes: MODES.iter().collect(),
            label,
        }
    }

    pub fn in_cypher(self) -> Self {
        Self { language: Language::Cypher, ..self }
    }

    pub fn with_login(self, authorization: String) -> Self {
        Self { authorization: Some(authorization), ..self }
    }

    /// For databases that know no `IN TRANSACTIONS`.
    pub fn without_batches(mut self) -> Self {
        self.modes.retain(|mode| mode.writes != Some(Write::InBatches));
        self
    }

    /// One of `parts` that make the whole of the modes.
    pub fn part(mut self, number: usize, parts: usize) -> Self {
        let size = self.modes.len().div_ceil(parts);
        self.modes = self.modes.chunks(size).nth(number).unwrap_or_default().to_vec();
        self
    }

    /// With a gateway that proves the login on every request.
    pub async fn proving_logins(self) -> Self {
        let gateway = start_for_with(&self.cutter.uri(), &settings("0s")).await;
        Self { gateway, modes: MODES_WITH_LOGIN.iter().collect(), ..self }
    }

    /// Whether it is known when this database carries something out, and not only that it does.
    pub fn is_exact(&self) -> bool {
        self.language == Language::Directives
    }

    /// The path below which requests go.
    pub fn path(&self, rest: &str) -> String {
        format!("/db/{}/query/v2{rest}", self.database)
    }

    /// Sends a request to the gateway before the proxy.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
        self.send_to(&self.gateway, method, path, headers, body).await
    }

    async fn send_to(
        &self,
        gateway: &Gateway,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response {
        let mut headers = headers.to_vec();
        if let Some(authorization) = &self.authorization {
            headers.push(("Authorization", authorization));
        }
        if !headers.iter().any(|(name, _)| *name == "Content-Type") {
            headers.push(("Content-Type", "application/json"));
        }
        gateway.send(method, path, &headers, body).await
    }

    /// A statement that writes `key` once.
    pub fn statement(&self, write: Write, key: &str) -> String {
        let create = format!("CREATE (n:{} {{cell: '{key}'}})", self.label);
        match (self.language, write) {
            (Language::Directives, Write::Plain) => format!("ADD {key} 1"),
            (Language::Directives, Write::Rows(rows)) => format!("ADD {key} 1 ROWS {rows}"),
            (Language::Directives, Write::Suspect) => format!("ADD {key} 1 {{ }} IN TRANSACTIONS"),
            (Language::Directives, Write::InBatches) => format!("BATCHED 1 {key} {{ }} IN TRANSACTIONS"),
            (Language::Cypher, Write::Plain) => create,
            (Language::Cypher, Write::Rows(rows)) => format!("{create} WITH n UNWIND range(1, {rows}) AS i RETURN i"),
            (Language::Cypher, Write::Suspect) => {
                format!("/* what an escape spells is not looked at: \\u0020 */ {create}")
            }
            (Language::Cypher, Write::InBatches) => {
                format!("UNWIND range(1, 4) AS i CALL (i) {{ {create} }} IN TRANSACTIONS OF 2 ROWS")
            }
        }
    }

    /// How much [`Stand::count`] grows by such a statement.
    pub fn size(&self, write: Write) -> i64 {
        if self.language == Language::Cypher && write == Write::InBatches { 4 } else { 1 }
    }

    /// How often `key` was written, as somebody sees it who has nothing to do with the proxy.
    pub async fn count(&self, key: &str) -> i64 {
        let statement = match self.language {
            Language::Directives => format!("READ {key}"),
            Language::Cypher => format!("MATCH (n:{} {{cell: '{key}'}}) RETURN count(n) AS n", self.label),
        };
        match &values(&self.observe(&statement).await)[0][0] {
            Value::Null => 0,
            count => count.as_i64().unwrap_or_else(|| panic!("no number: {count}")),
        }
    }

    async fn observe(&self, statement: &str) -> Response {
        let request = json!({ "statement": statement }).to_string();
        self.send_to(&self.observer, "POST", &self.path(""), &[], &request).await
    }

    /// Reports what the gateway has lost: every connection and every permit must be available and usable.
    pub async fn lacks(&self) -> Option<String> {
        let engine = self.gateway.engine();
        let deadline = Instant::now() + PATIENCE;
        while engine.pool_status().in_use > 0 || engine.open_transactions() > 0 {
            if Instant::now() > deadline {
                let (status, open) = (engine.pool_status(), engine.open_transactions());
                return Some(format!("something is still held: {status:?}, {open} transactions"));
            }
            sleep(Duration::from_millis(2)).await;
        }
        let request = json!({ "statement": "RETURN 7 AS n" }).to_string();
        let path = self.path("");
        let all = (0..2 * CONNECTIONS).map(|_| self.send("POST", &path, &[], &request));
        let wrong = join_all(all).await.into_iter().find(|answer| body(answer)["data"]["values"] != json!([[7]]));
        wrong.map(|answer| format!("the next request is answered with\n{answer}"))
    }

    /// Takes everything away that was written here; makes the label known, too.
    pub async fn clean(&self) {
        if self.language == Language::Cypher {
            for statement in [self.statement(Write::Plain, ""), format!("MATCH (n:{}) DELETE n", self.label)] {
                values(&self.observe(&statement).await);
            }
        }
    }
}
