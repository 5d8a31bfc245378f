//! What is written to: counters, and relationships between them. How that is said to each database, and what it holds.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};

use crate::support::{
    bolt::{fake_memgraph::FakeMemgraph, fake_neo4j::FakeNeo4j, store::Store, value},
    client::Client,
    gateway::{self, Gateway},
    query::values,
    servers::{Brand, Server},
};

/// The counter that everybody increments.
pub const HUB: &str = "hub";
/// The counters between which relationships are built.
pub const NODES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// A relationship: who built it, from which node to which.
pub type Link = (String, String, String);

pub struct Graph {
    pub name: &'static str,
    pub client: Client,
    gateway: Gateway,
    words: Words,
}

/// How statements are put, and where their effect is seen.
enum Words {
    Cypher {
        label: String,
        /// None: through the gateway.
        server: Option<Server>,
    },
    /// The language of the fakes, who know no relationships.
    Directives { store: Arc<Store>, database: &'static str },
}

/// More than there are writers.
const SETTINGS: [(&str, &str); 2] = [("transactions.caller_share", "100"), ("database.caller_share", "100")];

impl Graph {
    pub async fn of_server(server: Server) -> Self {
        let gateway = gateway::start_for_with(&server.bolt, &SETTINGS).await;
        let client = Client { address: gateway.address().to_owned(), authorization: server.authorization() };
        let name = match server.brand {
            Brand::Neo4j => "Neo4j",
            Brand::ArcadeDb => "ArcadeDB",
        };
        let words = Words::Cypher { label: format!("Writers{}", std::process::id()), server: Some(server) };
        Self { name, client, gateway, words }
    }

    #[cfg(feature = "embedded")]
    pub async fn embedded() -> Self {
        let gateway = gateway::start_embedded(&SETTINGS).await;
        Self::without_server("embedded", gateway, Words::Cypher { label: "Writers".to_owned(), server: None })
    }

    pub async fn of_fake_neo4j(fake: FakeNeo4j) -> Self {
        let words = Words::Directives { store: Arc::clone(fake.store()), database: "neo4j" };
        Self::without_server("FakeNeo4j", gateway::start_memory(move || fake.connect(), &SETTINGS).await, words)
    }

    pub async fn of_fake_memgraph(fake: FakeMemgraph) -> Self {
        let words = Words::Directives { store: Arc::clone(fake.store()), database: "memgraph" };
        let settings = [&SETTINGS[..], &[("database.aliases", "neo4j -> memgraph")]].concat();
        Self::without_server("FakeMemgraph", gateway::start_memory(move || fake.connect(), &settings).await, words)
    }

    fn without_server(name: &'static str, gateway: Gateway, words: Words) -> Self {
        let client = Client { address: gateway.address().to_owned(), authorization: None };
        Self { name, client, gateway, words }
    }

    /// Adds one to a counter.
    pub fn increment(&self, key: &str) -> Value {
        match &self.words {
            Words::Cypher { label, .. } => json!({
                "statement": format!("MATCH (c:{label} {{key: $key}}) SET c.n = c.n + 1"),
                "parameters": { "key": key },
            }),
            Words::Directives { .. } => json!({ "statement": format!("ADD {key} 1") }),
        }
    }

    /// Builds a relationship, where there are any.
    pub fn link(&self, (by, from, to): &Link) -> Option<Value> {
        let Words::Cypher { label, .. } = &self.words else { return None };
        Some(json!({
            "statement": format!(
                "MATCH (a:{label} {{key: $from}}), (b:{label} {{key: $to}}) CREATE (a)-[:{label}Link {{by: $by}}]->(b)"
            ),
            "parameters": { "by": by, "from": from, "to": to },
        }))
    }

    /// Whether the database undoes a statement that it refuses outside of transactions. ArcadeDB keeps some of it, if it
    /// changes several records; so such statements are not retried.
    pub fn undoes_refused(&self) -> bool {
        let Words::Cypher { server: Some(server), .. } = &self.words else { return true };
        server.brand != Brand::ArcadeDb
    }

