//! The differences between servers beyond the protocol version, as data. No other file distinguishes servers.

use std::fmt;

/// The behaviour of one kind of server.
///
/// Chosen by what the server announces in its reply to HELLO, or set by the operator.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dialect {
    /// The name in logs and messages.
    pub name: &'static str,
    /// RESET interrupts a running statement. Otherwise it waits until the statement has ended.
    pub reset_interrupts: bool,
    /// Abandoned statements are ended by TERMINATE TRANSACTIONS on another connection, which finds them by a tag in
    /// their metadata.
    pub ends_by_tag: bool,
    /// Every RUN and BEGIN outside a transaction has to carry a map or a list. Otherwise the server may use the
    /// database and the user of an earlier request (Memgraph, from 3.5).
    pub always_configure: bool,
    /// After a failed RUN or BEGIN that names a database or a user, it is uncertain which ones the session uses, so the
    /// connection is stale. False if the server re-evaluates both with every request.
    pub refusal_makes_stale: bool,
    /// The server ignores the access mode of a statement outside of a transaction, so reading needs a transaction.
    pub mode_needs_transaction: bool,
    /// In a transaction in read mode, nothing can be changed: neither data nor indexes, users or settings. Otherwise the
    /// server may lack the mode (ArcadeDB), or has it for data only (Memgraph).
    pub enforces_reading: bool,
    /// Statements that begin with these words change the session for later statements.
    pub session_statements: &'static [&'static str],
    /// Statements that start or end a transaction, which the gateway would not notice.
    pub transaction_statements: &'static [&'static str],
    /// A statement that fails outside of a transaction has no effect. ArcadeDB 26.10 keeps some effects of statements
    /// that fail because of a conflict.
    pub undoes_refused: bool,
    /// A connection can log in again (LOGOFF, LOGON) without keeping anything of its earlier login.
    pub logs_in_again: bool,
    /// The server has bookmarks.
    pub bookmarks: bool,
    /// The server answers `CALL db.ping()` itself, and has the database `system`.
    pub ping: bool,
    /// Parameters may hold bytes.
    pub bytes: bool,
    /// Parameters may hold times with an offset.
    pub zoned_time: bool,
    /// Temporal parameters are restricted to the values that Memgraph survives.
    pub confined_temporals: bool,
    /// The most nesting levels of a parameter.
    pub parameter_depth: usize,
    /// The most values in all parameters together.
    pub parameter_values: usize,
    /// A failure in the middle of a result may arrive as the last chunks of a truncated RECORD.
    pub glued_failures: bool,
    /// The server blocks one of its few workers until requested rows are read from the socket. So the gateway requests
    /// few rows until it knows their size, and does not wait long for a client in the middle of a batch.
    pub holds_workers: bool,
}

/// Neo4j, and servers that claim to be Neo4j.
pub static NEO4J: Dialect = Dialect {
    name: "neo4j",
    reset_interrupts: true,
    ends_by_tag: false,
    always_configure: false,
    refusal_makes_stale: false,
    mode_needs_transaction: false,
    enforces_reading: true,
    session_statements: &[],
    transaction_statements: &[],
    undoes_refused: true,
    logs_in_again: true,
    bookmarks: true,
    ping: true,
    bytes: true,
    zoned_time: true,
    confined_temporals: false,
    parameter_depth: 1000,
    parameter_values: usize::MAX,
    glued_failures: false,
    holds_workers: false,
};

/// Memgraph 2.1 and later.
pub static MEMGRAPH: Dialect = Dialect {
    name: "memgraph",
    reset_interrupts: false,
    ends_by_tag: true,
    always_configure: true,
    refusal_makes_stale: false,
    mode_needs_transaction: true,
    enforces_reading: false,
    session_statements: &["SET SESSION", "SET NEXT", "USE"],
    transaction_statements: &["BEGIN", "COMMIT", "ROLLBACK"],
    undoes_refused: true,
    logs_in_again: false,
    bookmarks: false,
    ping: false,
    bytes: false,
    zoned_time: false,
    confined_temporals: true,
    parameter_depth: 128,
    parameter_values: 1_000_000,
    glued_failures: true,
    holds_workers: true,
};

/// A server of unknown kind: nothing is assumed that only some servers support.
pub static STRICT: Dialect = UNKNOWN;

/// The embedded database. Its failed statements have no effect.
pub static EMBEDDED: Dialect = Dialect { name: "embedded", enforces_reading: true, undoes_refused: true, ..UNKNOWN };

/// The assumptions about a server of unknown kind.
pub(super) const UNKNOWN: Dialect = Dialect {
    name: "strict",
    reset_interrupts: false,
    ends_by_tag: false,
    always_configure: true,
    refusal_makes_stale: true,
    mode_needs_transaction: false,
    enforces_reading: false,
    session_statements: &["SET SESSION", "SET NEXT", "USE"],
    transaction_statements: &["BEGIN", "COMMIT", "ROLLBACK"],
    undoes_refused: false,
    logs_in_again: false,
    bookmarks: true,
    ping: false,
    bytes: true,
    zoned_time: true,
    confined_temporals: false,
    parameter_depth: 128,
    parameter_values: 1_000_000,
    glued_failures: true,
    holds_workers: false,
};

impl Dialect {
    /// Returns the dialect of a server that announces itself as `agent` (`server` in the reply to HELLO).
    ///
    /// Memgraph announces `Neo4j/v5.11.0 compatible graph database server - Memgraph` unless configured otherwise.
    /// Other servers that are compatible with Neo4j say so in words; only Neo4j itself is `Neo4j/` and a version.
    #[must_use]
    pub fn of_agent(agent: &str) -> &'static Self {
        if agent.contains("Memgraph") {
            &MEMGRAPH
        } else if agent.ends_with("(Boltgate embedded)") {
            &EMBEDDED
        } else if agent.starts_with("Neo4j/") && !agent.contains(' ') {
            &NEO4J
        } else {
            &STRICT
        }
    }

    /// Whether only Memgraph sends errors with this code.
    #[must_use]
    pub fn is_memgraphs(code: &str) -> bool {
        code.starts_with("Memgraph.")
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_recognised_by_their_agent() {
        for (agent, dialect) in [
            ("Neo4j/2026.09.0", &NEO4J),
            ("Neo4j/5.26.31", &NEO4J),
            ("Neo4j/v5.11.0 compatible graph database server - Memgraph", &MEMGRAPH),
            ("Neo4j/5.26.0 compatible (ArcadeDB 26.10.2)", &STRICT),
            ("Neo4j/5.26.0 compatible (Boltgate embedded)", &EMBEDDED),
            ("", &STRICT),
        ] {
            assert_eq!(Dialect::of_agent(agent), dialect, "{agent}");
        }
        assert!(Dialect::is_memgraphs("Memgraph.ExecutionException"));
        assert!(!Dialect::is_memgraphs("Neo.ClientError.Statement.SyntaxError"));
    }
}
