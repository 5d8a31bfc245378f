//! A gateway in front of a fake Memgraph.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{
    bolt::{
        control::{PATIENCE, User},
        fake_memgraph::{FakeMemgraph, Options},
        value,
    },
    gateway::{self, Gateway},
    http::Response,
    query::{transaction_id, values},
};

pub struct Stand {
    pub fake: FakeMemgraph,
    pub gateway: Gateway,
}

/// 2.20, 3.12 and later, with a second and a third database.
pub fn all_versions() -> [Options; 3] {
    [Options::old(), Options::default(), Options::newest()].map(|options| options.with_databases(["a", "b"]))
}

/// `root` may act as others; `ann` and `bob` may not.
pub const ROOT: (&str, &str) = ("Authorization", "Basic cm9vdDpwdw==");
pub const ANN: (&str, &str) = ("Authorization", "Basic YW5uOnB3");
pub const BOB: (&str, &str) = ("Authorization", "Basic Ym9iOnB3");

impl Stand {
    pub async fn start() -> Self {
        Self::start_with(Options::default().with_databases(["a", "b"])).await
    }

    pub async fn start_with(options: Options) -> Self {
        let fake = FakeMemgraph::start_with(options).await;
        let gateway = gateway::start_for(&fake.uri()).await;
        Self { fake, gateway }
    }

    pub async fn with_users(options: Options) -> Self {
        let stand = Self::start_with(options).await;
        for name in ["root", "ann", "bob"] {
            let user = User { password: "pw".into(), admin: name == "root", ..User::default() };
            stand.fake.control.set_user(name, user);
        }
        stand
    }

    pub async fn post(&self, path: &str, body: &Value) -> Response {
        self.gateway.post(path, &body.to_string()).await
    }

    pub async fn post_as(&self, user: (&str, &str), path: &str, body: &Value) -> Response {
        let headers = [("Content-Type", "application/json"), user];
        self.gateway.send("POST", path, &headers, &body.to_string()).await
    }

    /// Runs one statement on the database `memgraph`.
    pub async fn query(&self, statement: &str) -> Response {
        self.post("/db/memgraph/query/v2", &json!({ "statement": statement })).await
    }

    /// Opens a transaction and gives its path.
    pub async fn begin(&self) -> String {
        let response = self.post("/db/memgraph/query/v2/tx", &json!({})).await;
        assert_eq!(response.status, 202, "{response}");
        format!("/db/memgraph/query/v2/tx/{}", transaction_id(&response))
    }

    /// The cells of `WHOAMI`, by name.
    pub fn who_am_i(response: &Response) -> Value {
        let row = &values(response)[0];
        let names =
            ["principal", "imp_user", "db", "mode", "tx_timeout", "tx_metadata", "bookmarks", "connection", "session"];
        names.iter().enumerate().map(|(at, name)| ((*name).to_owned(), row[at].clone())).collect()
    }

    /// The client did nothing that the real server punishes, and left nothing open.
    pub async fn is_content(&self) {
        self.fake.control.wait_for("the end of all", |counts| counts.transactions == 0 && counts.running == 0).await;
        assert_eq!(self.fake.violations(), [""; 0]);
    }

    /// Waits until at most this number of connections is lent or being cleaned.
    pub async fn lent(&self, most: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.gateway.engine().pool_status().in_use > most {
            assert!(Instant::now() < deadline, "a connection is never given back");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// How many statements have reached the server.
    pub fn runs(&self) -> usize {
        self.fake.control.count("RUN")
    }

    pub fn committed(&self, key: &str) -> Option<value::Value> {
        self.fake.store().committed("memgraph", key)
    }
}
