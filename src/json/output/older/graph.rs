//! The form `graph`: the nodes and relationships of a row, wherever in it they are, each once.
//!
//! Both ends of a relationship are among the nodes. A record has only their ids, so those that the row does not hold
//! itself come from elsewhere.

use std::borrow::Cow;
use std::collections::HashSet;

use bytes::{BufMut, BytesMut};

use super::row::property;
use crate::bolt::packstream::DecodeError;
use crate::json::output::entity::{Node, Relationship};
use crate::json::output::error::RowError;
use crate::json::output::graph::ElementId;
use crate::json::output::path::Path;
use crate::json::output::visit::{Entity, each_entity};
use crate::json::output::{scalar, text};

/// The node at both ends of a relationship that was deleted, with its element id and without.
const NOWHERE: [&[u8]; 2] =
    [br#"{"id":"-1","elementId":"","labels":[],"properties":{}}"#, br#"{"id":"-1","labels":[],"properties":{}}"#];

/// A node that a row refers to and does not hold.
#[derive(Clone, Copy)]
pub struct End<'a> {
    number: i64,
    element_id: ElementId<'a>,
}

/// The nodes and relationships of a row.
pub struct Graph<'a> {
    nodes: Vec<Node<'a>>,
    relationships: Vec<Relationship<'a>>,
    /// The nodes at the ends of relationships that are not among `nodes`, each once.
    ends: Vec<End<'a>>,
}

impl<'a> End<'a> {
    /// Its number.
    #[must_use]
    pub fn number(self) -> i64 {
        self.number
    }

    /// Its element id; before Bolt 5.0, its number.
    #[must_use]
    pub fn element_id(self) -> Cow<'a, str> {
        self.element_id.text()
    }
}

impl<'a> Graph<'a> {
    /// Collects the entities of a row. `fields` is the list of a record in PackStream; it must have `columns` values.
    ///
    /// # Errors
    /// See [`RowError`].
    pub fn of(fields: &'a [u8], columns: usize) -> Result<Self, RowError> {
        let mut graph = Self { nodes: Vec::new(), relationships: Vec::new(), ends: Vec::new() };
        let (mut nodes, mut relationships) = (HashSet::new(), HashSet::new());
        each_entity(fields, columns, &mut Path::default(), |entity| {
            match entity {
                Entity::Node(node) if nodes.insert(node.element_id) => graph.nodes.push(node),
                Entity::Relationship(relationship) if relationships.insert(relationship.element_id) => {
                    graph.relationships.push(relationship);
                }
                Entity::Node(_) | Entity::Relationship(_) => {}
            }
            Ok(())
        })?;
        for relationship in graph.relationships.iter().filter(|relationship| !relationship.is_deleted()) {
            let Relationship { start, end, start_element_id, end_element_id, .. } = *relationship;
            for (number, element_id) in [(start, start_element_id), (end, end_element_id)] {
                if nodes.insert(element_id) {
                    graph.ends.push(End { number, element_id });
                }
            }
        }
        Ok(graph)
    }

    /// The ends of its relationships that the row does not hold.
    #[must_use]
    pub fn ends(&self) -> &[End<'a>] {
        &self.ends
    }

    /// Appends `{"nodes":[…],"relationships":[…]}`. `found` has the nodes at the ends that the row does not hold, in
    /// PackStream, by element id; one that it does not have was deleted. `element_ids` says whether entities have these:
    /// in Neo4j 3.5 there were none.
    ///
    /// # Errors
    /// See [`RowError`]. `out` may have a part of the text then.
    pub fn write<'f>(
        &self,
        out: &mut BytesMut,
        element_ids: bool,
        found: impl Fn(&str) -> Option<&'f [u8]>,
    ) -> Result<(), RowError> {
        out.extend_from_slice(b"{\"nodes\":[");
        let mut separator = Separator::default();
        for node in &self.nodes {
            separator.write(out);
            write_node(out, node, element_ids)?;
        }
        for end in &self.ends {
            separator.write(out);
            match found(&end.element_id()) {
                Some(node) => write_node(out, &Node::parse(node)?, element_ids)?,
                None => {
                    ids(out, end.number, element_ids.then_some(end.element_id));
                    out.extend_from_slice(b",\"deleted\":true}");
                }
            }
        }
        if self.relationships.iter().any(Relationship::is_deleted) {
            separator.write(out);
            let [with, without] = NOWHERE;
            out.extend_from_slice(if element_ids { with } else { without });
        }
        out.extend_from_slice(b"],\"relationships\":[");
        let mut separator = Separator::default();
        for relationship in &self.relationships {
            separator.write(out);
            write_relationship(out, relationship, element_ids)?;
        }
        out.extend_from_slice(b"]}");
        Ok(())
    }
}

/// The element id of a node in PackStream; before Bolt 5.0, its number.
///
/// # Errors
/// When it is not a node.
pub fn node_id(node: &[u8]) -> Result<Cow<'_, str>, DecodeError> {
    Node::parse(node).map(|node| node.element_id.text())
}

fn write_relationship(out: &mut BytesMut, relationship: &Relationship<'_>, element_ids: bool) -> Result<(), RowError> {
    ids(out, relationship.id, element_ids.then_some(relationship.element_id));
    if relationship.is_deleted() {
        out.extend_from_slice(b",\"deleted\":true}");
        return Ok(());
    }
    out.extend_from_slice(b",\"type\":");
    text::string(out, relationship.kind);
    let start = (relationship.start, relationship.start_element_id);
    let end = (relationship.end, relationship.end_element_id);
    for (name, (number, element_id)) in [("startNode", start), ("endNode", end)] {
        out.extend_from_slice(b",\"");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        scalar::quoted(out, |out| scalar::integer(out, number));
        if element_ids {
            out.extend_from_slice(b",\"");
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"ElementId\":");
            element_id.write(out);
        }
    }
    out.extend_from_slice(b",\"properties\":");
    property(out, relationship.properties)?;
    out.put_u8(b'}');
    Ok(())
}

fn write_node(out: &mut BytesMut, node: &Node<'_>, element_ids: bool) -> Result<(), RowError> {
    ids(out, node.id, element_ids.then_some(node.element_id));
    out.extend_from_slice(b",\"labels\":");
    property(out, node.labels)?;
    out.extend_from_slice(b",\"properties\":");
    property(out, node.properties)?;
    out.put_u8(b'}');
    Ok(())
}

/// Opens an object with the ids of an entity.
fn ids(out: &mut BytesMut, id: i64, element_id: Option<ElementId<'_>>) {
    out.extend_from_slice(b"{\"id\":");
    scalar::quoted(out, |out| scalar::integer(out, id));
    if let Some(element_id) = element_id {
        out.extend_from_slice(b",\"elementId\":");
        element_id.write(out);
    }
}

/// Writes commas between items.
#[derive(Default)]
struct Separator {
    has_items: bool,
}

impl Separator {
    fn write(&mut self, out: &mut BytesMut) {
        if std::mem::replace(&mut self.has_items, true) {
            out.put_u8(b',');
        }
    }
}
