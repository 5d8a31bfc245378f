//! Statements about the database itself that the engine does not support.
//!
//! Owns `CALL db.labels()`, `db.relationshipTypes()`, `db.propertyKeys()`, `dbms.components()` and `SHOW DATABASES`.
//! Each becomes an `UNWIND` over a parameter that holds the rows, so that `YIELD`, `WHERE`, `RETURN` and everything
//! else around it works. Promises not to change any other statement.

#[cfg(test)]
mod answers;
mod census;
pub(in crate::embedded) mod indexes;
mod memgraph;
mod neo4j;
mod show;
pub(in crate::embedded) mod tables;

use crate::embedded::catalog::tables::Table;
use crate::embedded::cypher::clauses::{AFTER_LIST, is_keyword_at, list_after, next_keyword};
use crate::embedded::cypher::lexer::{Token, dotted_name, tokens};
use crate::embedded::errors::Failure;

/// Clauses after which a statement specifies itself what it returns.
const CONTINUATIONS: [&str; 13] = [
    "MATCH", "OPTIONAL", "CREATE", "MERGE", "SET", "DELETE", "DETACH", "REMOVE", "WITH", "UNWIND", "CALL", "RETURN",
    "UNION",
];

/// A statement that has been rewritten to read its tables from parameters.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::embedded) struct Expansion {
    pub(in crate::embedded) text: String,
    pub(in crate::embedded) tables: Vec<&'static Table>,
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
        let Some((table, after)) = table_at(&tokens, at)? else {
            continue;
        };
        let Some(token) = tokens.get(at) else {
            continue;
        };
        let (yields, after) = yields_of(&tokens, after, table)?;
        let row = format!("_boltgate_{}", expansion.tables.len());
        let columns: Vec<String> = yields.iter().map(|(column, alias)| format!("{row}[{column}] AS {alias}")).collect();
        expansion.text.push_str(statement.get(copied..token.start).unwrap_or_default());
        let parameter = table.parameter();
        expansion.text.push_str(&format!("UNWIND ${parameter} AS {row} WITH *, {}", columns.join(", ")));
        expansion.tables.push(table);
        expansion.command |= token.is_word("SHOW");
        copied = after.checked_sub(1).and_then(|last| tokens.get(last)).map_or(copied, Token::end);
        let aliases: Vec<String> = yields.iter().map(|(_, alias)| returned_as(alias, table)).collect();
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
fn table_at(tokens: &[Token<'_>], at: usize) -> Result<Option<(&'static Table, usize)>, Failure> {
    let Some(token) = tokens.get(at) else {
        return Ok(None);
    };
    if at == 0 && token.is_word("SHOW") {
        return show::table(tokens).map(Some);
    }
    if !token.is_word("CALL") || !is_keyword_at(tokens, at) {
        return Ok(None);
    }
    let (name, length) = dotted_name(tokens.get(at + 1..).unwrap_or_default());
    let Some(table) = Table::of_procedure(&name) else {
        return Ok(None);
    };
    let after = at + 1 + length;
    Ok(match tokens.get(after..) {
        Some([open, close, ..]) if open.is_symbol("(") && close.is_symbol(")") => Some((table, after + 2)),
        Some([open, ..]) if open.is_symbol("(") => None,
        _ => Some((table, after)),
    })
}

/// Returns the columns that a `YIELD` at `at` selects, each as its position in a row and its name in the result, and the
/// index of the first token after it. Without a `YIELD`, returns the columns that are shown.
fn yields_of(tokens: &[Token<'_>], at: usize, table: &Table) -> Result<(Vec<(usize, String)>, usize), Failure> {
    let first = |shown: usize| table.columns.iter().take(shown).map(|name| variable(name)).enumerate().collect();
    if !tokens.get(at).is_some_and(|token| token.is_word("YIELD")) {
        return Ok((first(table.shown), at));
    }
    let list = list_after(tokens, at, &AFTER_LIST);
    let after = at + 1 + list.len();
    if matches!(list, [star] if star.is_symbol("*")) {
        return Ok((first(table.columns.len()), after));
    }
    let yields: Result<Vec<_>, Failure> = list
        .split(|token| token.is_symbol(","))
        .map(|item| {
            let (column, alias) = match item {
                [column] => (column, column),
                [column, word, alias] if word.is_word("AS") => (column, alias),
                _ => return Err(unknown_output(item.first())),
            };
            let position = column.name().and_then(|name| table.columns.iter().position(|known| *known == name));
            Ok((position.ok_or_else(|| unknown_output(Some(column)))?, alias.text.to_owned()))
        })
        .collect();
    Ok((yields?, after))
}

/// The variable that holds a column. The engine has no variables with blanks.
fn variable(column: &str) -> String {
    column.replace(' ', "_")
}

/// What a `RETURN` says so that `variable` is a column of `table` again.
fn returned_as(variable: &str, table: &Table) -> String {
    let blank = table.columns.iter().find(|column| column.contains(' ') && column.replace(' ', "_") == variable);
    blank.map_or_else(|| variable.to_owned(), |column| format!("{variable} AS `{column}`"))
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
        let whole = "UNWIND $_boltgate_db_labels AS _boltgate_0 \
                     WITH *, _boltgate_0[0] AS label\nRETURN label";
        assert_eq!(expanded("CALL db.labels()"), whole);
        assert_eq!(expanded("call db.labels;"), whole);
        assert_eq!(expanded("CALL db.labels() YIELD *"), whole);
    }

    #[test]
    fn what_follows_a_call_stays() {
        assert_eq!(
            expanded("CALL db.labels() YIELD label AS l WHERE l <> 'x' // done"),
            "UNWIND $_boltgate_db_labels AS _boltgate_0 WITH *, _boltgate_0[0] AS l \
             WHERE l <> 'x' // done\nRETURN l"
        );
        assert_eq!(
            expanded("MATCH (n) CALL dbms.components() YIELD name, edition RETURN n, name"),
            "MATCH (n) UNWIND $_boltgate_dbms_components AS _boltgate_0 \
             WITH *, _boltgate_0[0] AS name, _boltgate_0[2] AS edition RETURN n, name"
        );
    }

    #[test]
    fn every_part_of_a_union_is_replaced() {
        let expansion = expand(
            "CALL db.labels() YIELD label RETURN label AS x \
             UNION CALL db.propertyKeys() YIELD propertyKey RETURN propertyKey AS x",
        );
        let names: Vec<_> = expansion.unwrap().unwrap().tables.iter().map(|table| table.name).collect();
        assert_eq!(names, ["db.labels", "db.propertyKeys"]);
    }

    #[test]
    fn commands_have_their_tables() {
        for (statement, table) in [
            ("SHOW DATABASES", "SHOW DATABASES"),
            ("show default database", "SHOW HOME DATABASE"),
            ("SHOW HOME DATABASE YIELD name", "SHOW HOME DATABASE"),
            ("SHOW DATABASE neo4j", "SHOW DATABASES"),
            ("SHOW DATABASE Memgraph", "SHOW DATABASES"),
            ("SHOW DATABASE YIELD name", "SHOW DATABASES"),
            ("SHOW DATABASE `other`", "SHOW DATABASE"),
            ("show all indexes where true;", "SHOW INDEXES"),
            ("SHOW INDEX INFO;", "SHOW INDEX INFO"),
        ] {
            let expansion = expand(statement).unwrap().unwrap();
            assert_eq!((expansion.tables[0].name, expansion.command), (table, true), "{statement}");
        }
    }

    #[test]
    fn a_command_without_a_table_is_named() {
        let failure = expand("SHOW metrics info").unwrap_err();
        assert_eq!(failure, Failure::not_supported("`SHOW METRICS INFO`"));
        assert_eq!(expand("SHOW").unwrap_err(), Failure::not_supported("`SHOW `"));
    }

    #[test]
    fn columns_keep_their_blanks() {
        let text = expanded("SHOW STORAGE INFO");
        assert!(text.ends_with("RETURN storage_info AS `storage info`, value"), "{text}");
    }

    #[test]
    fn an_unknown_column_is_refused() {
        let failure = expand("CALL db.labels() YIELD name RETURN name").unwrap_err();
        assert_eq!(failure.message, "Unknown procedure output: `name`");
    }

    #[test]
    fn other_statements_stay_as_they_are() {
        for statement in
            ["RETURN 'CALL db.labels()'", "MATCH (call:Call) RETURN call", "CALL db.counts()", "CALL db.labels(1)", ""]
        {
            assert_eq!(expand(statement).unwrap(), None, "{statement}");
        }
    }
}
