//! Names what a statement uses that the engine does not have.
//!
//! Owns the tables of commands, clauses and expressions of Neo4j and Memgraph that are missing. Is asked only after the
//! engine has refused a statement, so what works is never found here. Promises to name nothing in a statement whose
//! mistake is its own. Knows nothing of the engine.

use std::borrow::Cow;

use crate::embedded::cypher::clauses::is_keyword_at;
use crate::embedded::cypher::lexer::{Kind, Token, dotted_name, tokens};

/// The beginnings of commands, the longest first where one is the beginning of another. `*` is any one word.
const COMMANDS: [(&str, &str); 60] = [
    ("ALTER", "`ALTER`"),
    ("ANALYZE", "`ANALYZE GRAPH`"),
    ("CREATE CONSTRAINT", "A constraint"),
    ("CREATE OR REPLACE CONSTRAINT", "A constraint"),
    ("CREATE EDGE INDEX", "An index on relationships"),
    ("CREATE GLOBAL EDGE INDEX", "An index on relationships"),
    ("CREATE FULLTEXT INDEX", "A full-text index"),
    ("CREATE TEXT INDEX", "A text index"),
    ("CREATE TEXT EDGE INDEX", "A text index"),
    ("CREATE POINT INDEX", "A point index"),
    ("CREATE VECTOR INDEX", "A vector index"),
    ("CREATE VECTOR EDGE INDEX", "A vector index"),
    ("CREATE LOOKUP INDEX", "A lookup index (every label has an index anyway)"),
    ("CREATE BTREE INDEX", "A B-tree index"),
    ("CREATE INDEX", "This form of `CREATE INDEX`"),
    ("CREATE RANGE INDEX", "This form of `CREATE INDEX`"),
    ("CREATE USER", "A user"),
    ("CREATE OR REPLACE USER", "A user"),
    ("CREATE ROLE", "A role"),
    ("CREATE DATABASE", "`CREATE DATABASE`"),
    ("CREATE COMPOSITE DATABASE", "`CREATE DATABASE`"),
    ("CREATE OR REPLACE DATABASE", "`CREATE DATABASE`"),
    ("CREATE ALIAS", "`CREATE ALIAS`"),
    ("CREATE SNAPSHOT", "`CREATE SNAPSHOT`"),
    ("CREATE TRIGGER", "A trigger"),
    ("CREATE ENUM", "An enum"),
    ("CREATE * STREAM", "A stream"),
    ("CREATE STREAM", "A stream"),
    ("DENY", "`DENY`"),
    ("DROP CONSTRAINT", "A constraint"),
    ("DROP EDGE INDEX", "An index on relationships"),
    ("DROP GLOBAL EDGE INDEX", "An index on relationships"),
    ("DROP TEXT INDEX", "A text index"),
    ("DROP POINT INDEX", "A point index"),
    ("DROP VECTOR INDEX", "A vector index"),
    ("DROP INDEX ON", "Dropping the index that every label has"),
    ("DROP USER", "A user"),
    ("DROP ROLE", "A role"),
    ("DROP DATABASE", "`DROP DATABASE`"),
    ("DROP GRAPH", "`DROP GRAPH`"),
    ("DROP TRIGGER", "A trigger"),
    ("DROP STREAM", "A stream"),
    ("DROP", "`DROP`"),
    ("DUMP DATABASE", "`DUMP DATABASE`"),
    ("FREE MEMORY", "`FREE MEMORY`"),
    ("GRANT", "`GRANT`"),
    ("LOCK DATA", "`LOCK DATA DIRECTORY`"),
    ("UNLOCK DATA", "`UNLOCK DATA DIRECTORY`"),
    ("PROFILE", "`PROFILE`"),
    ("RECOVER SNAPSHOT", "`RECOVER SNAPSHOT`"),
    ("REVOKE", "`REVOKE`"),
    ("SET DATABASE", "`SET DATABASE SETTING`"),
    ("SET ROLE", "A role"),
    ("SET * TRANSACTION", "`SET TRANSACTION ISOLATION LEVEL`"),
    ("STOP DATABASE", "`STOP DATABASE`"),
    ("STORAGE MODE", "`STORAGE MODE`"),
    ("TERMINATE", "`TERMINATE TRANSACTIONS` in Cypher"),
    ("USE", "`USE`"),
    ("USING PERIODIC", "`USING PERIODIC COMMIT`"),
    ("ENABLE", "`ENABLE`"),
];