    /// Adds one to two counters and builds a relationship between them, in one statement, where that is all or nothing.
    pub fn join(&self, (by, from, to): &Link) -> Option<Value> {
        let Words::Cypher { label, .. } = &self.words else { return None };
        if !self.undoes_refused() {
            return None;
        }
        Some(json!({
            "statement": format!(
                "MATCH (a:{label} {{key: $from}}), (b:{label} {{key: $to}}) \
                 SET a.n = a.n + 1 SET b.n = b.n + 1 CREATE (a)-[:{label}Link {{by: $by}}]->(b)"
            ),
            "parameters": { "by": by, "from": from, "to": to },
        }))
    }

    /// Puts all counters to zero. The first relationship of its type is built here: databases make room for it.
    pub async fn create(&self) {
        let Words::Cypher { label, .. } = &self.words else { return };
        self.remove().await;
        for key in NODES.into_iter().chain([HUB]) {
            self.run(&format!("CREATE (:{label} {{key: '{key}', n: 0}})")).await;
        }
        self.run(&format!("MATCH (a:{label} {{key: 'hub'}}) CREATE (a)-[:{label}Link {{by: 'nobody'}}]->(a)")).await;
        self.run(&format!("MATCH (:{label})-[l:{label}Link]->() DELETE l")).await;
    }

    pub async fn remove(&self) {
        if let Words::Cypher { label, .. } = &self.words {
            self.run(&format!("MATCH (c:{label}) DETACH DELETE c")).await;
        }
    }

    /// The counters that are not zero.
    pub async fn counters(&self) -> BTreeMap<String, i64> {
        let keys = NODES.into_iter().chain([HUB]);
        let counted: Vec<_> = match &self.words {
            Words::Cypher { label, server } => {
                let rows =
                    self.rows(server.as_ref(), &format!("MATCH (c:{label}) RETURN c.key AS key, c.n AS n")).await;
                rows.iter().map(|row| (text(&row["key"]), row["n"].as_i64().expect("n is a number"))).collect()
            }
            Words::Directives { store, database } => {
                let committed = |key| match store.committed(database, key) {
                    Some(value::Value::Int(n)) => n,
                    None => 0,
                    other => panic!("{key}: {other:?}"),
                };
                keys.map(|key| (key.to_owned(), committed(key))).collect()
            }
        };
        counted.into_iter().filter(|(_, n)| *n != 0).collect()
    }

    /// All relationships, in order.
    pub async fn links(&self) -> Vec<Link> {
        let Words::Cypher { label, server } = &self.words else { return Vec::new() };
        let statement =
            format!("MATCH (a:{label})-[l:{label}Link]->(b) RETURN l.by AS by, a.key AS from_, b.key AS to_");
        let rows = self.rows(server.as_ref(), &statement).await;
        let mut links: Vec<_> =
            rows.iter().map(|row| (text(&row["by"]), text(&row["from_"]), text(&row["to_"]))).collect();
        links.sort();
        links
    }

    /// Whether there are relationships.
    pub fn has_links(&self) -> bool {
        matches!(self.words, Words::Cypher { .. })
    }

    async fn run(&self, statement: &str) {
        let request = json!({ "statement": statement });
        crate::support::client::Said::by(&self.client.post(crate::support::client::QUERY, &request).await).yes();
    }

    /// Past the gateway where that is possible.
    async fn rows(&self, server: Option<&Server>, statement: &str) -> Vec<serde_json::Map<String, Value>> {
        if let Some(server) = server {
            return server.rows(statement, json!({})).await;
        }
        let answer = self.gateway.query(statement).await;
        let names = crate::support::query::body(&answer)["data"]["fields"].clone();
        let names: Vec<_> = names.as_array().expect("there are names").iter().map(text).collect();
        let rows = values(&answer);
        let rows = rows.as_array().expect("there are rows").iter();
        rows.map(|row| names.iter().cloned().zip(row.as_array().expect("a row is a list").clone()).collect()).collect()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not text: {value}")).to_owned()
}
