//! Statements about the database itself that the engine does not support.
//!
//! Owns `CALL db.labels()`, `db.relationshipTypes()`, `db.propertyKeys()`, `dbms.components()` and `SHOW DATABASES`.
//! Each becomes an `UNWIND` over a parameter that holds the rows, so that `YIELD`, `WHERE`, `RETURN` and everything
//! else around it works. Promises not to change any other statement.

pub(in crate::embedded) mod tables;

use crate::embedded::catalog::tables::Table;
use crate::embedded::cypher::clauses::{AFTER_LIST, is_keyword_at, list_after, next_keyword};
use crate::embedded::cypher::lexer::{Kind, Token, dotted_name, tokens};
use crate::embedded::errors::Failure;
use crate::embedded::is_database;

/// Clauses after which a statement specifies itself what it returns.
const CONTINUATIONS: [&str; 13] = [
    "MATCH", "OPTIONAL", "CREATE", "MERGE", "SET", "DELETE", "DETACH", "REMOVE", "WITH", "UNWIND", "CALL", "RETURN",
    "UNION",
];

/// A statement that has been rewritten to read its tables from parameters.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::embedded) struct Expansion {
    pub(in crate::embedded) text: String,
    pub(in crate::embedded) tables: Vec<Table>,
    /// Whether it is a command (`SHOW`) and not a query.
    pub(in crate::embedded) command: bool,
}

/// Rewrites every table in `statement`. Returns `None` if it has none.
///
/// # Errors
/// Returns an error if `YIELD` names a column that the table does not have.
pub(in crate::embedded) fn expand(statement: &str) -> Result<Option<Expansion>, Failure> {
    let tokens = tokens(statement);
    let mut expansion = Expansion { text: String::new(), tables: Vec::new(), command: false };
    let mut copied = 0;
    let mut returned = None;
    for at in 0..tokens.len() {
        let Some((table, after)) = table_at(&tokens, at) else {
            continue;
        };
        let Some(token) = tokens.get(at) else {
            continue;
        };
        let (yields, after) = yields_of(&tokens, after, table)?;
        let row = format!("_boltgate_{}", expansion.tables.len());
        let columns: Vec<String> = yields.iter().map(|(column, alias)| format!("{row}.{column} AS {alias}")).collect();
        expansion.text.push_str(statement.get(copied..token.start).unwrap_or_default());
        let parameter = table.parameter();
        expansion.text.push_str(&format!("UNWIND ${parameter} AS {row} WITH *, {}", columns.join(", ")));
        expansion.tables.push(table);
        expansion.command |= token.is_word("SHOW");
        copied = after.checked_sub(1).and_then(|last| tokens.get(last)).map_or(copied, Token::end);
        let aliases: Vec<&str> = yields.iter().map(|(_, alias)| alias.as_str()).collect();
        returned = (next_keyword(&tokens, after, &CONTINUATIONS) == tokens.len()).then(|| aliases.join(", "));
    }
    if expansion.tables.is_empty() {
        return Ok(None);
    }
    let end = tokens.last().filter(|last| last.is_symbol(";")).map_or(statement.len(), |last| last.start);
    expansion.text.push_str(statement.get(copied..end).unwrap_or_default());
    if let Some(names) = returned {
        // On a new line, because the statement may end in a comment.
        expansion.text.push_str(&format!("\nRETURN {names}"));
    }
    Ok(Some(expansion))
}

