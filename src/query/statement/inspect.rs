//! Inspects a statement's text for the little that the gateway has to know before it sends the statement.

use super::tokens::{Token, Tokens};
use crate::bolt::Dialect;

/// Whether the statement is `CALL db.ping()`, with which drivers verify a connection. Servers without that procedure
/// are sent [`PING`] instead.
pub(in crate::query) fn is_ping(statement: &str) -> bool {
    let text = statement.trim();
    let text = text.strip_suffix(';').unwrap_or(text).trim_end();
    let mut compact = text.split_ascii_whitespace();
    compact.next().is_some_and(|word| word.eq_ignore_ascii_case("CALL"))
        && compact.next().is_some_and(|word| word == "db.ping()")
        && compact.next().is_none()
}

/// A statement with the result of `CALL db.ping()` on every server: one row in which `success` is true.
pub(in crate::query) const PING: &str = "RETURN true AS success";

/// Whether the statement would begin or end a transaction behind the gateway's back.
pub(in crate::query) fn is_transaction_control(statement: &str, dialect: &Dialect) -> bool {
    let text = statement.trim();
    dialect.transaction_statements.iter().any(|control| text.eq_ignore_ascii_case(control))
}

/// Whether the statement changes the session, which would affect the connection's next user.
pub(in crate::query) fn changes_session(statement: &str, dialect: &Dialect) -> bool {
    let begins_with = |beginning: &&str| {
        let mut tokens = Tokens::of(statement);
        beginning.split(' ').all(|word| tokens.next().is_some_and(|token| token.is(word)))
    };
    dialect.session_statements.iter().any(begins_with)
}

/// Whether the statement begins with SHOW or PROFILE. On Memgraph these write nothing in any kind of transaction: SHOW
/// only reads, and PROFILE rolls back what it does.
pub(in crate::query) fn is_show_or_profile(statement: &str) -> bool {
    Tokens::of(statement).next().is_some_and(|token| token.is("SHOW") || token.is("PROFILE"))
}

/// Whether the statement may commit part of its work before its end: `CALL {…} IN TRANSACTIONS`, `USING PERIODIC
/// COMMIT`, `apoc.periodic.…` and `periodic.…`. Returns true in doubt: a Unicode escape could spell any of them.
#[must_use]
pub fn may_commit_in_batches(statement: &str) -> bool {
    if statement.contains("\\u") || statement.contains("\\U") {
        return true;
    }
    // The two tokens before the current one.
    let mut before = [Token::Text; 2];
    for token in Tokens::of(statement) {
        let [second_last, last] = before;
        let is_batched = match token {
            Token::Word(word) if word.eq_ignore_ascii_case("transactions") => {
                last.is("concurrent") || (last.is("in") && second_last == Token::Symbol('}'))
            }
            Token::Word(word) if word.eq_ignore_ascii_case("commit") => last.is("periodic"),
            // A procedure's name may be quoted as a whole, or part by part.
            Token::Quoted(name) if name.contains('.') => name.split('.').any(is_periodic),
            Token::Symbol('.') => matches!(last, Token::Word(name) | Token::Quoted(name) if is_periodic(name)),
            _ => false,
        };
        if is_batched {
            return true;
        }
        before = [last, token];
    }
    false
}

fn is_periodic(name: &str) -> bool {
    name.eq_ignore_ascii_case("periodic")
}

/// Whether the statement may write, so that it may conflict with others. Returns true in doubt: parts of other words
/// count.
pub(in crate::query) fn may_write(statement: &str) -> bool {
    const WORDS: [&str; 9] = ["create", "insert", "merge", "set", "delete", "remove", "foreach", "call", "\\u"];
    contains_any(statement, &WORDS)
}

/// Whether the statement may return rows that it says itself. Returns true in doubt: parts of other words count.
pub(in crate::query) fn may_return(statement: &str) -> bool {
    contains_any(statement, &["return", "\\u"])
}

