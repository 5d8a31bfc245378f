//! Owns the sections of the settings, their keys and their defaults.
//!
//! May not know where settings come from.

mod auth;
mod choices;
mod defaults;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use auth::{Algorithm, Auth, BearerCredentials, Impersonation, Inbound, Issuer, ServiceAccount};
pub use choices::{AccessLog, ClientAuth, CsvFormulas, Dialect, Edition, LogFormat, NamedCheck, Statuses};

use super::values::{
    Age, AllowedHost, AllowedOrigin, ByteSize, Count, CountLimit, DatabaseAlias, DatabaseName, DatabaseUri, Factor,
    Fraction, HttpUrl, InstanceName, ListenAddr, Neo4jVersion, Network, Percent, Secret, SizeLimit, SocketMode,
    TimeSpan, WhoRule, optional,
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
    /// The formats of results.
    pub formats: Formats,
    /// The console for people.
    pub console: Console,
    /// Web pages of other origins.
    pub cors: Cors,
    /// The Bolt database behind the gateway.
    pub database: Database,
    /// How callers are authenticated.
    pub auth: Auth,
    /// Statements of callers' own.
    pub cypher: Cypher,
    /// Named queries.
    pub named: Named,
    /// Explicit transactions held open between requests.
    pub transactions: Transactions,
    /// How transactions are retried.
    pub retry: Retry,
    /// Requests that are carried out once, however often they are sent.
    pub idempotency: Idempotency,
    /// The limits of requests and answers.
    pub limits: Limits,
    /// Tools for agents.
    pub mcp: Mcp,
    /// Bolt over WebSocket, for drivers in web pages.
    pub websocket: WebSocket,
    /// The gateway's description of itself at `GET /`.
    pub discovery: Discovery,
    /// The log.
    pub log: Log,
    /// What the gateway reports to collectors.
    pub telemetry: Telemetry,
}

/// `[server]`: the listener that clients talk to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// The address and the port of the listener.
    pub listen: ListenAddr,
    /// The file mode of the listener's Unix socket.
    pub socket_mode: SocketMode,
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
    /// How long everything is still served after SIGTERM, while `/ready` says 503.
    pub drain_delay: Age,
    /// How long requests in flight may go on after that.
    pub shutdown_timeout: TimeSpan,
    /// The name of this gateway among several; `None` if it is the only one.
    #[serde(with = "optional")]
    pub instance: Option<InstanceName>,
    /// TLS.
    pub tls: ServerTls,
}

/// `[server.tls]`: TLS of the listener that clients talk to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerTls {
    /// A PEM file with the certificate chain, leaf first; `None` for no TLS.
    #[serde(with = "optional")]
    pub certificate: Option<PathBuf>,
    /// A PEM file with the private key of the certificate.
    #[serde(with = "optional")]
    pub key: Option<PathBuf>,
    /// A PEM file with the authorities that issue clients' certificates; `None` if clients need none.
    #[serde(with = "optional")]
    pub client_ca: Option<PathBuf>,
    /// Whether clients must show a certificate of these authorities.
    pub client_auth: ClientAuth,
    /// The longest time that a handshake may take.
    pub handshake_timeout: TimeSpan,
    /// How often the files are compared with those in use; zero for SIGHUP only.
    pub reload: Age,
}

/// `[admin]`: the operator's listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admin {
    /// The address and the port of the listener; `None` (an empty string) turns it off.
    #[serde(with = "optional")]
    pub listen: Option<ListenAddr>,
    /// The file mode of the listener's Unix socket.
    pub socket_mode: SocketMode,
    /// The token that all routes but `/live` and `/ready` require; empty for none.
    pub token: Secret,
}

