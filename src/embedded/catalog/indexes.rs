//! The indexes of the engine, with the names that they are shown and dropped by.
//!
//! Owns the name of an index, which the engine does not have: it follows from label and property. Knows nothing of
//! the tables that list indexes.

use graphdblite::{Database, GraphError, Record, Value};

/// One index of the engine, as the engine reports it: an index on several properties is reported as one on each.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::embedded) struct Index {
    pub(in crate::embedded) label: String,
    pub(in crate::embedded) property: String,
}

impl Index {
    /// The name that stands for it.
    pub(in crate::embedded) fn name(&self) -> String {
        format!("index_{}_{}", self.label, self.property)
    }
}

/// All indexes, by label and property.
pub(in crate::embedded) fn indexes(database: &mut Database) -> Result<Vec<Index>, GraphError> {
    let rows = database.execute("CALL db.indexes() YIELD label, property RETURN label, property")?;
    let index = |row: &Record| match (row.get("label"), row.get("property")) {
        (Some(Value::String(label)), Some(Value::String(property))) => {
            Some(Index { label: label.clone(), property: property.clone() })
        }
        _ => None,
    };
    let mut indexes: Vec<Index> = rows.iter().filter_map(index).collect();
    indexes.sort_unstable();
    indexes.dedup();
    Ok(indexes)
}
