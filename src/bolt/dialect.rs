//! How servers differ beyond the protocol version, as data. The only place that tells one server from another.

use std::fmt;

/// What a kind of server does differently.
///
/// Chosen from what the server says of itself in HELLO, or set by the operator.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dialect {
    /// For logs and messages.
    pub name: &'static str,
    /// RESET stops a running statement. Where it does not, it waits behind the statement.
    pub reset_interrupts: bool,
    /// An abandoned statement is ended by TERMINATE TRANSACTIONS on another connection, which finds it by a tag in
    /// its metadata.
    pub ends_by_tag: bool,
    /// Every RUN and BEGIN outside a transaction has to carry a map or a list, or the server may take the
    /// database and the user of an earlier request (Memgraph, from 3.5).
    pub always_configure: bool,
    /// A RUN or BEGIN that names a database or a user and fails leaves the session in doubt: close it. Not where every
    /// later one makes the server look at both anew.
    pub refusal_makes_stale: bool,
    /// The access mode of a statement outside of a transaction counts for nothing: reading takes a transaction.
    pub mode_needs_transaction: bool,
    /// A statement that begins with these words changes the session for whoever comes next.
    pub session_statements: &'static [&'static str],
    /// Statements that would start or end a transaction behind the client's back.
    pub transaction_statements: &'static [&'static str],
    /// A statement outside of a transaction that the server refuses has left nothing behind. ArcadeDB 26.10 keeps a part
    /// of those that meet a conflict.
    pub undoes_refused: bool,
    /// A connection may log in anew (LOGOFF, LOGON) without anything of its earlier login staying behind.
    pub logs_in_again: bool,
    /// The server has bookmarks.
    pub bookmarks: bool,
    /// The server answers `CALL db.ping()` itself, and has the database `system`.
    pub ping: bool,
    /// Parameters may hold bytes.
    pub bytes: bool,
    /// Parameters may hold times with an offset.
    pub zoned_time: bool,
    /// Temporal parameters are confined to what Memgraph survives.
    pub confined_temporals: bool,
    /// Most nesting levels of a parameter, and most values in all parameters together.
    pub parameter_depth: usize,
    /// See [`Dialect::parameter_depth`].
    pub parameter_values: usize,
    /// A failure in the middle of a stream may come as the last chunks of a RECORD that was cut off.
    pub glued_failures: bool,
    /// One of the server's few workers is blocked while rows that were asked for are not taken from the socket. So little
    /// is asked for before the size of the rows is known, and nobody is waited for in the middle of a batch for long.
    pub holds_workers: bool,
}

/// Neo4j, and whatever claims to be it.
pub static NEO4J: Dialect = Dialect {
    name: "neo4j",
    reset_interrupts: true,
    ends_by_tag: false,
    always_configure: false,
    refusal_makes_stale: false,
    mode_needs_transaction: false,
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

/// A server of unknown kind: nothing is assumed that only some servers can do.
pub static STRICT: Dialect = UNKNOWN;

/// The database inside this process. It is known to undo what it refuses.
pub static EMBEDDED: Dialect = Dialect { name: "embedded", undoes_refused: true, ..UNKNOWN };

/// What is assumed of a server of unknown kind.
pub(super) const UNKNOWN: Dialect = Dialect {
    name: "strict",
    reset_interrupts: false,
    ends_by_tag: false,
    always_configure: true,
    refusal_makes_stale: true,
    mode_needs_transaction: false,
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
    /// The dialect of a server that calls itself `agent` (HELLO's `server`).
    ///
    /// Memgraph says `Neo4j/v5.11.0 compatible graph database server - Memgraph` unless told otherwise; other
    /// servers that are compatible with Neo4j say so in words, and only Neo4j itself is `Neo4j/` and a version.
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

    /// Whether an error with this code gives Memgraph away.
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
    fn servers_are_known_by_what_they_say() {
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
