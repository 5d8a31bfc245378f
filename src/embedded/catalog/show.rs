//! The `SHOW` commands of Neo4j and Memgraph.
//!
//! Owns which words name which table. Promises to refuse by name what has no table here. Knows nothing of rows.

use crate::embedded::catalog::tables::Table;
use crate::embedded::catalog::{memgraph, neo4j};
use crate::embedded::cypher::lexer::{Kind, Token};
use crate::embedded::errors::Failure;
use crate::embedded::is_database;

/// The commands that always return the same table, by the words after `SHOW`.
static COMMANDS: [(&str, &Table); 36] = [
    ("DATABASES", &neo4j::DATABASES),
    ("DEFAULT DATABASE", &neo4j::HOME_DATABASE),
    ("HOME DATABASE", &neo4j::HOME_DATABASE),
    ("CURRENT DATABASE", &memgraph::CURRENT_DATABASE),
    ("SCHEMA INFO", &memgraph::SCHEMA_INFO),
    ("INDEX INFO", &memgraph::INDEX_INFO),
    ("CONSTRAINT INFO", &memgraph::CONSTRAINT_INFO),
    ("STORAGE INFO", &memgraph::STORAGE_INFO),
    ("VERSION", &memgraph::SHOW_VERSION),
    ("INDEX", &neo4j::INDEXES),
    ("INDEXES", &neo4j::INDEXES),
    ("ALL INDEX", &neo4j::INDEXES),
    ("ALL INDEXES", &neo4j::INDEXES),
    ("RANGE INDEX", &neo4j::INDEXES),
    ("RANGE INDEXES", &neo4j::INDEXES),
    ("FULLTEXT INDEXES", &neo4j::NO_INDEXES),
    ("LOOKUP INDEXES", &neo4j::NO_INDEXES),
    ("POINT INDEXES", &neo4j::NO_INDEXES),
    ("TEXT INDEXES", &neo4j::NO_INDEXES),
    ("VECTOR INDEXES", &neo4j::NO_INDEXES),
    ("CONSTRAINT", &neo4j::CONSTRAINTS),
    ("CONSTRAINTS", &neo4j::CONSTRAINTS),
    ("ALL CONSTRAINTS", &neo4j::CONSTRAINTS),
    ("UNIQUE CONSTRAINTS", &neo4j::CONSTRAINTS),
    ("UNIQUENESS CONSTRAINTS", &neo4j::CONSTRAINTS),
    ("PROCEDURE", &neo4j::SHOW_PROCEDURES),
    ("PROCEDURES", &neo4j::SHOW_PROCEDURES),
    ("PROCEDURES EXECUTABLE", &neo4j::SHOW_PROCEDURES),
    ("FUNCTION", &neo4j::SHOW_FUNCTIONS),
    ("FUNCTIONS", &neo4j::SHOW_FUNCTIONS),
    ("ALL FUNCTIONS", &neo4j::SHOW_FUNCTIONS),
    ("BUILT IN FUNCTIONS", &neo4j::SHOW_FUNCTIONS),
    ("FUNCTIONS EXECUTABLE", &neo4j::SHOW_FUNCTIONS),
    ("CURRENT USER", &neo4j::CURRENT_USER),
    ("NODE CONSTRAINTS", &neo4j::CONSTRAINTS),
    ("KEY CONSTRAINTS", &neo4j::CONSTRAINTS),
];

/// Returns the table that a statement asks for with the `SHOW` at its start, and the index of the first token after it.
///
/// # Errors
/// Returns an error if there is no such table.
pub(in crate::embedded) fn table(tokens: &[Token<'_>]) -> Result<(&'static Table, usize), Failure> {
    let ends = |token: &&Token<'_>| {
        matches!(token.kind, Kind::Word | Kind::Quoted) && !token.is_word("YIELD") && !token.is_word("WHERE")
    };
    let words: Vec<&Token<'_>> = tokens.iter().skip(1).take_while(ends).collect();
    let after = 1 + words.len();
    if let [first, rest @ ..] = words.as_slice()
        && first.is_word("DATABASE")
    {
        let known = |name: &&Token<'_>| name.name().is_some_and(is_database);
        return Ok((if rest.iter().all(known) { &neo4j::DATABASES } else { &neo4j::NO_DATABASES }, after));
    }
    let said = words.iter().map(|word| word.text.to_ascii_uppercase()).collect::<Vec<_>>().join(" ");
    let found = COMMANDS.iter().find(|(command, _)| *command == said);
    found.map(|(_, table)| (*table, after)).ok_or_else(|| Failure::not_supported(format!("`SHOW {said}`").trim()))
}
