//! The dialect of the connections to one endpoint: set by the operator, or recognised from the server's messages.
//!
//! Memgraph may announce any name, including Neo4j's, or none. Its greeting is constant (`connection_id` `bolt-1`, no
//! hints), but the first connection to another server might be greeted in the same way. Only its summaries at the end
//! of a batch of rows (`run_id`) and the codes of its errors are unmistakable. Later connections know what an earlier
//! one found.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::{
    dialect::{Dialect, EMBEDDED, MEMGRAPH, NEO4J, UNKNOWN},
    summary,
};

/// A server of unknown kind that greets as Memgraph does. It is sent only what suits both.
static MEMGRAPH_OR_STRICT: Dialect = Dialect { ends_by_tag: true, mode_needs_transaction: true, ..UNKNOWN };

/// A server that announces itself as Neo4j and greets as Memgraph does. It is sent only what suits both.
static MEMGRAPH_OR_NEO4J: Dialect = Dialect {
    reset_interrupts: MEMGRAPH.reset_interrupts,
    ends_by_tag: MEMGRAPH.ends_by_tag,
    always_configure: MEMGRAPH.always_configure,
    mode_needs_transaction: MEMGRAPH.mode_needs_transaction,
    session_statements: MEMGRAPH.session_statements,
    transaction_statements: MEMGRAPH.transaction_statements,
    logs_in_again: MEMGRAPH.logs_in_again,
    glued_failures: MEMGRAPH.glued_failures,
    ..NEO4J
};

/// How the dialect is determined. Clones share what they learn.
#[derive(Debug, Clone)]
pub enum Recognition {
    /// Set by the operator.
    Set(&'static Dialect),
    /// Learnt from the server's messages; true once it is known to be a Memgraph.
    Learnt(Arc<AtomicBool>),
}

impl Default for Recognition {
    fn default() -> Self {
        Self::Learnt(Arc::default())
    }
}

impl From<Option<&'static Dialect>> for Recognition {
    fn from(set: Option<&'static Dialect>) -> Self {
        set.map_or_else(Self::default, Self::Set)
    }
}

impl Recognition {
    /// Returns the dialect for the connection after the reply to HELLO, in which the server announces itself as
    /// `agent`; and whether the server may still turn out to be a Memgraph.
    pub(super) fn greeted(&self, agent: &str, metadata: &[u8]) -> (&'static Dialect, bool) {
        let learnt = match self {
            Self::Set(dialect) => return (dialect, false),
            Self::Learnt(learnt) => learnt,
        };
        let dialect = Dialect::of_agent(agent);
        if *dialect == MEMGRAPH || *dialect == EMBEDDED {
            return (dialect, false);
        }
        if !is_memgraphs_greeting(metadata) {
            // Another server may have replaced the Memgraph.
            learnt.store(false, Ordering::Relaxed);
            return (dialect, false);
        }
        let or_memgraph = if *dialect == NEO4J { &MEMGRAPH_OR_NEO4J } else { &MEMGRAPH_OR_STRICT };
        if learnt.load(Ordering::Relaxed) { (&MEMGRAPH, false) } else { (or_memgraph, true) }
    }

    /// Records that the server is a Memgraph, and returns the dialect for the connection.
    pub(super) fn is_memgraph(&self) -> &'static Dialect {
        match self {
            Self::Set(dialect) => dialect,
            Self::Learnt(learnt) => {
                learnt.store(true, Ordering::Relaxed);
                &MEMGRAPH
            }
        }
    }
}

fn is_memgraphs_greeting(metadata: &[u8]) -> bool {
    summary::string_entry(metadata, "connection_id").is_some_and(|id| id == "bolt-1")
        && summary::entry(metadata, "hints").is_none()
}

/// Whether the metadata of a SUCCESS that ends a batch of rows is Memgraph's.
pub(super) fn is_memgraphs_summary(metadata: &[u8]) -> bool {
    summary::entry(metadata, "run_id").is_some()
}

#[cfg(test)]
mod tests {
    use super::{super::packstream::Writer, *};
    use crate::bolt::dialect::STRICT;

    fn greeting(id: &str, hints: bool) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out);
        writer.map(1 + usize::from(hints));
        writer.string("connection_id");
        writer.string(id);
        if hints {
            writer.string("hints");
            writer.map(0);
        }
        out
    }

    #[test]
    fn later_connections_know_what_an_earlier_one_learned() {
        let recognition = Recognition::default();
        let memgraphs = greeting("bolt-1", false);
        for (agent, before) in [("Neo4j/5.2.0", &MEMGRAPH_OR_NEO4J), ("", &MEMGRAPH_OR_STRICT)] {
            assert_eq!(recognition.greeted(agent, &memgraphs), (before, true), "{agent}");
            assert_eq!(recognition.clone().is_memgraph(), &MEMGRAPH);
            assert_eq!(recognition.greeted(agent, &memgraphs), (&MEMGRAPH, false), "{agent}");
            assert_eq!(recognition.greeted("Neo4j/5.26.0", &greeting("bolt-7", true)), (&NEO4J, false), "replaced");
        }
    }

    #[test]
    fn other_servers_are_what_they_announce() {
        let recognition = Recognition::default();
        for (agent, metadata, dialect) in [
            ("Neo4j/5.26.0", greeting("bolt-1", true), &NEO4J),
            ("Neo4j/4.1.0", greeting("bolt-2", false), &NEO4J),
            ("Neo4j/5.26.0 compatible (ArcadeDB 26.10.2)", greeting("x", false), &STRICT),
            ("Neo4j/v5.11.0 compatible graph database server - Memgraph", greeting("bolt-1", false), &MEMGRAPH),
            ("Neo4j/5.26.0 compatible (Boltgate embedded)", greeting("bolt-1", false), &EMBEDDED),
        ] {
            assert_eq!(recognition.greeted(agent, &metadata), (dialect, false), "{agent}");
        }
        let set = Recognition::from(Some(&STRICT));
        assert_eq!(set.greeted("Neo4j/5.2.0", &greeting("bolt-1", false)), (&STRICT, false));
        assert_eq!(set.is_memgraph(), &STRICT, "the operator knows better");
    }

    #[test]
    fn an_undecided_server_is_sent_what_suits_both() {
        for dialect in [&MEMGRAPH_OR_NEO4J, &MEMGRAPH_OR_STRICT] {
            assert!(dialect.always_configure && dialect.ends_by_tag && dialect.mode_needs_transaction);
            assert!(!dialect.logs_in_again && dialect.glued_failures);
            assert_eq!(dialect.session_statements, MEMGRAPH.session_statements);
            assert_eq!(dialect.transaction_statements, MEMGRAPH.transaction_statements);
        }
        assert!(MEMGRAPH_OR_NEO4J.ping && MEMGRAPH_OR_NEO4J.bookmarks);
    }
}