/// Words and symbols that follow one another somewhere in a statement, the more specific first.
const PHRASES: [(&[&str], &str); 15] = [
    (&["LOAD", "CSV"], "`LOAD CSV`"),
    (&["LOAD", "JSONL"], "`LOAD JSONL`"),
    (&["LOAD", "PARQUET"], "`LOAD PARQUET`"),
    (&["FOREACH", "("], "`FOREACH`"),
    (&["CALL", "{"], "`CALL { … }`"),
    (&["CALL", "("], "`CALL (…) { … }`"),
    (&["OPTIONAL", "CALL"], "`OPTIONAL CALL`"),
    (&["COUNT", "{"], "`COUNT { … }`"),
    (&["COLLECT", "{"], "`COLLECT { … }`"),
    (&["reduce", "("], "`reduce()`"),
    (&["USING", "INDEX"], "`USING INDEX`"),
    (&["IS", ":", ":"], "A type predicate (`IS :: …`)"),
    (&["IS", "TYPED"], "A type predicate (`IS TYPED …`)"),
    (&["IS", "NORMALIZED"], "`IS NORMALIZED`"),
    (&["|", "|"], "The operator `||`"),
];

/// The clauses that the engine does not have: words that mean something only where a clause begins.
const CLAUSES: [(&str, &str); 4] =
    [("FINISH", "`FINISH`"), ("OFFSET", "`OFFSET`"), ("INSERT", "`INSERT`"), ("FILTER", "`FILTER`")];

/// The feature that `statement` uses and that is missing, as a noun, if one is recognised.
pub(super) fn feature(statement: &str) -> Option<Cow<'static, str>> {
    let tokens = tokens(statement);
    let start = usize::from(tokens.first().is_some_and(|first| first.is_word("EXPLAIN")));
    let named = command(tokens.get(start..)?).or_else(|| phrase(&tokens));
    named
        .map(Cow::Borrowed)
        .or_else(|| namespaced(&tokens).map(Cow::Owned))
        .or_else(|| shape(&tokens).map(Cow::Borrowed))
}

/// The name of the first procedure that `statement` calls.
pub(super) fn procedure(statement: &str) -> Option<String> {
    let tokens = tokens(statement);
    let calls = (0..tokens.len()).filter(|&at| is_keyword_at(&tokens, at));
    let called = calls.filter(|&at| tokens.get(at).is_some_and(|token| token.is_word("CALL")));
    let name = |at: usize| dotted_name(tokens.get(at + 1..).unwrap_or_default()).0;
    called.map(name).find(|name| name.contains('.'))
}

