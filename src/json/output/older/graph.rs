//! The form `graph`: the nodes and relationships of a row, wherever in it they are, each once.
//!
//! Both ends of a relationship are among the nodes. A record has only their ids, so those that the row does not hold
//! itself come from elsewhere.

use std::borrow::Cow;
use std::collections::HashSet;

use bytes::{BufMut, BytesMut};

use super::entity::{Node, Relationship};
use super::meta::each_value;
use super::row::property;
use crate::bolt::packstream::{DecodeError, Reader, Token, tag};
use crate::json::output::error::RowError;
use crate::json::output::graph::{ElementId, name};
use crate::json::output::path::{EntityOffsets, Path, PathPart};
use crate::json::output::{scalar, text};

/// The node at both ends of a relationship that was deleted.
const NOWHERE: &[u8] = br#"{"id":"-1","elementId":"","labels":[],"properties":{}}"#;

/// A node that a row refers to and does not hold.
#[derive(Clone, Copy)]
pub struct End<'a> {
    number: i64,
    element_id: ElementId<'a>,
}

/// The nodes and relationships of a row.
pub struct Graph<'a> {
    nodes: Vec<Node<'a>>,
    relationships: Vec<Link<'a>>,
    /// The nodes at the ends of relationships that are not among `nodes`, each once.
    ends: Vec<End<'a>>,
}

/// A relationship, and the element ids of its ends.
struct Link<'a> {
    relationship: Relationship<'a>,
    start: ElementId<'a>,
    end: ElementId<'a>,
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
        let add_node = |graph: &mut Self, nodes: &mut HashSet<_>, node: Node<'a>| {
            if nodes.insert(node.element_id) {
                graph.nodes.push(node);
            }
        };
        each_value(fields, columns, |reader, token| {
            match token {
                Token::Struct(tag::NODE, count @ (3 | 4)) => {
                    add_node(&mut graph, &mut nodes, Node::read(reader, count)?);
                }
                Token::Struct(tag::RELATIONSHIP, count @ (5 | 8)) => {
                    let link = Link::read(reader, count)?;
                    if relationships.insert(link.relationship.element_id) {
                        graph.relationships.push(link);
                    }
                }
                Token::Struct(tag::PATH, 3) => {
                    let (mut path, parts) = Path::read(fields, reader)?;
                    for _ in 0..parts {
                        match path.next(fields)? {
                            PathPart::Node(node) => add_node(&mut graph, &mut nodes, Node::of_path(node, fields)?),
                            PathPart::Relationship { relationship, start, end } => {
                                if relationships.insert(relationship.id(fields)?) {
                                    graph.relationships.push(Link::of_path(relationship, [start, end], fields)?);
                                }
                            }
                        }
                    }
                    path.skip(fields, reader);
                }
                Token::Struct(_, count) => {
                    for _ in 0..count {
                        reader.skip()?;
                    }
                }
                _ => {}
            }
            Ok(())
        })?;
        for link in graph.relationships.iter().filter(|link| !link.relationship.is_deleted()) {
            let Relationship { start, end, .. } = link.relationship;
            for (number, element_id) in [(start, link.start), (end, link.end)] {
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
    /// PackStream, by element id; one that it does not have was deleted.
    ///
    /// # Errors
    /// See [`RowError`]. `out` may have a part of the text then.
    pub fn write<'f>(&self, out: &mut BytesMut, found: impl Fn(&str) -> Option<&'f [u8]>) -> Result<(), RowError> {
        out.extend_from_slice(b"{\"nodes\":[");
        let mut separator = Separator::default();
        for node in &self.nodes {
            separator.write(out);
            write_node(out, node)?;
        }
        for end in &self.ends {
            separator.write(out);
            match found(&end.element_id()) {
                Some(node) => write_node(out, &Node::parse(node)?)?,
                None => {
                    ids(out, end.number, end.element_id);
                    out.extend_from_slice(b",\"deleted\":true}");
                }
            }
        }
        if self.relationships.iter().any(|link| link.relationship.is_deleted()) {
            separator.write(out);
            out.extend_from_slice(NOWHERE);
        }
        out.extend_from_slice(b"],\"relationships\":[");
        let mut separator = Separator::default();
        for link in &self.relationships {
            separator.write(out);
            link.write(out)?;
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

impl<'a> Link<'a> {
    fn read(reader: &mut Reader<'a>, count: usize) -> Result<Self, DecodeError> {
        let fields = reader.clone();
        let relationship = Relationship::read(reader, count)?;
        let (start, end) = if count == 5 {
            (ElementId::Number(relationship.start), ElementId::Number(relationship.end))
        } else {
            let mut ids = fields;
            for _ in 0..6 {
                ids.skip()?;
            }
            (ElementId::Text(name(&mut ids)?), ElementId::Text(name(&mut ids)?))
        };
        Ok(Self { relationship, start, end })
    }

    fn of_path(at: EntityOffsets, [start, end]: [EntityOffsets; 2], fields: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = at.reader(fields);
        let relationship = Relationship {
            id: reader.expect_integer()?,
            element_id: at.id(fields)?,
            start: start.reader(fields).expect_integer()?,
            end: end.reader(fields).expect_integer()?,
            kind: name(&mut reader)?,
            properties: reader.raw()?,
        };
        Ok(Self { relationship, start: start.id(fields)?, end: end.id(fields)? })
    }

    fn write(&self, out: &mut BytesMut) -> Result<(), RowError> {
        let Relationship { id, element_id, start, end, kind, properties } = self.relationship;
        ids(out, id, element_id);
        if self.relationship.is_deleted() {
            out.extend_from_slice(b",\"deleted\":true}");
            return Ok(());
        }
        out.extend_from_slice(b",\"type\":");
        text::string(out, kind);
        out.extend_from_slice(b",\"startNode\":");
        scalar::quoted(out, |out| scalar::integer(out, start));
        out.extend_from_slice(b",\"startNodeElementId\":");
        self.start.write(out);
        out.extend_from_slice(b",\"endNode\":");
        scalar::quoted(out, |out| scalar::integer(out, end));
        out.extend_from_slice(b",\"endNodeElementId\":");
        self.end.write(out);
        out.extend_from_slice(b",\"properties\":");
        property(out, properties)?;
        out.put_u8(b'}');
        Ok(())
    }
}

fn write_node(out: &mut BytesMut, node: &Node<'_>) -> Result<(), RowError> {
    ids(out, node.id, node.element_id);
    out.extend_from_slice(b",\"labels\":");
    property(out, node.labels)?;
    out.extend_from_slice(b",\"properties\":");
    property(out, node.properties)?;
    out.put_u8(b'}');
    Ok(())
}

/// Opens an object with the ids of an entity.
fn ids(out: &mut BytesMut, id: i64, element_id: ElementId<'_>) {
    out.extend_from_slice(b"{\"id\":");
    scalar::quoted(out, |out| scalar::integer(out, id));
    out.extend_from_slice(b",\"elementId\":");
    element_id.write(out);
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
