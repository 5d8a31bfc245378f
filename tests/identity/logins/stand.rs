//! A gateway in front of either fake, with users who ask it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::support::{
    bolt::{
        control::{Control, PATIENCE, User},
        fake_memgraph::FakeMemgraph,
        fake_neo4j::{self, FakeNeo4j},
    },
    gateway::{self, Gateway},
    http::Response,
    query::{authorization, is_refusal, transaction_id, values},
};

/// Somebody with a password.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    pub name: &'static str,
    pub password: &'static str,
}

pub const ALICE: Caller = Caller { name: "alice", password: "wonderland" };
pub const BOB: Caller = Caller { name: "bob", password: "builder" };
pub const ADMIN: Caller = Caller { name: "neo4j", password: "password" };

impl Caller {
    /// This user with another password.
    pub fn with(self, password: &'static str) -> Self {
        Self { password, ..self }
    }

    /// The value of `Authorization`.
    pub fn authorization(self) -> String {
        authorization(self.name, self.password)
    }
}

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Neo4j,
    Memgraph,
}

pub const BOTH: [Kind; 2] = [Kind::Neo4j, Kind::Memgraph];

/// How often the gateway may have asked the database about one wrong credential since `begun`: a refusal stands for two
/// seconds, which a busy machine may need for a few requests.
pub fn most_refusals(begun: Instant) -> usize {
    1 + begun.elapsed().as_secs() as usize / 2
}

enum Fake {
    Neo4j(FakeNeo4j),
    Memgraph(FakeMemgraph),
}

pub struct Stand {
    fake: Fake,
    pub gateway: Gateway,
    base: &'static str,
}

impl Stand {
    /// The users are [`ALICE`], [`BOB`] and [`ADMIN`].
    pub async fn start(kind: Kind, settings: &[(&'static str, &str)]) -> Self {
        match kind {
            Kind::Neo4j => Self::neo4j(fake_neo4j::Options::default(), settings).await,
            Kind::Memgraph => {
                let fake = FakeMemgraph::start().await;
                for Caller { name, password } in [ALICE, BOB, ADMIN] {
                    let user = User { password: password.into(), admin: name == ADMIN.name, ..User::default() };
                    fake.control.set_user(name, user);
                }
                let gateway = gateway::start_for_with(&fake.uri(), settings).await;
                Self { fake: Fake::Memgraph(fake), gateway, base: "/db/memgraph/query/v2" }
            }
        }
    }

    pub async fn neo4j(options: fake_neo4j::Options, settings: &[(&'static str, &str)]) -> Self {
        let fake = FakeNeo4j::start_with(options).await;
        let gateway = gateway::start_for_with(&fake.uri(), settings).await;
        Self { fake: Fake::Neo4j(fake), gateway, base: "/db/neo4j/query/v2" }
    }

    pub fn control(&self) -> &Control {
        match &self.fake {
            Fake::Neo4j(fake) => &fake.control,
            Fake::Memgraph(fake) => &fake.control,
        }
    }

    /// Has the gateway take over these settings, in place of those it started with.
    pub fn reload(&self, settings: &[(&'static str, &str)]) {
        let uri = match &self.fake {
            Fake::Neo4j(fake) => fake.uri(),
            Fake::Memgraph(fake) => fake.uri(),
        };
        self.gateway.reload(&[&[("database.uri", uri.as_str())], settings].concat());
    }

    /// Waits until this number of requests waits for a connection.
    pub async fn queues(&self, requests: usize) {
        let queued = async {
            while self.gateway.engine().pool_status().waiting != requests {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, queued).await.unwrap_or_else(|_| panic!("never waiting: {requests} requests"));
    }

    /// Sends a request to what is behind `/db/NAME/query/v2`.
    pub async fn send(&self, who: Caller, method: &str, path: &str, body: &Value) -> Response {
        self.send_with(&who.authorization(), method, path, body).await
    }

    /// Sends a request with any `Authorization`.
    pub async fn send_with(&self, authorization: &str, method: &str, path: &str, body: &Value) -> Response {
        let headers = [("Content-Type", "application/json"), ("Authorization", authorization)];
        self.gateway.send(method, &self.path(path), &headers, &body.to_string()).await
    }

    /// The whole of a path behind `/db/NAME/query/v2`.
    pub fn path(&self, behind: &str) -> String {
        format!("{}{behind}", self.base)
    }

    pub async fn run(&self, who: Caller, path: &str, statement: &str) -> Response {
        self.send(who, "POST", path, &json!({ "statement": statement })).await
    }

    /// A request of `who` is served, as `who`.
    pub async fn serves(&self, who: Caller) {
        let answer = self.run(who, "", "WHOAMI").await;
        assert_eq!(values(&answer)[0][0], who.name, "{answer}");
    }

    /// A request of `who` is refused for its password.
    pub async fn refuses(&self, who: Caller) {
        is_refusal(&self.run(who, "", "WHOAMI").await);
    }

    /// Opens a transaction and gives its path, from `/tx` on.
    pub async fn begin(&self, who: Caller) -> String {
        let answer = self.send(who, "POST", "/tx", &json!({})).await;
        assert_eq!(answer.status, 202, "{answer}");
        format!("/tx/{}", transaction_id(&answer))
    }

    /// Leaves this number of idle connections of `who` in the pool.
    pub async fn warm(&self, who: Caller, connections: usize) {
        let mut transactions = Vec::new();
        for _ in 0..connections {
            transactions.push(self.begin(who).await);
        }
        for path in transactions {
            let ended = self.send(who, "DELETE", &path, &json!({})).await;
            assert_eq!(ended.status, 200, "{ended}");
        }
    }

    /// The names of all messages since the journal was last forgotten, in the order in which they came.
    pub fn journal(&self) -> Vec<&'static str> {
        self.control().seen().iter().map(|seen| seen.name()).collect()
    }

    /// The client did nothing that the real server punishes, and left nothing open.
    pub async fn is_content(&self) {
        self.control().wait_for("the end of all", |counts| counts.transactions == 0 && counts.running == 0).await;
        assert_eq!(self.control().violations(), [""; 0]);
    }
}