fn command(tokens: &[Token<'_>]) -> Option<&'static str> {
    COMMANDS.iter().find(|(words, _)| begins_with(tokens, words)).map(|(_, feature)| *feature)
}

fn begins_with(tokens: &[Token<'_>], words: &str) -> bool {
    let mut tokens = tokens.iter();
    words
        .split(' ')
        .all(|word| tokens.next().is_some_and(|token| token.is_word(word) || (word == "*" && token.kind == Kind::Word)))
}

fn phrase(tokens: &[Token<'_>]) -> Option<&'static str> {
    let found = |part: &[&str], at: usize| {
        let written = tokens.get(at..at + part.len()).unwrap_or_default();
        let matching = |(token, text): (&Token<'_>, &&str)| token.is_word(text) || token.is_symbol(text);
        written.len() == part.len() && written.iter().zip(part).all(matching) && !is_name(tokens, at)
    };
    let phrases = PHRASES.iter().find(|(part, _)| (0..tokens.len()).any(|at| found(part, at)));
    phrases.map(|(_, feature)| *feature).or_else(|| clause(tokens))
}

/// Whether the word at `at` names a property, a label or an alias.
fn is_name(tokens: &[Token<'_>], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|index| tokens.get(index));
    before.is_some_and(|before| before.is_symbol(".") || before.is_symbol(":") || before.is_word("AS"))
}

fn clause(tokens: &[Token<'_>]) -> Option<&'static str> {
    let is_at = |word: &str, at: usize| {
        let followed = tokens.get(at + 1).is_none_or(|next| next.kind != Kind::Symbol || next.is_symbol("("));
        followed && is_keyword_at(tokens, at) && tokens.get(at).is_some_and(|token| token.is_word(word))
    };
    CLAUSES.iter().find(|(word, _)| (0..tokens.len()).any(|at| is_at(word, at))).map(|(_, feature)| *feature)
}

/// The function with a namespace that is called, such as `apoc.text.join()`.
fn namespaced(tokens: &[Token<'_>]) -> Option<String> {
    (0..tokens.len()).filter(|&at| !is_name(tokens, at)).find_map(|at| {
        let (name, length) = dotted_name(tokens.get(at..)?);
        let called = length > 1 && tokens.get(at + length).is_some_and(|token| token.is_symbol("("));
        let procedure =
            at.checked_sub(1).and_then(|before| tokens.get(before)).is_some_and(|word| word.is_word("CALL"));
        (called && !procedure).then(|| format!("The function `{name}()`"))
    })
}

/// What is recognised by its form instead of its words.
fn shape(tokens: &[Token<'_>]) -> Option<&'static str> {
    for (at, token) in tokens.iter().enumerate() {
        let [before, after] = [at.checked_sub(1), Some(at + 1)].map(|index| index.and_then(|index| tokens.get(index)));
        let (Some(before), Some(after)) = (before, after) else {
            continue;
        };
        let label = |token: &Token<'_>| token.name().is_some() || token.is_symbol(")");
        let third_back = at.checked_sub(2).and_then(|index| tokens.get(index));
        if token.is_symbol("{") && before.name().is_some() && after.is_symbol(".") {
            return Some("A map projection (`n {.name}`)");
        }
        if (token.is_symbol("|") || token.is_symbol("&"))
            && label(before)
            && third_back.is_some_and(|token| token.is_symbol(":") || token.is_symbol("|") || token.is_symbol("&"))
            && !in_relationship(tokens, at)
        {
            return Some("A label expression (`:A|B`)");
        }
        // `(n::Person)` is a slip; a value of an enum begins with the enum's name, which is a type's.
        if token.is_symbol(":") && after.is_symbol(":") && before.text.starts_with(char::is_uppercase) {
            return Some("An enum");
        }
        if token.is_symbol("!") && before.is_symbol(":") {
            return Some("A label expression (`:!A`)");
        }
        if token.kind == Kind::Quoted && before.is_symbol(":") {
            return Some("A label or relationship type in backticks");
        }
        if token.kind == Kind::Word && !token.text.is_ascii() {
            return Some("A name with characters that are not ASCII");
        }
    }
    None
}

/// Whether the token at `at` is directly inside of square brackets, where `|` separates relationship types and the
/// parts of list comprehensions.
fn in_relationship(tokens: &[Token<'_>], at: usize) -> bool {
    let depth = tokens.get(at).map_or(0, |token| token.depth);
    let before = tokens.get(..at).unwrap_or_default();
    before.iter().rev().find(|token| token.depth < depth).is_some_and(|token| token.is_symbol("["))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        for (statement, expected) in [
            ("create constraint for (n:L) require n.p is unique", "A constraint"),
            ("CREATE CONSTRAINT ON (n:L) ASSERT n.p IS UNIQUE", "A constraint"),
            ("CREATE CONSTRAINT c IF NOT EXISTS FOR (n:L) REQUIRE n.p IS NOT NULL", "A constraint"),
            ("DROP CONSTRAINT c", "A constraint"),
            ("CREATE EDGE INDEX ON :R(p)", "An index on relationships"),
            ("CREATE VECTOR INDEX v FOR (n:L) ON (n.e)", "A vector index"),
            ("CREATE KAFKA STREAM s TOPICS t", "A stream"),
            ("CREATE USER u SET PASSWORD 'p'", "A user"),
            ("CREATE DATABASE d", "`CREATE DATABASE`"),
            ("DROP INDEX ON :L", "Dropping the index that every label has"),
            ("STORAGE MODE IN_MEMORY_ANALYTICAL", "`STORAGE MODE`"),
            ("SET GLOBAL TRANSACTION ISOLATION LEVEL READ COMMITTED", "`SET TRANSACTION ISOLATION LEVEL`"),
            ("USE other MATCH (n) RETURN n", "`USE`"),
            ("PROFILE MATCH (n) RETURN n", "`PROFILE`"),
            ("LOAD CSV WITH HEADERS FROM 'file:///a' AS row RETURN row", "`LOAD CSV`"),
            ("MATCH (n) CALL { WITH n RETURN 1 AS x } RETURN x", "`CALL { … }`"),
            ("MATCH (n) CALL (n) { RETURN 1 AS x } RETURN x", "`CALL (…) { … }`"),
            ("MATCH (n) FOREACH (x IN [1] | SET n.x = x)", "`FOREACH`"),
            ("MATCH (n) RETURN COUNT { (n)-->() } AS c", "`COUNT { … }`"),
            ("RETURN reduce(a = 0, x IN [1] | a + x)", "`reduce()`"),
            ("RETURN apoc.text.join(['a'], '')", "The function `apoc.text.join()`"),
            ("RETURN 'a' || 'b'", "The operator `||`"),
            ("MATCH (n) RETURN n OFFSET 1", "`OFFSET`"),
            ("RETURN 1 IS :: INTEGER", "A type predicate (`IS :: …`)"),
            ("MATCH (n) RETURN n {.name}", "A map projection (`n {.name}`)"),
            ("MATCH (n:A|B) RETURN n", "A label expression (`:A|B`)"),
            ("MATCH (n:!A) RETURN n", "A label expression (`:!A`)"),
            ("RETURN Status::Good AS status", "An enum"),
            ("MATCH (n:`A B`) RETURN n", "A label or relationship type in backticks"),
            ("MATCH (größe) RETURN größe", "A name with characters that are not ASCII"),
        ] {
            assert_eq!(feature(statement).as_deref(), Some(expected), "{statement}");
        }
    }

    #[test]
    fn a_mistake_is_not_taken_for_a_feature() {
        for statement in [
            "RETRUN 1",
            "MATCH (n RETURN n",
            "MATCH (n) RETURN n.offset, n.foreach ORDER BY",
            "RETURN 'LOAD CSV' +",
            "MATCH (offset:Finish) RETURN offset.x +",
            "MATCH ()-[r:A|B]->() RETURN r +",
            "RETURN [x IN [1] | x] +",
            "MATCH (n::Person) RETURN n",
            "CREATE (n {count: 1} RETURN n",
            "",
        ] {
            assert_eq!(feature(statement), None, "{statement}");
        }
    }

    #[test]
    fn the_called_procedure_is_named() {
        assert_eq!(
            procedure("MATCH (n) CALL apoc.meta.data() YIELD label RETURN label"),
            Some("apoc.meta.data".into())
        );
        assert_eq!(procedure("RETURN 1"), None);
    }
}
