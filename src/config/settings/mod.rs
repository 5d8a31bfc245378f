//! Owns the sections of the settings, every key in them, and its default.
//!
//! May not know where settings come from.

mod auth;
mod defaults;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use auth::{Algorithm, Auth, BearerCredentials, Impersonation, Inbound, Issuer, ServiceAccount};

use super::values::{
    Age, AllowedHost, AllowedOrigin, ByteSize, Count, DatabaseAlias, DatabaseUri, Factor, Fraction, ListenAddr,
    Neo4jVersion, Network, Percent, TimeSpan, optional,
};

/// Everything an operator can set. The field paths are the key paths of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The listener that clients talk to.
    pub server: Server,
    /// The operator's listener.
    pub admin: Admin,
    /// How answers look.
    pub http: Http,
    /// Pages of other origins.
    pub cors: Cors,
    /// The Bolt database behind the gateway.
    pub database: Database,
    /// Who may come in, and how the database is told.
    pub auth: Auth,
    /// Explicit transactions held open between requests.
    pub transactions: Transactions,
    /// How often and how patiently a transaction is tried again.
    pub retry: Retry,
    /// Requests that are carried out once, however often they are sent.
    pub idempotency: Idempotency,
    /// What a request or an answer may cost.
    pub limits: Limits,
    /// What the gateway says about itself at `GET /`.
    pub discovery: Discovery,
    /// What is logged, and how.
    pub log: Log,
}

/// `[server]`: the listener that clients talk to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// Address and port of the HTTP listener.
    pub listen: ListenAddr,
    /// Names by which clients may ask; empty for what fits the listener.
    pub allowed_hosts: Vec<AllowedHost>,
    /// Proxies whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<Network>,
    /// HTTP connections open at once; further ones wait in the kernel's queue.
    pub max_connections: Count,
    /// Longest time from the first byte of a request's head to its last, and to the first request of a connection.
    pub header_timeout: TimeSpan,
    /// Longest time that a connection is kept without a request.
    pub idle_timeout: TimeSpan,
    /// Age from which on the next answer of a connection is its last, ± 10 %; zero for never.
    pub max_connection_age: Age,
    /// Longest wait for a complete request body.
    pub body_timeout: TimeSpan,
    /// Longest time a client may take no byte of its answer before its query is cancelled.
    pub write_stall_timeout: TimeSpan,
    /// Longest time that a client which has closed its sending half may be sent nothing before it counts as gone.
    pub half_close_timeout: TimeSpan,
    /// Grace for requests in flight after SIGTERM.
    pub shutdown_timeout: TimeSpan,
}

/// `[admin]`: the operator's listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admin {
    /// Address and port of the admin listener; `None` (an empty string) turns it off.
    #[serde(with = "optional")]
    pub listen: Option<ListenAddr>,
}

/// `[http]`: how answers look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Http {
    /// Which status a failure gets, unless the request says so itself.
    pub statuses: Statuses,
}

/// `[cors]`: pages of other origins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cors {
    /// Origins whose pages may send requests; empty for none.
    pub allowed_origins: Vec<AllowedOrigin>,
    /// Whether browsers may add credentials that they keep themselves; not with any origin.
    pub credentials: bool,
    /// How long a browser may remember the answer to a preflight.
    pub max_age: TimeSpan,
}

/// `[database]`: the Bolt database behind the gateway and the wires to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// Where the database listens, and whether TLS is used.
    pub uri: DatabaseUri,
    /// Which server's habits to expect.
    pub dialect: Dialect,
    /// PEM file with the authorities to trust for `bolt+s`; `None` means the system's.
    #[serde(with = "optional")]
    pub ca_file: Option<PathBuf>,
    /// Other names for databases; none on the left twice, in any case.
    pub aliases: Vec<DatabaseAlias>,
    /// Limit for TCP connect, TLS, handshake and login together.
    pub connect_timeout: TimeSpan,
    /// Wires open at once, over all identities.
    pub max_connections: Count,
    /// Percentage of these that one caller may use at a time.
    pub caller_share: Percent,
    /// Longest wait of a request for a free wire.
    pub acquire_timeout: TimeSpan,
    /// Age at which a wire is retired.
    pub max_lifetime: TimeSpan,
    /// Age at which a login is proved again before its wire is lent.
    pub login_age: Age,
    /// Idle time after which a wire is proved by RESET before use.
    pub liveness_after: TimeSpan,
    /// Transaction timeout sent to the database, and cap for a request's `maxExecutionTime`.
    pub max_execution_time: TimeSpan,
    /// How long the database may take to end a statement whose time is over.
    pub termination_grace: TimeSpan,
}

/// `[transactions]`: explicit transactions held open between requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transactions {
    /// Transactions open at once; each one holds a wire.
    pub max: Count,
    /// Percentage of these that one caller may have open at a time.
    pub caller_share: Percent,
    /// Time without a request after which a transaction is rolled back.
    pub idle_timeout: TimeSpan,
    /// Age at which a transaction is rolled back, busy or not.
    pub max_lifetime: TimeSpan,
}

/// `[retry]`: how often and how patiently a transaction is tried again, unless the request says so itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// No further attempt begins later than this after the first failure; zero for never.
    pub max_time: Age,
    /// The pause before the second attempt.
    pub initial_delay: TimeSpan,
    /// How many times as long each pause is as the one before.
    pub multiplier: Factor,
    /// By up to this part of it, each pause is shorter or longer.
    pub jitter: Fraction,
}

/// `[idempotency]`: requests that are carried out once, however often they are sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Idempotency {
    /// For how long an answer can be given again.
    pub keep: TimeSpan,
    /// Largest answer that is kept, in bytes.
    pub max_answer: ByteSize,
    /// All answers that are kept, in bytes.
    pub capacity: ByteSize,
}

/// `[limits]`: what a request or an answer may cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Largest request body, in bytes.
    pub body: ByteSize,
    /// All request bodies that are being read or held, in bytes.
    pub body_memory: ByteSize,
    /// Longest line of a bulk load, in bytes.
    pub line: ByteSize,
    /// Longest statement, in bytes of UTF-8.
    pub statement: ByteSize,
    /// Largest Bolt message accepted from the database, in bytes.
    pub record: ByteSize,
    /// Deepest nesting of lists and maps in parameters.
    pub depth: Count,
}

/// `[discovery]`: what the gateway says about itself at `GET /`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discovery {
    /// The version that clients read to choose their protocol.
    pub neo4j_version: Neo4jVersion,
    /// The edition that clients read.
    pub neo4j_edition: Edition,
}

/// `[log]`: what is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    /// How a log line looks.
    pub format: LogFormat,
    /// Level, or levels per module, in the syntax of `RUST_LOG`.
    pub filter: String,
}

/// Which status a failure gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Statuses {
    /// That of Neo4j's Query API: mostly 400, and 202 once a statement runs.
    QueryApi,
    /// One that says what happened; errors say whether to send the request again.
    Precise,
}

/// Which server's habits to expect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// Chosen from what the server says about itself.
    Auto,
    /// Neo4j.
    Neo4j,
    /// Memgraph.
    Memgraph,
    /// Nothing beyond the Bolt specification.
    Strict,
}

/// The edition told to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Edition {
    /// `community`.
    Community,
    /// `enterprise`.
    Enterprise,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One readable line per event.
    Pretty,
    /// One JSON object per event.
    Json,
}