/// `[http]`: the form of answers, and which APIs are served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Http {
    /// The statuses of failures, unless the request chooses them.
    pub statuses: Statuses,
    /// Whether every answer has a `Server-Timing` header.
    pub server_timing: bool,
    /// Whether answers are compressed for clients that accept it.
    pub compression: bool,
    /// Whether Neo4j's transactional HTTP API is served.
    pub transactional: bool,
    /// Whether its paths of Neo4j 3.5 are served too.
    pub older_paths: bool,
    /// The database that those paths mean.
    pub older_database: DatabaseName,
}

/// `[formats]`: results in formats other than JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Formats {
    /// What CSV does with text that a spreadsheet would take for a formula, unless the request says.
    pub csv_formulas: CsvFormulas,
}

/// `[console]`: a page in which people ask the database and see its graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Console {
    /// Whether it is served.
    pub enabled: bool,
    /// The name of the issuer in `auth.issuers` at which people sign in; empty for none.
    pub oidc_issuer: String,
    /// The console's client id there.
    pub oidc_client_id: String,
    /// The scopes that it asks for.
    pub oidc_scopes: Vec<String>,
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

/// `[cypher]`: statements of callers' own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cypher {
    /// Who may send statements of their own.
    pub allow: Vec<WhoRule>,
}

/// `[named]`: named queries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The folder of their files; `None` for no named queries.
    #[serde(with = "optional")]
    pub directory: Option<PathBuf>,
    /// What becomes of a query that the database does not accept at the start.
    pub check: NamedCheck,
    /// Whether the list of queries has their statements.
    pub show_statements: bool,
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
    /// The largest request body once it is unpacked, in bytes.
    pub decompressed_body: ByteSize,
    /// The most requests that are served at a time.
    pub requests: Count,
    /// The most requests of one caller that are served at a time.
    pub caller_requests: Count,
    /// The most requests that wait for a connection to the database.
    pub waiting: Count,
    /// The most requests of one caller that wait for a connection to the database.
    pub caller_waiting: Count,
    /// The most rows of a result.
    pub result_rows: CountLimit,
    /// The largest result, in bytes of the answer.
    pub result_bytes: SizeLimit,
    /// The most that waits for the ends of relationships, in bytes: rows of the form `graph`, relationships of a graph
    /// document.
    pub graph: ByteSize,
    /// The most nodes and relationships of a graph document.
    pub graph_elements: Count,
}

/// `[mcp]`: tools for agents at `/mcp`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mcp {
    /// Whether they are served.
    pub enabled: bool,
    /// Whether one of them may write.
    pub write: bool,
    /// The most rows of a result.
    pub max_rows: Count,
    /// The most text of the rows of a result, in bytes.
    pub max_bytes: ByteSize,
    /// The procedures, functions and clauses that statements may not use.
    pub deny: Vec<String>,
}

/// `[websocket]`: Bolt over WebSocket, for drivers in web pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebSocket {
    /// Whether it is served.
    pub enabled: bool,
    /// The most sockets that are open at a time; each one has a connection to the database of its own.
    pub max_connections: Count,
    /// The time without a byte after which a socket is closed.
    pub idle_timeout: TimeSpan,
    /// The age at which a socket is closed.
    pub max_lifetime: TimeSpan,
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
    /// Which requests get a line of their own.
    pub access: AccessLog,
    /// The time from which on a statement gets a line of its own; zero for never.
    pub slow_query: Age,
}

/// `[telemetry]`: what the gateway reports to collectors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telemetry {
    /// Traces.
    pub otlp: Otlp,
}

/// `[telemetry.otlp]`: traces, sent to an OpenTelemetry collector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Otlp {
    /// The address of the collector, without `/v1/traces`; `None` turns traces off.
    #[serde(with = "optional")]
    pub endpoint: Option<HttpUrl>,
    /// Headers of each export, as `name=value`.
    pub headers: Vec<Secret>,
    /// The share of the traces that begin here which is sampled.
    pub sample: Fraction,
    /// Whether spans hold the text of statements.
    pub statements: bool,
    /// The longest time that an export may take.
    pub timeout: TimeSpan,
    /// The name of this service in traces.
    pub service_name: String,
}
