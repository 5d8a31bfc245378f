//! Tables that clients expect of a database and that the engine does not have.
//!
//! Owns what a table is, and which procedures return one. Promises to return what the open transaction sees. Knows
//! nothing of statement text.

use graphdblite::{Database, GraphError, Value};

use crate::embedded::catalog::{memgraph, neo4j};

/// The values of one row, in the order of the columns.
pub(in crate::embedded) type Row = Vec<Value>;

/// A table that the bridge provides.
#[derive(Debug)]
pub(in crate::embedded) struct Table {
    /// The procedure or command that returns it, as it is written without its brackets.
    pub(in crate::embedded) name: &'static str,
    pub(in crate::embedded) columns: &'static [&'static str],
    /// How many of the columns are returned without a `YIELD`: Neo4j's commands have more than they show.
    pub(in crate::embedded) shown: usize,
    pub(in crate::embedded) rows: fn(&mut Database) -> Result<Vec<Row>, GraphError>,
}

impl PartialEq for Table {
    fn eq(&self, other: &Table) -> bool {
        self.name == other.name
    }
}

impl Eq for Table {}

impl Table {
    /// Returns the table of the procedure `name`.
    pub(in crate::embedded) fn of_procedure(name: &str) -> Option<&'static Table> {
        procedures().find(|table| table.name == name)
    }

    /// The name of the parameter that holds the rows.
    pub(in crate::embedded) fn parameter(&self) -> String {
        let words = self.name.replace(|character: char| !character.is_ascii_alphanumeric(), "_");
        format!("_boltgate_{words}")
    }

    /// The rows as a value.
    pub(in crate::embedded) fn value(&self, database: &mut Database) -> Result<Value, GraphError> {
        Ok(Value::List((self.rows)(database)?.into_iter().map(Value::List).collect()))
    }
}

/// The tables that procedures return.
pub(in crate::embedded) fn procedures() -> impl Iterator<Item = &'static Table> {
    neo4j::PROCEDURES.iter().chain(&memgraph::PROCEDURES)
}

/// The engine's own procedures, with their signatures. They can be called, too.
pub(in crate::embedded) const ENGINE_PROCEDURES: [(&str, &str); 3] = [
    ("db.counts", "db.counts() :: (kind :: STRING, name :: STRING, count :: INTEGER)"),
    ("db.indexes", "db.indexes() :: (label :: STRING, property :: STRING, kind :: STRING)"),
    (
        "fts.search",
        "fts.search(label :: STRING, property :: STRING, query :: STRING) :: (node :: NODE, score :: FLOAT)",
    ),
];

/// All procedures by name, each with its signature.
pub(in crate::embedded) fn signatures() -> Vec<(&'static str, String)> {
    let signature = |table: &'static Table| (table.name, format!("{}() :: ({})", table.name, table.columns.join(", ")));
    let mut all: Vec<_> = procedures().map(signature).collect();
    all.extend(ENGINE_PROCEDURES.iter().map(|(name, signature)| (*name, (*signature).to_owned())));
    all.sort_unstable();
    all
}

pub(in crate::embedded) fn text(text: impl Into<String>) -> Value {
    Value::String(text.into())
}

pub(in crate::embedded) fn texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Value {
    Value::List(texts.into_iter().map(text).collect())
}

pub(in crate::embedded) fn one_column(names: Vec<String>) -> Vec<Row> {
    names.into_iter().map(|name| vec![text(name)]).collect()
}

pub(in crate::embedded) fn no_rows(_: &mut Database) -> Result<Vec<Row>, GraphError> {
    Ok(Vec::new())
}
