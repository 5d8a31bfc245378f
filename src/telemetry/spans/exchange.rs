//! The exchanges of a request with the database, one after the other.

use std::time::Instant;

use super::span::{DatabaseSpan, Failure, beginning};
use crate::telemetry::trace_context::SpanId;

/// The longest text of a statement in a span, in bytes.
const LONGEST_STATEMENT: usize = 16 * 1024;
/// The longest name of a database and the longest code, in bytes.
const LONGEST: usize = 1024;

/// The kind of all servers that have no name of their own in spans.
const OTHER: &str = "other";

/// What the database is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// To run a statement.
    Run,
    /// To begin a transaction.
    Begin,
    /// To commit it.
    Commit,
    /// To roll it back.
    Rollback,
}

impl Operation {
    /// The name of the message.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "RUN",
            Self::Begin => "BEGIN",
            Self::Commit => "COMMIT",
            Self::Rollback => "ROLLBACK",
        }
    }
}

/// How an exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExchangeOutcome<'a> {
    /// As it should.
    Succeeded,
    /// With an error of this code.
    Failed(&'a str),
    /// Nobody waits for its end any longer.
    Abandoned,
}

impl ExchangeOutcome<'_> {
    pub(super) fn failure(self) -> Option<Failure> {
        match self {
            Self::Succeeded => None,
            Self::Failed(code) => Some(Failure::Code(beginning(code, LONGEST))),
            Self::Abandoned => Some(Failure::Abandoned),
        }
    }
}

/// The exchanges of one request.
#[derive(Debug)]
pub(super) struct Exchanges {
    /// `neo4j`, `memgraph` or `other`.
    pub(super) system: &'static str,
    pub(super) namespace: String,
    /// The id of the exchange that begins next, if the database was told it already.
    pub(super) announced: Option<SpanId>,
    /// The one that has not ended.
    pub(super) open: Option<OpenExchange>,
}

/// An exchange that has not ended.
#[derive(Debug)]
pub(super) struct OpenExchange {
    pub(super) id: SpanId,
    pub(super) since: Instant,
    pub(super) operation: Operation,
    pub(super) statement: Option<String>,
    pub(super) rows: Option<u64>,
}

impl Exchanges {
    pub(super) fn new() -> Self {
        Self { system: OTHER, namespace: String::new(), announced: None, open: None }
    }

    /// Says which database the next exchanges are with, by the dialect of the server and the name of the database.
    pub(super) fn set_database(&mut self, dialect: &'static str, namespace: &str) {
        self.system = if matches!(dialect, "neo4j" | "memgraph") { dialect } else { OTHER };
        if self.namespace != namespace {
            self.namespace = beginning(namespace, LONGEST);
        }
    }

    /// Describes an exchange that has ended.
    pub(super) fn ended(&self, open: OpenExchange, failure: Option<Failure>) -> DatabaseSpan {
        let OpenExchange { operation, statement, rows, .. } = open;
        let (system, namespace) = (self.system, self.namespace.clone());
        DatabaseSpan { operation, system, namespace, address: None, statement, rows, failure }
    }
}

/// As much of a statement as a span holds.
pub(super) fn statement(text: &str) -> String {
    beginning(text, LONGEST_STATEMENT)
}
