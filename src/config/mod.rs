//! Owns the typed settings: every key, its default, and the order file < environment < flags.
//!
//! Promises that a [`Settings`] in hand is complete, in range and free of contradictions, and that
//! every refusal names the key, where the value came from and what to write instead.
//! May not know any other room. The few settings that are secrets are shown by nothing.

mod address;
mod age;
mod alias;
mod auth;
#[cfg(test)]
mod auth_tests;
mod check;
mod check_auth;
mod defaults;
mod effective;
mod env;
mod error;
mod factor;
mod file;
mod named;
mod names;
mod peers;
mod secret;
#[cfg(test)]
mod secret_tests;
#[cfg(test)]
mod section_tests;
mod source;
mod suggest;
#[cfg(test)]
mod tests;
mod text;
mod value;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use address::{DatabaseUri, ListenAddr, UriScheme};
pub use age::{Age, Percent};
pub use alias::DatabaseAlias;
pub use auth::{Algorithm, Auth, BearerCredentials, Impersonation, Inbound, Issuer, ServiceAccount};
pub use effective::Effective;
pub use error::ConfigError;
pub use factor::{Factor, Fraction, Thousandths};
pub use file::ConfigFile;
pub use names::{HeaderName, ImpersonationRule, Scheme};
pub use peers::{AllowedHost, AllowedOrigin, Network};
pub use secret::Secret;
pub use source::{Origin, Override, Sources};
pub use value::{ByteSize, Count, Neo4jVersion, ParseValueError, TimeSpan};

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
    #[serde(with = "text::optional")]
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
    #[serde(with = "text::optional")]
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

impl Settings {
    /// Merges the sources, file < environment < flags, over the defaults.
    ///
    /// # Errors
    ///
    /// The first [`ConfigError`] met: unreadable or malformed source, unknown key, value out of
    /// range, or settings that contradict each other.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        Ok(Effective::load(sources)?.settings)
    }
}
