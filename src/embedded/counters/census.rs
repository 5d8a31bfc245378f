//! How many nodes a label has, and how many relationships a type: the engine keeps these numbers.

use std::collections::HashMap;

use graphdblite::{Database, GraphError, Value};

/// The numbers at one time.
#[derive(Debug)]
pub(super) struct Census {
    counts: HashMap<(bool, String), i64>,
}

impl Census {
    pub(super) fn take(database: &mut Database) -> Result<Census, GraphError> {
        let mut counts = HashMap::new();
        for row in database.execute("CALL db.counts() YIELD kind, name, count RETURN kind, name, count")? {
            if let (Some(Value::String(kind)), Some(Value::String(name)), Some(Value::I64(count))) =
                (row.get("kind"), row.get("name"), row.get("count"))
            {
                counts.insert((kind == "label", name.clone()), *count);
            }
        }
        Ok(Census { counts })
    }

    /// The number of nodes with this label.
    pub(super) fn nodes(&self, label: &str) -> i64 {
        self.counts.get(&(true, label.to_owned())).copied().unwrap_or_default()
    }

    /// The number of relationships of this type.
    pub(super) fn relationships(&self, name: &str) -> i64 {
        self.counts.get(&(false, name.to_owned())).copied().unwrap_or_default()
    }

    /// The number of all relationships.
    pub(super) fn all_relationships(&self) -> i64 {
        self.counts.iter().filter(|((is_label, _), _)| !is_label).map(|(_, count)| count).sum()
    }
}
