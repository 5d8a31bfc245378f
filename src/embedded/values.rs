//! Values: converts between Bolt and the engine.
//!
//! Owns the form of each value in Bolt. Promises that every value of the engine has one, and that a parameter without a
//! type in the engine is refused by name. Knows nothing of statements.

use std::collections::HashMap;

use boltr::types::{BoltDict, BoltNode, BoltPath, BoltRelationship, BoltUnboundRelationship, BoltValue};
use graphdblite::{Edge, Node, PathValue, Value};

use super::errors::Failure;
use super::ids::Ids;
use super::temporal::{self, Templates};

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
pub(super) fn to_bolt(value: &Value, ids: &Ids) -> BoltValue {
    if let Some(temporal) = temporal::to_bolt(value) {
        return temporal;
    }
    match value {
        Value::Bool(value) => BoltValue::Boolean(*value),
        Value::I64(value) => BoltValue::Integer(*value),
        Value::F64(value) => BoltValue::Float(*value),
        Value::String(value) => BoltValue::String(value.clone()),
        Value::List(items) => BoltValue::List(items.iter().map(|item| to_bolt(item, ids)).collect()),
        Value::Map(entries) => BoltValue::Dict(dictionary(entries, ids)),
        Value::Node(node) => BoltValue::Node(node_to_bolt(node, ids)),
        Value::Edge(edge) => BoltValue::Relationship(relationship_to_bolt(edge, ids)),
        Value::Path(path) => BoltValue::Path(path_to_bolt(path, ids)),
        // The temporal types have been handled above.
        _ => BoltValue::Null,
    }
}

fn dictionary<'v>(entries: impl IntoIterator<Item = (&'v String, &'v Value)>, ids: &Ids) -> BoltDict {
    entries.into_iter().map(|(key, value)| (key.clone(), to_bolt(value, ids))).collect()
}

/// The integer id with this number. The engine counts from 0 or 1, so it does not get beyond.
fn id(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn node_to_bolt(node: &Node, ids: &Ids) -> BoltNode {
    BoltNode {
        id: id(node.id.0),
        labels: node.labels.clone(),
        properties: dictionary(&node.properties, ids),
        element_id: ids.node(node.id.0),
    }
}

fn relationship_to_bolt(edge: &Edge, ids: &Ids) -> BoltRelationship {
    let unbound = unbound_to_bolt(edge, ids);
    BoltRelationship {
        id: unbound.id,
        start_node_id: id(edge.src.0),
        end_node_id: id(edge.dst.0),
        rel_type: unbound.rel_type,
        properties: unbound.properties,
        element_id: unbound.element_id,
        start_element_id: ids.node(edge.src.0),
        end_element_id: ids.node(edge.dst.0),
    }
}

fn unbound_to_bolt(edge: &Edge, ids: &Ids) -> BoltUnboundRelationship {
    BoltUnboundRelationship {
        id: id(edge.seq),
        rel_type: edge.label.clone(),
        properties: dictionary(&edge.properties, ids),
        element_id: ids.relationship(edge.seq),
    }
}

/// Converts to a Bolt path: each node and relationship once, and a sequence of indices.
fn path_to_bolt(path: &PathValue, ids: &Ids) -> BoltPath {
    let mut nodes: Vec<BoltNode> = Vec::new();
    let mut rels: Vec<BoltUnboundRelationship> = Vec::new();
    let mut indices = Vec::with_capacity(path.edges.len() * 2);
    let mut from = path.nodes.first().map(|node| {
        index_of_or_push(&mut nodes, node_to_bolt(node, ids), |a, b| a.id == b.id);
        node.id
    });
    for (edge, node) in path.edges.iter().zip(path.nodes.iter().skip(1)) {
        let index = index_of_or_push(&mut rels, unbound_to_bolt(edge, ids), |a, b| a.id == b.id) + 1;
        // A relationship that is traversed against its direction has a negative index. A loop is traversed forwards.
        let forwards = from == Some(edge.src);
        indices.push(if forwards { index } else { -index });
        indices.push(index_of_or_push(&mut nodes, node_to_bolt(node, ids), |a, b| a.id == b.id));
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
    use graphdblite::{Database, NodeId};

    fn templates() -> Templates {
        Templates::new(&mut Database::open_memory().unwrap()).unwrap()
    }

    fn node(id: u64) -> Node {
        Node { id: NodeId(id), labels: vec!["A".to_owned()], properties: HashMap::new() }
    }

    fn edge(seq: u64, src: u64, dst: u64) -> Edge {
        Edge { src: NodeId(src), dst: NodeId(dst), label: "R".to_owned(), seq, properties: HashMap::new() }
    }

    fn ids() -> Ids {
        Ids::new("u")
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
        assert_eq!(to_bolt(&taken["p"], &ids()), BoltValue::Dict(inner));
        assert_eq!(to_bolt(&taken["q"], &ids()), BoltValue::Integer(i64::MIN));
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
    fn the_ids_of_a_relationship_and_its_ends_agree() {
        let bolt = relationship_to_bolt(&edge(7, 1, 2), &ids());
        assert_eq!((bolt.id, bolt.start_node_id, bolt.end_node_id), (7, 1, 2));
        let element_ids = [bolt.element_id, bolt.start_element_id, bolt.end_element_id];
        assert_eq!(element_ids, ["5:u:7", "4:u:1", "4:u:2"]);
    }

    #[test]
    fn a_path_has_indices_and_directions() {
        let path = PathValue {
            nodes: vec![node(1), node(2), node(1), node(1)],
            edges: vec![edge(0, 1, 2), edge(0, 1, 2), edge(1, 1, 1)],
        };
        let bolt = path_to_bolt(&path, &ids());
        assert_eq!(bolt.nodes.iter().map(|node| node.id).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(bolt.rels.len(), 2);
        assert_eq!(bolt.indices, [1, 1, -1, 0, 2, 0]);
    }
}
