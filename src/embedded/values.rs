//! Values: converts between Bolt and the engine.
//!
//! Owns the ids of nodes and relationships in Bolt. A node has the engine's id. The engine has no ids for
//! relationships, so their element ids consist of what identifies them (start, type, end, number), and their integer
//! ids are hashes of that. Promises that every value of the engine has a Bolt form, and that a parameter without a type
//! in the engine is refused by name. Knows nothing of statements.

use std::collections::HashMap;

use boltr::types::{BoltDict, BoltNode, BoltPath, BoltRelationship, BoltUnboundRelationship, BoltValue};
use graphdblite::{Edge, Node, NodeId, PathValue, Value};

use super::errors::Failure;
use super::temporal::{self, Templates};

/// JavaScript and JSON represent integers exactly up to 53 bits. The ids of relationships stay below that.
const RELATIONSHIP_ID_BITS: u32 = 52;

/// The parameters of a statement in the engine's form.
pub(super) type Parameters = HashMap<String, Value>;

/// Converts the parameters of a `RUN`.
pub(super) fn parameters_to_engine(parameters: &BoltDict, templates: &Templates) -> Result<Parameters, Failure> {
    parameters
        .iter()
        .map(|(name, value)| match to_engine(value, templates) {
            Ok(value) => Ok((name.clone(), value)),
            Err(problem) => Err(Failure::parameter(name, &problem)),
        })
        .collect()
}

fn to_engine(value: &BoltValue, templates: &Templates) -> Result<Value, String> {
    if let Some(made) = templates.to_engine(value) {
        return made;
    }
    match value {
        BoltValue::Null => Ok(Value::Null),
        BoltValue::Boolean(value) => Ok(Value::Bool(*value)),
        BoltValue::Integer(value) => Ok(Value::I64(*value)),
        BoltValue::Float(value) => Ok(Value::F64(*value)),
        BoltValue::String(value) => Ok(Value::String(value.clone())),
        BoltValue::List(items) => {
            let items: Result<_, _> = items.iter().map(|item| to_engine(item, templates)).collect();
            Ok(Value::List(items?))
        }
        BoltValue::Dict(entries) => {
            let entries: Result<_, String> =
                entries.iter().map(|(key, value)| Ok((key.clone(), to_engine(value, templates)?))).collect();
            Ok(Value::Map(entries?))
        }
        other => Err(format!("the embedded database has no type for {}", type_name(other))),
    }
}

fn type_name(value: &BoltValue) -> &'static str {
    match value {
        BoltValue::Bytes(_) => "ByteArray",
        BoltValue::Point2D(_) | BoltValue::Point3D(_) => "Point",
        BoltValue::Node(_) => "a Node as a parameter",
        BoltValue::Relationship(_) | BoltValue::UnboundRelationship(_) => "a Relationship as a parameter",
        BoltValue::Path(_) => "a Path as a parameter",
        _ => "this value",
    }
}

/// The Bolt form of a value in a result.
pub(super) fn to_bolt(value: &Value) -> BoltValue {
    if let Some(temporal) = temporal::to_bolt(value) {
        return temporal;
    }
    match value {
        Value::Bool(value) => BoltValue::Boolean(*value),
        Value::I64(value) => BoltValue::Integer(*value),
        Value::F64(value) => BoltValue::Float(*value),
        Value::String(value) => BoltValue::String(value.clone()),
        Value::List(items) => BoltValue::List(items.iter().map(to_bolt).collect()),
        Value::Map(entries) => BoltValue::Dict(entries.iter().map(entry).collect()),
        Value::Node(node) => BoltValue::Node(node_to_bolt(node)),
        Value::Edge(edge) => BoltValue::Relationship(relationship_to_bolt(edge)),
        Value::Path(path) => BoltValue::Path(path_to_bolt(path)),
        // The temporal types have been handled above.
        _ => BoltValue::Null,
    }
}

fn entry((key, value): (&String, &Value)) -> (String, BoltValue) {
    (key.clone(), to_bolt(value))
}

fn id(node: NodeId) -> i64 {
    // The engine numbers nodes from 1.
    i64::try_from(node.0).unwrap_or(i64::MAX)
}

fn node_to_bolt(node: &Node) -> BoltNode {
    BoltNode {
        id: id(node.id),
        labels: node.labels.clone(),
        properties: node.properties.iter().map(entry).collect(),
        element_id: node.id.0.to_string(),
    }
}

fn relationship_to_bolt(edge: &Edge) -> BoltRelationship {
    let unbound = unbound_to_bolt(edge);
    BoltRelationship {
        id: unbound.id,
        start_node_id: id(edge.src),
        end_node_id: id(edge.dst),
        rel_type: unbound.rel_type,
        properties: unbound.properties,
        element_id: unbound.element_id,
        start_element_id: edge.src.0.to_string(),
        end_element_id: edge.dst.0.to_string(),
    }
}

