//! Settings that are one of a few words.

use serde::{Deserialize, Serialize};

/// What becomes of text that a spreadsheet would take for a formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CsvFormulas {
    /// It stays as it is.
    Keep,
    /// It gets a `'` before it.
    Escape,
}

/// What becomes of a named query that the database does not accept at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NamedCheck {
    /// The database is not asked.
    Off,
    /// The log says so.
    Warn,
    /// The gateway does not start.
    Fail,
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

/// Whether clients must show a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientAuth {
    /// Clients without a certificate are refused.
    Require,
    /// Clients may have none.
    Request,
}

/// Which requests get a log line of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccessLog {
    /// Those that are answered with a status of 400 or more.
    Failures,
    /// All.
    All,
    /// None.
    Off,
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
