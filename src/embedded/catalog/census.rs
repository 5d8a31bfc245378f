//! What is in the graph: which labels, types and properties occur together, and how often.
//!
//! Owns one pass over all nodes and relationships. Promises exact numbers, as the open transaction sees them. Knows
//! nothing of the tables that are made of them.

use std::collections::{BTreeMap, HashMap};

use graphdblite::{Database, GraphError, Value};

/// The type of a property's value, under its names in Neo4j's and Memgraph's catalogs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::embedded) struct TypeNames {
    /// `db.schema.nodeTypeProperties()`.
    pub(in crate::embedded) neo4j: String,
    /// `SHOW SCHEMA INFO`.
    pub(in crate::embedded) schema_info: &'static str,
    /// `schema.node_type_properties()`.
    pub(in crate::embedded) module: &'static str,
}

/// The elements with the same labels or type.
#[derive(Debug, Default)]
pub(in crate::embedded) struct Group {
    pub(in crate::embedded) count: i64,
    /// How often a property has a value of a type.
    pub(in crate::embedded) properties: BTreeMap<String, BTreeMap<TypeNames, i64>>,
}

impl Group {
    fn add(&mut self, properties: &HashMap<String, Value>) {
        self.count += 1;
        for (key, value) in properties {
            *self.properties.entry(key.clone()).or_default().entry(type_names(value)).or_default() += 1;
        }
    }
}

/// Relationships have the labels of both ends, and a type.
pub(in crate::embedded) type Ends = (Vec<String>, String, Vec<String>);

/// The groups of the whole graph.
#[derive(Debug, Default)]
pub(in crate::embedded) struct Census {
    pub(in crate::embedded) nodes: BTreeMap<Vec<String>, Group>,
    pub(in crate::embedded) relationships: BTreeMap<Ends, Group>,
}

impl Census {
    /// Reads the whole graph.
    pub(in crate::embedded) fn take(database: &mut Database) -> Result<Census, GraphError> {
        let mut census = Census::default();
        for row in database.execute("MATCH (n) RETURN n")? {
            if let Some(Value::Node(node)) = row.get("n") {
                let mut labels = node.labels.clone();
                labels.sort_unstable();
                census.nodes.entry(labels).or_default().add(&node.properties);
            }
        }
        for row in database.execute("MATCH (a)-[r]->(b) RETURN labels(a) AS a, r, labels(b) AS b")? {
            if let Some(Value::Edge(edge)) = row.get("r") {
                let ends = (strings(row.get("a")), edge.label.clone(), strings(row.get("b")));
                census.relationships.entry(ends).or_default().add(&edge.properties);
            }
        }
        Ok(census)
    }

    /// The number of nodes that have `label`, and `property` if one is given.
    pub(in crate::embedded) fn having(&self, label: &str, property: Option<&str>) -> i64 {
        let labelled = self.nodes.iter().filter(|(labels, _)| labels.iter().any(|known| known == label));
        let counts = labelled.map(|(_, group)| match property {
            Some(key) => group.properties.get(key).map_or(0, |types| types.values().sum()),
            None => group.count,
        });
        counts.sum()
    }
}

fn strings(value: Option<&Value>) -> Vec<String> {
    let Some(Value::List(items)) = value else {
        return Vec::new();
    };
    let texts = items.iter().filter_map(|item| match item {
        Value::String(text) => Some(text.clone()),
        _ => None,
    });
    let mut texts: Vec<String> = texts.collect();
    texts.sort_unstable();
    texts
}

fn type_names(value: &Value) -> TypeNames {
    let (neo4j, schema_info, module) = match value {
        Value::Bool(_) => ("Boolean", "Boolean", "Bool"),
        Value::I64(_) => ("Long", "Integer", "Int"),
        Value::F64(_) => ("Double", "Float", "Double"),
        Value::String(_) => ("String", "String", "String"),
        Value::Date(_) => ("Date", "Date", "Date"),
        Value::LocalTime(_) => ("LocalTime", "LocalTime", "LocalTime"),
        Value::Time(_) => ("Time", "Time", "Time"),
        Value::LocalDateTime(_) => ("LocalDateTime", "LocalDateTime", "LocalDateTime"),
        Value::DateTime(_) => ("DateTime", "ZonedDateTime", "ZonedDateTime"),
        Value::Duration(_) => ("Duration", "Duration", "Duration"),
        Value::List(items) => {
            let item = items.first().map_or_else(|| "String".to_owned(), |item| type_names(item).neo4j);
            return TypeNames { neo4j: format!("{item}Array"), schema_info: "List", module: "List[Any]" };
        }
        _ => ("Map", "Map", "Map[Any]"),
    };
    TypeNames { neo4j: neo4j.to_owned(), schema_info, module }
}
