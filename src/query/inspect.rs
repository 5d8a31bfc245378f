//! What has to be known of a statement's text before it is sent. The rest is the database's business.

use crate::bolt::Dialect;

/// `CALL db.ping()`, with which clients prove a connection. Databases that lack it get a statement that they have.
pub(super) fn is_ping(statement: &str) -> bool {
    let text = statement.trim();
    let text = text.strip_suffix(';').unwrap_or(text).trim_end();
    let mut compact = text.split_ascii_whitespace();
    compact.next().is_some_and(|word| word.eq_ignore_ascii_case("CALL"))
        && compact.next().is_some_and(|word| word == "db.ping()")
        && compact.next().is_none()
}

/// The same answer, from any database: one row, `success` true.
pub(super) const PING: &str = "RETURN true AS success";

/// Whether the statement, sent alone, would start or end a transaction of the session's own.
pub(super) fn is_transaction_control(statement: &str, dialect: &Dialect) -> bool {
    let text = statement.trim();
    dialect.transaction_statements.iter().any(|control| text.eq_ignore_ascii_case(control))
}

/// Whether the statement changes the session for whoever comes next.
pub(super) fn changes_session(statement: &str, dialect: &Dialect) -> bool {
    if dialect.session_statements.is_empty() {
        return false;
    }
    let words: Vec<&str> = skip_comments(statement).split_ascii_whitespace().take(2).collect();
    dialect.session_statements.iter().any(|beginning| {
        let mut wanted = beginning.split(' ');
        let mut found = words.iter();
        wanted.all(|word| found.next().is_some_and(|found| found.eq_ignore_ascii_case(word)))
    })
}

/// Whether the statement may commit some of its work before its end (`CALL {…} IN TRANSACTIONS`, `USING PERIODIC
/// COMMIT`, `apoc.periodic`). In doubt it may: a word in a comment counts, and so does an escape that could spell one.
pub(super) fn may_commit_in_batches(statement: &str) -> bool {
    holds_any(statement, &["transactions", "periodic", "\\u"])
}

/// Whether the statement may write, and so meet another that does. In doubt it may: parts of other words count too.
pub(super) fn may_write(statement: &str) -> bool {
    const WORDS: [&str; 9] = ["create", "insert", "merge", "set", "delete", "remove", "foreach", "call", "\\u"];
    holds_any(statement, &WORDS)
}

fn holds_any(statement: &str, words: &[&str]) -> bool {
    let holds = |word: &[u8]| statement.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
    words.iter().any(|word| holds(word.as_bytes()))
}

fn skip_comments(statement: &str) -> &str {
    let mut text = statement.trim_start();
    loop {
        let rest = if let Some(comment) = text.strip_prefix("//") {
            comment.split_once('\n').map(|(_, rest)| rest)
        } else if let Some(comment) = text.strip_prefix("/*") {
            comment.split_once("*/").map(|(_, rest)| rest)
        } else {
            return text;
        };
        let Some(rest) = rest else { return "" };
        text = rest.trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bolt::dialect::{MEMGRAPH, NEO4J};

    #[test]
    fn pings() {
        for ping in ["CALL db.ping()", " call  db.ping() ;\n", "CALL db.ping();"] {
            assert!(is_ping(ping), "{ping}");
        }
        for other in ["CALL db.ping() YIELD *", "RETURN 1", "CALL db.pings()", ""] {
            assert!(!is_ping(other), "{other}");
        }
    }

    #[test]
    fn statements_that_change_a_memgraph_session() {
        for statement in [
            "SET SESSION TRACE ON",
            "// x\nset  session TRANSACTION ISOLATION LEVEL READ COMMITTED",
            "/* a */ /* b */USE DATABASE x",
            "SET NEXT TRANSACTION",
        ] {
            assert!(changes_session(statement, &MEMGRAPH), "{statement}");
            assert!(!changes_session(statement, &NEO4J), "{statement}");
        }
        for statement in
            ["MATCH (n) SET n.x = 1", "SET GLOBAL TRANSACTION ISOLATION LEVEL X", "/* SET SESSION", "RETURN 'USE'"]
        {
            assert!(!changes_session(statement, &MEMGRAPH), "{statement}");
        }
    }

    #[test]
    fn batches_are_suspected_where_they_may_be() {
        for statement in [
            "UNWIND $r AS x CALL (x) { CREATE (:A) } IN 3 CONCURRENT TRANSACTIONS OF 10 ROWS",
            "call { create () } in /* of */ transactions",
            "USING PERIODIC COMMIT 100 LOAD CSV FROM 'x' AS r CREATE ()",
            "CALL apoc.periodic.iterate('a', 'b', {})",
            "CALL { CREATE () } IN \\u0054RANSACTIONS",
        ] {
            assert!(may_commit_in_batches(statement), "{statement}");
        }
        assert!(!may_commit_in_batches("MATCH (t:Transaction) SET t.period = 1 RETURN t"));
    }

    #[test]
    fn writes_are_suspected_where_they_may_be() {
        for statement in [
            "MATCH (n) Set n.x = 1 RETURN n",
            "UNWIND $rows AS r MERGE (:A {id: r})",
            "CALL apoc.create.node([], {})",
            "MATCH (n) \\u0053ET n.x = 1",
            "MATCH (n) RETURN n.created",
        ] {
            assert!(may_write(statement), "{statement}");
        }
        assert!(!may_write("MATCH (n:Person)-[:KNOWS]->(m) WHERE n.name = $name RETURN m ORDER BY m.name LIMIT 25"));
    }

    #[test]
    fn transactions_in_words() {
        assert!(is_transaction_control(" begin\n", &MEMGRAPH) && is_transaction_control("Commit", &MEMGRAPH));
        assert!(!is_transaction_control("BEGIN;", &MEMGRAPH) && !is_transaction_control("BEGIN", &NEO4J));
    }
}