fn contains_any(statement: &str, words: &[&str]) -> bool {
    let holds = |word: &[u8]| statement.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
    words.iter().any(|word| holds(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bolt::dialect::{MEMGRAPH, NEO4J};

    #[test]
    fn pings_are_recognised() {
        for ping in ["CALL db.ping()", " call  db.ping() ;\n", "CALL db.ping();"] {
            assert!(is_ping(ping), "{ping}");
        }
        for other in ["CALL db.ping() YIELD *", "RETURN 1", "CALL db.pings()", ""] {
            assert!(!is_ping(other), "{other}");
        }
    }

    #[test]
    fn statements_that_change_a_memgraph_session_are_recognised() {
        for statement in [
            "SET SESSION TRACE ON",
            "// x\nset  session TRANSACTION ISOLATION LEVEL READ COMMITTED",
            "/* a */ /* b */USE DATABASE x",
            "SET NEXT TRANSACTION",
            "SET/**/SESSION TRACE ON",
            "SET /* */ NEXT TRANSACTION ISOLATION LEVEL SERIALIZABLE",
            "SET\u{A0}SESSION\u{2009}TRACE ON",
            "USE/**/DATABASE x",
            "// x\rUSE DATABASE x",
        ] {
            assert!(changes_session(statement, &MEMGRAPH), "{statement}");
            assert!(!changes_session(statement, &NEO4J), "{statement}");
        }
        for statement in [
            "MATCH (n) SET n.x = 1",
            "SET GLOBAL TRANSACTION ISOLATION LEVEL X",
            "/* SET SESSION",
            "RETURN 'USE'",
            "SETSESSION x",
        ] {
            assert!(!changes_session(statement, &MEMGRAPH), "{statement}");
        }
    }

    #[test]
    fn statements_that_may_commit_in_batches_are_recognised() {
        for statement in [
            "UNWIND $r AS x CALL (x) { CREATE (:A) } IN 3 CONCURRENT TRANSACTIONS OF 10 ROWS",
            "call { create () } in /* of */ transactions",
            "USING PERIODIC COMMIT 100 LOAD CSV FROM 'x' AS r CREATE ()",
            "CALL apoc.periodic.iterate('a', 'b', {})",
            "CALL { CREATE () } IN \\u0054RANSACTIONS",
            "CALL { CREATE () }/**/IN\u{A0}TRANSACTIONS OF 1 ROW",
            "CALL { CREATE () } IN $n CONCURRENT TRANSACTIONS",
            "CALL periodic.iterate('a', 'b', {})",
            "CALL `apoc`.`periodic` . iterate('a', 'b', {})",
            "CALL `apoc.periodic.commit`('a')",
        ] {
            assert!(may_commit_in_batches(statement), "{statement}");
        }
        for statement in [
            "MATCH (t:Transaction) SET t.period = 1 RETURN t",
            "MATCH (t:Transactions) SET t.transactions = 1 RETURN t.transactions",
            "CREATE (:A {text: 'CALL { } IN TRANSACTIONS'})",
            "// in transactions\nCREATE (:`periodic`)",
            "MATCH (n) WHERE n IN transactions SET n.periodic = 1",
        ] {
            assert!(!may_commit_in_batches(statement), "{statement}");
        }
    }

    #[test]
    fn show_and_profile_are_recognised() {
        for statement in ["SHOW INDEX INFO", "/* x */ show/**/schema info;", "PROFILE MATCH (n) RETURN n"] {
            assert!(is_show_or_profile(statement), "{statement}");
        }
        for statement in ["SHOWS", "EXPLAIN CREATE ()", "CREATE (:SHOW)", "", "`SHOW`"] {
            assert!(!is_show_or_profile(statement), "{statement}");
        }
    }

    #[test]
    fn statements_that_may_write_are_recognised() {
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
    fn transaction_control_statements_are_recognised() {
        assert!(is_transaction_control(" begin\n", &MEMGRAPH) && is_transaction_control("Commit", &MEMGRAPH));
        assert!(!is_transaction_control("BEGIN;", &MEMGRAPH) && !is_transaction_control("BEGIN", &NEO4J));
    }
}
