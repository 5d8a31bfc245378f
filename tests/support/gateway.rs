//! A gateway in this process, on a port of its own.

use std::{path::Path, sync::Arc};

use boltgate::{
    bolt::Endpoint,
    config::{Effective, Override, Sources},
    query::Engine,
    server::{self, ServerHandle, Workers},
    telemetry::logs::LogControl,
};
use tokio::io::DuplexStream;

use super::{
    http::{self, Response},
    openmetrics::Exposition,
};

/// A gateway that serves until it is dropped.
pub struct Gateway {
    running: Option<ServerHandle>,
    address: String,
}

/// The defaults, on any free port, with `changes` on top: `("transactions.max", "3")`.
pub fn settings(changes: &[(&'static str, &str)]) -> Effective {
    let flags = [("server.listen", "127.0.0.1:0")].into_iter().chain(changes.iter().copied());
    let sources = Sources {
        file: None,
        env: Vec::new(),
        flags: flags.map(|(key, value)| Override { key, flag: "--test", value: value.to_owned() }).collect(),
        read_file: |path: &Path| std::fs::read_to_string(path),
    };
    Effective::load(&sources).expect("the test's settings are good")
}

/// A gateway in front of the server at `uri`.
pub async fn start_for(uri: &str) -> Gateway {
    start_for_with(uri, &[]).await
}

/// A gateway in front of the server at `uri`, with changed settings.
pub async fn start_for_with(uri: &str, changes: &[(&'static str, &str)]) -> Gateway {
    let changes: Vec<_> = [("database.uri", uri)].into_iter().chain(changes.iter().copied()).collect();
    let settings = settings(&changes);
    let endpoint = server::network_endpoint(&settings.settings.database).expect("the test's address is good");
    start(&settings, endpoint).await
}

/// A gateway in front of a server in this process.
pub async fn start_memory(
    connect: impl Fn() -> DuplexStream + Send + Sync + 'static,
    changes: &[(&'static str, &str)],
) -> Gateway {
    start(&settings(changes), Endpoint::Memory(Arc::new(connect))).await
}

/// A gateway in front of a fresh embedded database.
#[cfg(feature = "embedded")]
pub async fn start_embedded(changes: &[(&'static str, &str)]) -> Gateway {
    let database = boltgate::embedded::Embedded::open(None).expect("a temporary database opens");
    start_memory(move || database.connect(), changes).await
}

async fn start(settings: &Effective, endpoint: Endpoint) -> Gateway {
    let log = LogControl::detached(settings.settings.log.clone());
    let running = server::start(settings, log, endpoint, Workers::here()).await.expect("the gateway starts");
    let address = running.address().to_string();
    Gateway { running: Some(running), address }
}

impl Gateway {
    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// `127.0.0.1:PORT` of the admin listener.
    pub fn admin_address(&self) -> String {
        self.running.as_ref().and_then(ServerHandle::admin_address).expect("it has an admin listener").to_string()
    }

    /// Sends a request to the admin listener.
    pub async fn admin(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
        http::request(&self.admin_address(), method, path, headers, body.as_bytes()).await
    }

    /// Reads the metrics.
    pub async fn metrics(&self) -> Exposition {
        let response = http::request(&self.admin_address(), "GET", "/metrics", &[], b"").await;
        let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        assert_eq!((response.status, response.header("Content-Type")), (200, Some(kind)), "{response}");
        Exposition::parse(&response.text())
    }

    /// What serves the requests.
    pub fn engine(&self) -> &Engine {
        self.running.as_ref().expect("it runs").engine()
    }

    /// Has it take over settings as SIGHUP does.
    pub fn reload(&self, changes: &[(&'static str, &str)]) {
        let running = self.running.as_ref().expect("it runs");
        assert!(running.reloader().reload(Ok(settings(changes))), "the new settings are good");
    }

    /// Stops it as SIGTERM does.
    pub async fn shutdown(mut self) {
        self.running.take().expect("it runs").shutdown().await;
    }

    /// POSTs a JSON body and gets a JSON answer.
    pub async fn post(&self, path: &str, body: &str) -> Response {
        self.send("POST", path, &[("Content-Type", "application/json")], body).await
    }

    /// Runs one statement on the database `neo4j`.
    pub async fn query(&self, statement: &str) -> Response {
        let body = serde_json::json!({ "statement": statement }).to_string();
        self.post("/db/neo4j/query/v2", &body).await
    }

    /// Sends any request.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
        http::request(&self.address, method, path, headers, body.as_bytes()).await
    }
}