/// Returns the table that is named at `at`, and the index of the first token after its name.
fn table_at(tokens: &[Token<'_>], at: usize) -> Option<(Table, usize)> {
    let token = tokens.get(at)?;
    if at == 0 && token.is_word("SHOW") {
        return show_databases(tokens);
    }
    if !token.is_word("CALL") || !is_keyword_at(tokens, at) {
        return None;
    }
    let (name, length) = dotted_name(tokens.get(at + 1..)?);
    let table = Table::of_procedure(&name)?;
    let after = at + 1 + length;
    match tokens.get(after..) {
        Some([open, close, ..]) if open.is_symbol("(") && close.is_symbol(")") => Some((table, after + 2)),
        Some([open, ..]) if open.is_symbol("(") => None,
        _ => Some((table, after)),
    }
}

fn show_databases(tokens: &[Token<'_>]) -> Option<(Table, usize)> {
    let word = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is_word(word));
    if word(1, "DATABASES") {
        return Some((Table::Databases, 2));
    }
    if (word(1, "DEFAULT") || word(1, "HOME")) && word(2, "DATABASE") {
        return Some((Table::Databases, 3));
    }
    if !word(1, "DATABASE") {
        return None;
    }
    let name = tokens.get(2).filter(|token| !token.is_word("YIELD") && !token.is_word("WHERE"));
    Some(match name.and_then(Token::name) {
        None => (Table::Databases, 2),
        Some(name) if is_database(name) => (Table::Databases, 3),
        Some(_) => (Table::NoDatabases, 3),
    })
}

/// Returns the columns that a `YIELD` at `at` selects, each with its alias, and the index of the first token after it.
/// Returns every column if there is no `YIELD`.
fn yields_of(tokens: &[Token<'_>], at: usize, table: Table) -> Result<(Vec<(String, String)>, usize), Failure> {
    let every = || table.columns().iter().map(|&name| (name.to_owned(), name.to_owned())).collect();
    if !tokens.get(at).is_some_and(|token| token.is_word("YIELD")) {
        return Ok((every(), at));
    }
    let list = list_after(tokens, at, &AFTER_LIST);
    let after = at + 1 + list.len();
    if matches!(list, [star] if star.is_symbol("*")) {
        return Ok((every(), after));
    }
    let yields: Result<Vec<_>, Failure> = list
        .split(|token| token.is_symbol(","))
        .map(|item| {
            let (column, alias) = match item {
                [column] => (column, column),
                [column, word, alias] if word.is_word("AS") => (column, alias),
                _ => return Err(unknown_output(item.first())),
            };
            let known = matches!(column.kind, Kind::Word | Kind::Quoted)
                && column.name().is_some_and(|name| table.columns().contains(&name));
            if !known {
                return Err(unknown_output(Some(column)));
            }
            Ok((column.text.to_owned(), alias.text.to_owned()))
        })
        .collect();
    Ok((yields?, after))
}

fn unknown_output(token: Option<&Token<'_>>) -> Failure {
    Failure::new(
        "Neo.ClientError.Statement.SyntaxError",
        format!("Unknown procedure output: `{}`", token.map_or("", |token| token.text)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(statement: &str) -> String {
        expand(statement).unwrap().unwrap().text
    }

    #[test]
    fn a_standalone_call_returns_its_columns() {
        let whole = "UNWIND $_boltgate_labels AS _boltgate_0 \
                     WITH *, _boltgate_0.label AS label\nRETURN label";
        assert_eq!(expanded("CALL db.labels()"), whole);
        assert_eq!(expanded("call db.labels;"), whole);
        assert_eq!(expanded("CALL db.labels() YIELD *"), whole);
    }

    #[test]
    fn what_follows_a_call_stays() {
        assert_eq!(
            expanded("CALL db.labels() YIELD label AS l WHERE l <> 'x' // done"),
            "UNWIND $_boltgate_labels AS _boltgate_0 WITH *, _boltgate_0.label AS l \
             WHERE l <> 'x' // done\nRETURN l"
        );
        assert_eq!(
            expanded("MATCH (n) CALL dbms.components() YIELD name, edition RETURN n, name"),
            "MATCH (n) UNWIND $_boltgate_components AS _boltgate_0 \
             WITH *, _boltgate_0.name AS name, _boltgate_0.edition AS edition RETURN n, name"
        );
    }

    #[test]
    fn every_part_of_a_union_is_replaced() {
        let expansion = expand(
            "CALL db.labels() YIELD label RETURN label AS x \
             UNION CALL db.propertyKeys() YIELD propertyKey RETURN propertyKey AS x",
        );
        assert_eq!(expansion.unwrap().unwrap().tables, [Table::Labels, Table::PropertyKeys]);
    }

    #[test]
    fn databases_are_shown_by_name() {
        for (statement, table) in [
            ("SHOW DATABASES", Table::Databases),
            ("show default database", Table::Databases),
            ("SHOW HOME DATABASE YIELD name", Table::Databases),
            ("SHOW DATABASE neo4j", Table::Databases),
            ("SHOW DATABASE Memgraph", Table::Databases),
            ("SHOW DATABASE YIELD name", Table::Databases),
            ("SHOW DATABASE `other`", Table::NoDatabases),
        ] {
            let expansion = expand(statement).unwrap().unwrap();
            assert_eq!((expansion.tables, expansion.command), (vec![table], true), "{statement}");
        }
    }

    #[test]
    fn an_unknown_column_is_refused() {
        let failure = expand("CALL db.labels() YIELD name RETURN name").unwrap_err();
        assert_eq!(failure.message, "Unknown procedure output: `name`");
    }

    #[test]
    fn other_statements_stay_as_they_are() {
        for statement in [
            "RETURN 'CALL db.labels()'",
            "MATCH (call:Call) RETURN call",
            "CALL db.counts()",
            "CALL db.labels(1)",
            "SHOW INDEXES",
            "",
        ] {
            assert_eq!(expand(statement).unwrap(), None, "{statement}");
        }
    }
}
