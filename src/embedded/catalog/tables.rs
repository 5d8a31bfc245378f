//! Tables that clients expect of a database and that the engine does not have.
//!
//! Owns their columns and rows. Promises to return what the open transaction sees. Knows nothing of statement text.

use std::collections::BTreeMap;

use graphdblite::{Database, GraphError, Value};

use crate::embedded::{ALIAS, DATABASE, VERSION};

/// A table that the bridge provides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::embedded) enum Table {
    Labels,
    RelationshipTypes,
    PropertyKeys,
    Components,
    Databases,
    /// `SHOW DATABASE` with a name that no database has.
    NoDatabases,
}

impl Table {
    /// Returns the table of the procedure `name`.
    pub(in crate::embedded) fn of_procedure(name: &str) -> Option<Table> {
        match name {
            "db.labels" => Some(Table::Labels),
            "db.relationshipTypes" => Some(Table::RelationshipTypes),
            "db.propertyKeys" => Some(Table::PropertyKeys),
            "dbms.components" => Some(Table::Components),
            _ => None,
        }
    }

    pub(in crate::embedded) fn columns(self) -> &'static [&'static str] {
        match self {
            Table::Labels => &["label"],
            Table::RelationshipTypes => &["relationshipType"],
            Table::PropertyKeys => &["propertyKey"],
            Table::Components => &["name", "versions", "edition"],
            Table::Databases | Table::NoDatabases => &[
                "name",
                "type",
                "aliases",
                "access",
                "address",
                "role",
                "writer",
                "requestedStatus",
                "currentStatus",
                "statusMessage",
                "default",
                "home",
                "constituents",
            ],
        }
    }

    /// The name of the parameter that holds the rows.
    pub(in crate::embedded) fn parameter(self) -> &'static str {
        match self {
            Table::Labels => "_boltgate_labels",
            Table::RelationshipTypes => "_boltgate_relationship_types",
            Table::PropertyKeys => "_boltgate_property_keys",
            Table::Components => "_boltgate_components",
            Table::Databases => "_boltgate_databases",
            Table::NoDatabases => "_boltgate_no_databases",
        }
    }

    /// The rows, as the open transaction of `database` sees them.
    pub(in crate::embedded) fn rows(self, database: &mut Database) -> Result<Value, GraphError> {
        let rows = match self {
            Table::Labels => one_column("label", names_in_use(database, "label")?),
            Table::RelationshipTypes => one_column("relationshipType", names_in_use(database, "edge_type")?),
            Table::PropertyKeys => one_column("propertyKey", property_keys(database)?),
            Table::Components => vec![row(&[
                ("name", text("Neo4j Kernel")),
                ("versions", Value::List(vec![text(VERSION)])),
                ("edition", text("community")),
            ])],
            Table::Databases => vec![database_row()],
            Table::NoDatabases => Vec::new(),
        };
        Ok(Value::List(rows))
    }
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn row(columns: &[(&str, Value)]) -> Value {
    Value::Map(columns.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

fn one_column(name: &str, values: Vec<String>) -> Vec<Value> {
    values.into_iter().map(|value| Value::Map(BTreeMap::from([(name.to_owned(), Value::String(value))]))).collect()
}

fn database_row() -> Value {
    row(&[
        ("name", text(DATABASE)),
        ("type", text("standard")),
        ("aliases", Value::List(vec![text(ALIAS)])),
        ("access", text("read-write")),
        ("address", text("")),
        ("role", text("primary")),
        ("writer", Value::Bool(true)),
        ("requestedStatus", text("online")),
        ("currentStatus", text("online")),
        ("statusMessage", text("")),
        ("default", Value::Bool(true)),
        ("home", Value::Bool(true)),
        ("constituents", Value::List(Vec::new())),
    ])
}

/// The names of one kind that occur at least once in the engine's statistics, sorted.
fn names_in_use(database: &mut Database, kind: &str) -> Result<Vec<String>, GraphError> {
    let rows = database.execute("CALL db.counts()")?;
    let in_use = rows.iter().filter(|row| match (row.get("kind"), row.get("count")) {
        (Some(Value::String(found)), Some(Value::I64(count))) => found == kind && *count > 0,
        _ => false,
    });
    Ok(sorted(in_use.filter_map(|row| row.get("name"))))
}

fn property_keys(database: &mut Database) -> Result<Vec<String>, GraphError> {
    let mut rows = database.execute("MATCH (n) UNWIND keys(n) AS k RETURN DISTINCT k")?;
    rows.extend(database.execute("MATCH ()-[r]->() UNWIND keys(r) AS k RETURN DISTINCT k")?);
    Ok(sorted(rows.iter().filter_map(|row| row.get("k"))))
}

fn sorted<'v>(values: impl Iterator<Item = &'v Value>) -> Vec<String> {
    let mut names: Vec<String> = values
        .filter_map(|value| match value {
            Value::String(name) => Some(name.clone()),
            _ => None,
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_in_use_are_listed() {
        let mut database = Database::open_memory().unwrap();
        database.execute("CREATE (:B {y: 1})-[:R {z: 1}]->(:A {x: 1}), (d:Gone)").unwrap();
        database.execute("MATCH (d:Gone) DELETE d").unwrap();
        let mut rows = |table: Table| table.rows(&mut database).unwrap().to_string();
        assert_eq!(rows(Table::Labels), r#"[{label: "A"}, {label: "B"}]"#);
        assert_eq!(rows(Table::RelationshipTypes), r#"[{relationshipType: "R"}]"#);
        assert_eq!(rows(Table::PropertyKeys), r#"[{propertyKey: "x"}, {propertyKey: "y"}, {propertyKey: "z"}]"#);
    }
}
