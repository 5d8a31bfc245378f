//! Analyses a statement by its words alone.
//!
//! Owns the statement's type (`r`, `w`, `rw`, `s`) and the names of its parameters, neither of which the engine
//! reports. Promises that a statement that the engine accepts is classified as by the engine's own plan. Knows nothing
//! of the engine.

use crate::embedded::cypher::clauses::keyword;
use crate::embedded::cypher::lexer::{Kind, Token, tokens};
use crate::embedded::cypher::projection::{Columns, columns};

/// The words that begin a clause that writes.
const WRITING: [&str; 7] = ["CREATE", "MERGE", "SET", "DELETE", "DETACH", "REMOVE", "FOREACH"];
/// What a statement does, as a Bolt summary reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::embedded) enum Type {
    Read,
    Write,
    ReadWrite,
    Schema,
}

impl Type {
    /// The value of `type` in a summary.
    pub(in crate::embedded) fn code(self) -> &'static str {
        match self {
            Type::Read => "r",
            Type::Write => "w",
            Type::ReadWrite => "rw",
            Type::Schema => "s",
        }
    }
}

/// The analysis of one statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::embedded) struct StatementInfo {
    /// What the statement does, or would do if `EXPLAIN` stands before it.
    pub(in crate::embedded) kind: Type,
    /// Whether it needs a transaction that may write.
    pub(in crate::embedded) writes: bool,
    /// Whether it is only to be explained.
    pub(in crate::embedded) explain: bool,
    pub(in crate::embedded) columns: Columns,
    /// The names of its parameters, each once, in order of appearance.
    pub(in crate::embedded) parameters: Vec<String>,
}

impl StatementInfo {
    /// Analyses `text`.
    pub(in crate::embedded) fn of(text: &str) -> StatementInfo {
        let tokens = tokens(text);
        let explain = tokens.first().is_some_and(|first| first.is_word("EXPLAIN"));
        let columns = columns(text, &tokens);
        let updates = WRITING.iter().any(|word| keyword(&tokens, word).is_some());
        let kind = match (is_index_command(&tokens), updates, &columns) {
            (true, ..) => Type::Schema,
            (false, false, _) => Type::Read,
            (false, true, Columns::None) => Type::Write,
            (false, true, _) => Type::ReadWrite,
        };
        let writes = kind != Type::Read && !explain;
        StatementInfo { kind, writes, explain, columns, parameters: parameters(&tokens) }
    }
}

fn is_index_command(tokens: &[Token<'_>]) -> bool {
    matches!(tokens, [first, second, ..]
        if (first.is_word("CREATE") || first.is_word("DROP")) && second.is_word("INDEX"))
}

fn parameters(tokens: &[Token<'_>]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for token in tokens.iter().filter(|token| token.kind == Kind::Parameter) {
        let name = token.text.trim_start_matches('$');
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_follow_the_clauses() {
        for (text, kind) in [
            ("MATCH (n) RETURN n.set, n:CREATE, $delete", Type::Read),
            ("RETURN 1 AS set, 'CREATE (n)' AS x // DELETE", Type::Read),
            ("CREATE (n)", Type::Write),
            ("MATCH (n) DETACH DELETE n", Type::Write),
            ("MATCH (n) set n.x = 1 RETURN n", Type::ReadWrite),
            ("MERGE (n) ON CREATE SET n.x = 1 RETURN n", Type::ReadWrite),
            ("MATCH (n) REMOVE n:L", Type::Write),
            ("CREATE INDEX ON :L(p)", Type::Schema),
            ("DROP INDEX ON :L(p)", Type::Schema),
        ] {
            assert_eq!(StatementInfo::of(text).kind, kind, "{text}");
        }
    }

    #[test]
    fn an_explained_write_is_not_a_write() {
        let info = StatementInfo::of("EXPLAIN MATCH (n) DELETE n RETURN 1");
        assert_eq!((info.kind, info.writes), (Type::ReadWrite, false));
    }

    #[test]
    fn parameters_are_listed_once_and_not_found_in_strings() {
        assert_eq!(StatementInfo::of("RETURN $b, $a, $b, '$c', $0 // $d").parameters, ["b", "a", "0"]);
    }
}