fn unbound_to_bolt(edge: &Edge) -> BoltUnboundRelationship {
    let element_id = format!("{}:{}:{}:{}", edge.src.0, edge.label, edge.dst.0, edge.seq);
    BoltUnboundRelationship {
        id: hashed_id(&element_id),
        rel_type: edge.label.clone(),
        properties: edge.properties.iter().map(entry).collect(),
        element_id,
    }
}

/// FNV-1a, reduced to 52 bits: the same in every process, and never negative.
fn hashed_id(element_id: &str) -> i64 {
    let hash = element_id
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    i64::try_from(hash >> (u64::BITS - RELATIONSHIP_ID_BITS)).unwrap_or_default()
}

/// Converts to a Bolt path: each node and relationship once, and a sequence of indices.
fn path_to_bolt(path: &PathValue) -> BoltPath {
    let mut nodes: Vec<BoltNode> = Vec::new();
    let mut rels: Vec<BoltUnboundRelationship> = Vec::new();
    let mut indices = Vec::with_capacity(path.edges.len() * 2);
    let mut from = path.nodes.first().map(|node| {
        index_of_or_push(&mut nodes, node_to_bolt(node), |a, b| a.id == b.id);
        node.id
    });
    for (edge, node) in path.edges.iter().zip(path.nodes.iter().skip(1)) {
        let index = index_of_or_push(&mut rels, unbound_to_bolt(edge), |a, b| a.element_id == b.element_id) + 1;
        // A relationship that is traversed against its direction has a negative index. A loop is traversed forwards.
        let forwards = from == Some(edge.src);
        indices.push(if forwards { index } else { -index });
        indices.push(index_of_or_push(&mut nodes, node_to_bolt(node), |a, b| a.id == b.id));
        from = Some(node.id);
    }
    BoltPath { nodes, rels, indices }
}

/// Returns the index of `item` in `items`, and appends it if it is missing.
fn index_of_or_push<T>(items: &mut Vec<T>, item: T, same: impl Fn(&T, &T) -> bool) -> i64 {
    let index = items.iter().position(|known| same(known, &item)).unwrap_or_else(|| {
        items.push(item);
        items.len() - 1
    });
    i64::try_from(index).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use boltr::types::BoltPoint2D;
    use graphdblite::Database;

    fn templates() -> Templates {
        Templates::new(&mut Database::open_memory().unwrap()).unwrap()
    }

    fn node(id: u64) -> Node {
        Node { id: NodeId(id), labels: vec!["A".to_owned()], properties: HashMap::new() }
    }

    fn edge(src: u64, dst: u64) -> Edge {
        Edge { src: NodeId(src), dst: NodeId(dst), label: "R".to_owned(), seq: 0, properties: HashMap::new() }
    }

    #[test]
    fn nested_values_survive_both_ways() {
        let inner = BoltDict::from([
            ("x".to_owned(), BoltValue::List(vec![BoltValue::Null, BoltValue::Float(0.5)])),
            ("y".to_owned(), BoltValue::Boolean(true)),
        ]);
        let given = BoltDict::from([
            ("p".to_owned(), BoltValue::Dict(inner.clone())),
            ("q".to_owned(), BoltValue::Integer(i64::MIN)),
        ]);
        let taken = parameters_to_engine(&given, &templates()).unwrap();
        assert_eq!(to_bolt(&taken["p"]), BoltValue::Dict(inner));
        assert_eq!(to_bolt(&taken["q"]), BoltValue::Integer(i64::MIN));
    }

    #[test]
    fn a_parameter_without_a_type_is_refused_by_name() {
        let point = BoltValue::Point2D(BoltPoint2D { srid: 7203, x: 1.0, y: 2.0 });
        for (value, named) in [(BoltValue::Bytes(vec![1]), "ByteArray"), (point, "Point")] {
            let given = BoltDict::from([("p".to_owned(), BoltValue::List(vec![value]))]);
            let failure = parameters_to_engine(&given, &templates()).unwrap_err();
            assert_eq!(failure.code, "Neo.ClientError.Statement.TypeError");
            assert_eq!(failure.message, format!("Parameter `p`: the embedded database has no type for {named}"));
        }
    }

    #[test]
    fn relationships_have_stable_distinct_ids() {
        let first = relationship_to_bolt(&edge(1, 2));
        assert_eq!((first.element_id.as_str(), first.start_node_id, first.end_node_id), ("1:R:2:0", 1, 2));
        assert_eq!(first.id, relationship_to_bolt(&edge(1, 2)).id);
        assert_ne!(first.id, relationship_to_bolt(&edge(2, 1)).id);
        assert!((0..1 << RELATIONSHIP_ID_BITS).contains(&first.id));
    }

    #[test]
    fn a_path_has_indices_and_directions() {
        let path = PathValue {
            nodes: vec![node(1), node(2), node(1), node(1)],
            edges: vec![edge(1, 2), edge(1, 2), edge(1, 1)],
        };
        let bolt = path_to_bolt(&path);
        assert_eq!(bolt.nodes.iter().map(|node| node.id).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(bolt.rels.len(), 2);
        assert_eq!(bolt.indices, [1, 1, -1, 0, 2, 0]);
    }
}
