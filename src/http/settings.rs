//! The settings of the HTTP room.

use std::time::Duration;

use axum::http::HeaderName;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{BodyLimits, CsvFormulas, GuardSettings, IdempotencySettings, Statuses};
use crate::{
    auth::WhoRules,
    config::InstanceName,
    named::Queries,
    query::{Denied, Retry},
    telemetry::spans::Tracer,
};

/// The settings of Bolt over WebSocket.
#[derive(Debug, Clone, Copy)]
pub struct WebSocketSettings {
    /// The most sockets that are open at a time.
    pub max_connections: usize,
    /// The time without a byte after which a socket is closed.
    pub idle_timeout: Duration,
    /// The age at which a socket is closed.
    pub max_lifetime: Duration,
}

/// The settings of the service for clients.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which requests are admitted.
    pub guard: GuardSettings,
    /// The most requests to databases in flight.
    pub requests: usize,
    /// The most requests of one caller to databases in flight.
    pub caller_requests: usize,
    /// The longest request body, in bytes.
    pub body: usize,
    /// The longest request body once it is unpacked, in bytes.
    pub decompressed_body: usize,
    /// The memory for all request bodies that are being read or held, in bytes. At least `body` and `line`.
    pub body_memory: usize,
    /// How long a request body may take to arrive; for a bulk load, the longest pause between two parts of it.
    pub body_timeout: Duration,
    /// The longest line of a bulk load, in bytes.
    pub line: usize,
    /// Limits on the contents of a body.
    pub content: BodyLimits,
    /// The most that waits for nodes, in bytes: rows of the transactional API, relationships of a graph document.
    pub graph: usize,
    /// The most nodes and relationships of a graph document.
    pub graph_elements: usize,
    /// The header that holds the ID token sent with an access token.
    pub id_token_header: HeaderName,
    /// The statuses of errors, unless the request chooses.
    pub statuses: Statuses,
    /// Whether every answer says how long its parts took.
    pub server_timing: bool,
    /// Whether `Accept-Encoding` is honoured.
    pub compression: bool,
    /// What CSV does with formulas, unless the request says.
    pub csv_formulas: CsvFormulas,
    /// Who may send statements of their own.
    pub cypher: WhoRules,
    /// The named queries.
    pub named: Queries,
    /// Whether the list of named queries has their statements.
    pub named_statements: bool,
    /// Whether Neo4j's transactional API is served.
    pub transactional: bool,
    /// The database of its paths of Neo4j 3.5, if they are served.
    pub older_database: Option<String>,
    /// Tools for agents; `None` for none.
    pub mcp: Option<McpSettings>,
    /// How often a statement is retried, unless the request says.
    pub retry: Retry,
    /// How answers are kept for `Idempotency-Key`.
    pub idempotency: IdempotencySettings,
    /// Tracks work that continues after its client is gone.
    pub work: TaskTracker,
    /// Cancelled when everything that still runs has to end at once.
    pub at_once: CancellationToken,
    /// Bolt over WebSocket; `None` if it is not served.
    pub websocket: Option<WebSocketSettings>,
    /// The version of Neo4j that clients are told.
    pub neo4j_version: String,
    /// The edition of Neo4j that clients are told.
    pub neo4j_edition: &'static str,
    /// The port on which the database listens for Bolt; `None` for one in this process.
    pub bolt_port: Option<u16>,
    /// The console; `None` if it is not served.
    pub console: Option<ConsoleSettings>,
    /// The gateway's name among several.
    pub instance: Option<InstanceName>,
    /// Makes the spans of requests; `None` without a collector.
    pub tracer: Option<Tracer>,
}

/// The settings of the tools for agents.
#[derive(Debug, Clone)]
pub struct McpSettings {
    /// Whether there is a tool that writes.
    pub write: bool,
    /// The most rows of a result.
    pub max_rows: u32,
    /// The most text of the rows of a result, or of a schema, in bytes.
    pub max_bytes: usize,
    /// What statements may not call.
    pub denied: Denied,
}

/// The settings of the console.
#[derive(Debug, Clone)]
pub struct ConsoleSettings {
    /// Where people sign in with OpenID Connect; `None` if they cannot.
    pub oidc: Option<ConsoleIssuer>,
}

/// An issuer at which the console has people sign in. It is a public client, so nothing of this is secret.
#[derive(Debug, Clone)]
pub struct ConsoleIssuer {
    /// The issuer's URL.
    pub issuer: String,
    /// The console's name at the issuer.
    pub client_id: String,
    /// The scopes to ask for.
    pub scopes: Vec<String>,
}
