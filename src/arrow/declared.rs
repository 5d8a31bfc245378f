//! The types that a request declares for its columns, and the size of its sample.

use std::collections::HashMap;

use super::{
    seen::Seen,
    types::{Column, DEEPEST_LIST, Type, Unit},
};

/// The number of rows in a sample, unless the request sets it.
const SAMPLE: usize = 1000;
/// The most rows of a sample.
pub const MOST_SAMPLED: usize = 100_000;

/// The names of types, as a list for people.
pub const TYPE_NAMES: &str = "bool, int64, float64, string, binary, date, time, localtime, timestamp[us], timestamp[ns], \
                              zoned, duration, point, node, relationship, path, json, list<…>";

/// What a request says of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// The columns whose types it declares, by name.
    pub columns: HashMap<String, Column>,
    /// The number of rows from which the other columns' types are decided.
    pub sample: usize,
}

impl Default for Declared {
    fn default() -> Self {
        Self { columns: HashMap::new(), sample: SAMPLE }
    }
}

impl Column {
    /// The column of a declared type; `None` if there is no such type.
    #[must_use]
    pub fn declared(name: &str) -> Option<Self> {
        Self::nested(name, DEEPEST_LIST)
    }

    fn nested(name: &str, depth: usize) -> Option<Self> {
        let (kind, cypher) = match name {
            "bool" => (Type::Boolean, "Boolean"),
            "int64" => (Type::Integer, "Integer"),
            "float64" => (Type::Float, "Float"),
            "string" => (Type::String, "String"),
            "binary" => (Type::Bytes, "Base64"),
            "date" => (Type::Date, "Date"),
            "time" => (Type::Time, "Time"),
            "localtime" => (Type::LocalTime, "LocalTime"),
            "timestamp[us]" => (Type::Timestamp { unit: Unit::Micro, utc: false }, "LocalDateTime"),
            "timestamp[ns]" => (Type::Timestamp { unit: Unit::Nano, utc: false }, "LocalDateTime"),
            "zoned" => (Type::Zoned(Unit::Micro), "ZonedDateTime"),
            "duration" => (Type::Duration, "Duration"),
            "point" => (Type::Point, "Point"),
            "node" => (Type::Node, "Node"),
            "relationship" => (Type::Relationship, "Relationship"),
            "path" => (Type::Path, "Path"),
            "json" => (Type::Json, "Mixed"),
            _ => {
                let item = name.strip_prefix("list<")?.strip_suffix('>')?;
                (Type::List(Box::new(Self::nested(item, depth.checked_sub(1)?)?)), "List")
            }
        };
        Some(Self { kind, cypher })
    }

    /// Whether a declared type leaves nothing to be learnt from the values that were seen.
    pub(super) fn is_settled(&self, seen: &Seen) -> bool {
        match (&self.kind, seen) {
            // Whether it is in UTC is up to the first value.
            (Type::Timestamp { .. }, seen) => *seen != Seen::Nothing,
            // The unit is up to all of them.
            (Type::Zoned(_), _) => false,
            (Type::List(items), Seen::List(seen)) => items.is_settled(seen),
            (Type::List(items), _) => items.is_settled(&Seen::Nothing),
            _ => true,
        }
    }

    /// Completes a declared type by what was seen of the values.
    pub(super) fn settle(&mut self, seen: &Seen) {
        match (&mut self.kind, seen) {
            (Type::Timestamp { utc, .. }, Seen::DateTime(_, names)) => {
                *utc = true;
                self.cypher = names.cypher();
            }
            (Type::Zoned(unit), Seen::DateTime(instants, names)) => {
                *unit = instants.unit().unwrap_or(*unit);
                self.cypher = names.cypher();
            }
            (Type::List(items), Seen::List(seen)) => items.settle(seen),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_called_as_it_is_declared() {
        for name in TYPE_NAMES.split(", ") {
            let name = name.replace('…', "list<float64>");
            assert_eq!(Column::declared(&name).unwrap().kind.to_string(), name);
        }
    }

    #[test]
    fn other_names_are_no_types() {
        let too_deep = format!("{}int64{}", "list<".repeat(17), ">".repeat(17));
        for name in ["", "int", "Int64", "list", "list<>", "list<int64", "timestamp", "vector", "null", &too_deep] {
            assert_eq!(Column::declared(name), None, "{name}");
        }
        assert!(Column::declared(&format!("{}int64{}", "list<".repeat(16), ">".repeat(16))).is_some());
    }
}
