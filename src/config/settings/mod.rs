//! Owns the sections of the settings, their keys and their defaults.
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

/// Everything that an operator can set. The paths of the fields are the keys of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The listener that clients talk to.
    pub server: Server,
    /// The operator's listener.
    pub admin: Admin,
    /// The form of answers.
    pub http: Http,
    /// Web pages of other origins.
    pub cors: Cors,
    /// The Bolt database behind the gateway.
    pub database: Database,
    /// How callers are authenticated.
    pub auth: Auth,
    /// Explicit transactions held open between requests.
    pub transactions: Transactions,
    /// How transactions are retried.
    pub retry: Retry,
    /// Requests that are carried out once, however often they are sent.
    pub idempotency: Idempotency,
    /// The limits of requests and answers.
    pub limits: Limits,
    /// The gateway's description of itself at `GET /`.
    pub discovery: Discovery,
    /// The log.
    pub log: Log,
}

/// `[server]`: the listener that clients talk to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// The address and the port of the listener.
    pub listen: ListenAddr,
    /// The hosts that a request may name; empty for those that suit the listener.
    pub allowed_hosts: Vec<AllowedHost>,
    /// The proxies whose `X-Forwarded-*` headers are trusted.
    pub trusted_proxies: Vec<Network>,
    /// The most HTTP connections that are open at a time; further ones wait in the kernel's queue.
    pub max_connections: Count,
    /// The longest time from the first byte of a request head to its last, and to the first request of a connection.
    pub header_timeout: TimeSpan,
    /// The longest time that a connection is kept without a request.
    pub idle_timeout: TimeSpan,
    /// The age of a connection from which on its next answer is its last, ± 10 %; zero for never.
    pub max_connection_age: Age,
    /// The longest wait for a complete request body.
    pub body_timeout: TimeSpan,
    /// The longest time that a client may take no byte of its answer before its statement is cancelled.
    pub write_stall_timeout: TimeSpan,
    /// How long a client that has closed its sending half may be sent nothing before it counts as gone.
    pub half_close_timeout: TimeSpan,
    /// How long requests in flight may go on after SIGTERM.
    pub shutdown_timeout: TimeSpan,
}

/// `[admin]`: the operator's listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admin {
    /// The address and the port of the listener; `None` (an empty string) turns it off.
    #[serde(with = "optional")]
    pub listen: Option<ListenAddr>,
}

/// `[http]`: the form of answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Http {
    /// The statuses of failures, unless the request chooses them.
    pub statuses: Statuses,
}

/// `[cors]`: web pages of other origins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cors {
    /// The origins whose pages may send requests; empty for none.
    pub allowed_origins: Vec<AllowedOrigin>,
    /// Whether browsers may add credentials that they have stored; not together with `*`.
    pub credentials: bool,
    /// How long a browser may cache the answer to a preflight.
    pub max_age: TimeSpan,
}

/// `[database]`: the Bolt database behind the gateway, and the connections to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// The address of the database, and whether TLS is used.
    pub uri: DatabaseUri,
    /// The kind of server.
    pub dialect: Dialect,
    /// A PEM file with the certificate authorities to trust for `bolt+s`; `None` for the system's.
    #[serde(with = "optional")]
    pub ca_file: Option<PathBuf>,
    /// Other names for databases. No name has two meanings, in any case.
    pub aliases: Vec<DatabaseAlias>,
    /// The longest time for TCP, TLS, handshake and login together.
    pub connect_timeout: TimeSpan,
    /// The most connections that are open at a time, over all identities.
    pub max_connections: Count,
    /// The largest share of these connections, in percent, that one caller may hold.
    pub caller_share: Percent,
    /// The longest wait of a request for a connection.
    pub acquire_timeout: TimeSpan,
    /// The age at which a connection is closed.
    pub max_lifetime: TimeSpan,
    /// The age from which on a login is re-authenticated before its connection is used.
    pub login_age: Age,
    /// The idle time after which a connection has to pass a liveness check before it is used.
    pub liveness_after: TimeSpan,
    /// The transaction timeout that the database is sent, and the limit of a request's `maxExecutionTime`.
    pub max_execution_time: TimeSpan,
    /// How long the database may take to end a statement that has reached its time limit.
    pub termination_grace: TimeSpan,
}

/// `[transactions]`: explicit transactions held open between requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transactions {
    /// The most transactions that are open at a time; each one holds a connection.
    pub max: Count,
    /// The largest share of these transactions, in percent, that one caller may have open.
    pub caller_share: Percent,
    /// The time without a request after which a transaction is rolled back.
    pub idle_timeout: TimeSpan,
    /// The age at which a transaction is rolled back, busy or not.
    pub max_lifetime: TimeSpan,
}

/// `[retry]`: how transactions are retried, unless the request says so itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// The time after the first failure within which attempts begin; zero for no retries.
    pub max_time: Age,
    /// The pause before the second attempt.
    pub initial_delay: TimeSpan,
    /// The factor by which each pause is longer than the one before.
    pub multiplier: Factor,
    /// The part of a pause by which it is made longer or shorter at most, at random.
    pub jitter: Fraction,
}

/// `[idempotency]`: requests that are carried out once, however often they are sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Idempotency {
    /// How long an answer is kept.
    pub keep: TimeSpan,
    /// The largest answer that is kept, in bytes.
    pub max_answer: ByteSize,
    /// The size of all answers that are kept, in bytes.
    pub capacity: ByteSize,
}

/// `[limits]`: the limits of requests and answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// The largest request body, in bytes.
    pub body: ByteSize,
    /// The size of all request bodies that are being read or held, in bytes.
    pub body_memory: ByteSize,
    /// The longest line of a bulk load, in bytes.
    pub line: ByteSize,
    /// The longest statement, in bytes of UTF-8.
    pub statement: ByteSize,
    /// The largest Bolt message that the database may send, in bytes.
    pub record: ByteSize,
    /// The deepest nesting of lists and maps in parameters.
    pub depth: Count,
}

/// `[discovery]`: the gateway's description of itself at `GET /`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discovery {
    /// The version by which clients choose their protocol.
    pub neo4j_version: Neo4jVersion,
    /// The edition.
    pub neo4j_edition: Edition,
}

/// `[log]`: the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    /// The form of a line.
    pub format: LogFormat,
    /// The level, or levels for each module, in the syntax of `RUST_LOG`.
    pub filter: String,
}

/// The statuses of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Statuses {
    /// Those of Neo4j's Query API: mostly 400, and 202 once a statement runs.
    QueryApi,
    /// A status that says what happened. Errors say whether to send the request again.
    Precise,
}

/// The kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// Detected by what the server says about itself.
    Auto,
    /// Neo4j.
    Neo4j,
    /// Memgraph.
    Memgraph,
    /// Any server; relies on nothing but the Bolt specification.
    Strict,
}

/// The edition that clients are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Edition {
    /// `community`.
    Community,
    /// `enterprise`.
    Enterprise,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One readable line per event.
    Pretty,
    /// One JSON object per event.
    Json,
}
