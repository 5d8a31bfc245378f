//! The elements of a graph: the nodes and relationships of a whole result, each once, with both ends of every
//! relationship.
//!
//! Nodes are written as they come. Relationships wait until all nodes are known, because the graph lists nodes first. A
//! node that is only the end of a relationship is written after the others, without labels and properties: a record
//! has no more of it than its id. Promises that memory grows with elements and not with rows, and that a row without new
//! elements allocates nothing.

use std::collections::{HashMap, HashSet};

use bytes::{BufMut, BytesMut};

use super::entity::{Node, Relationship};
use super::error::RowError;
use super::graph::{ElementId, TrailingIds};
use super::path::Path;
use super::visit::{Entity, each_entity};
use super::walk::Walk;
use super::{scalar, text};
use crate::bolt::packstream::{DecodeError, Reader};
use crate::json::View;

/// The length of a longest usual element id, in bytes. The number of elements limits what these take; what is longer is
/// counted separately.
const USUAL_ID: usize = 64;

/// What elements look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GraphShape {
    /// Two lists, of the objects that plain JSON has.
    Lists,
    /// One list, as `cytoscape({elements})` takes it.
    Cytoscape,
}

/// How large a graph may be.
#[derive(Debug, Clone, Copy)]
pub struct GraphLimits {
    /// The most nodes and relationships.
    pub elements: usize,
    /// The most text of relationships that waits for nodes, in bytes.
    pub waiting: usize,
}

/// Writes the elements of a result.
pub struct Elements {
    shape: GraphShape,
    limits: GraphLimits,
    nodes: HashMap<Box<str>, Place>,
    relationships: HashSet<Box<str>>,
    /// The text of the relationships, with commas between them.
    waiting: BytesMut,
    /// The length of `waiting` before the last row.
    waiting_before: usize,
    /// The length of the text of the ends that are not held, in bytes.
    ends: usize,
    /// What unusually long ids take, in bytes.
    long_ids: usize,
    /// The number of the last row, counted from 1.
    row: u64,
    /// How many rows were written as a whole.
    rows: u64,
    has_nodes: bool,
    is_full: bool,
    path: Path,
}

/// What is known of a node.
#[derive(Default)]
struct Place {
    /// The row that the node is from; 0 if none held it so far.
    held_in: u64,
    /// The row whose relationship has it as an end that no earlier row holds, or 0.
    end_in: u64,
    /// Its position among such ends.
    position: usize,
}

impl Elements {
    /// Writes a graph of this shape.
    #[must_use]
    pub fn new(shape: GraphShape, limits: GraphLimits) -> Self {
        Self {
            shape,
            limits,
            nodes: HashMap::new(),
            relationships: HashSet::new(),
            waiting: BytesMut::new(),
            waiting_before: 0,
            ends: 0,
            long_ids: 0,
            row: 0,
            rows: 0,
            has_nodes: false,
            is_full: false,
            path: Path::default(),
        }
    }

    /// Opens the object of the graph.
    pub fn open(&mut self, out: &mut BytesMut) {
        *self = Self::new(self.shape, self.limits);
        out.extend_from_slice(match self.shape {
            GraphShape::Lists => b"{\"nodes\":[",
            GraphShape::Cytoscape => b"{\"elements\":[",
        });
    }

    /// Adds the elements of a row. `fields` is the list of a record in PackStream; it must have `columns` values.
    ///
    /// # Errors
    /// [`RowError::TooManyElements`] and [`RowError::TooManyWait`] if the graph is full; it has what fits then. After any
    /// other error it has nothing of the row.
    pub fn row(&mut self, out: &mut BytesMut, fields: &[u8], columns: usize) -> Result<(), RowError> {
        self.row += 1;
        self.waiting_before = self.waiting.len();
        let start = out.len();
        let mut path = std::mem::take(&mut self.path);
        let added = each_entity(fields, columns, &mut path, |entity| match entity {
            Entity::Node(node) => self.add_node(out, &node),
            Entity::Relationship(relationship) => self.add_relationship(&relationship),
        });
        self.path = path;
        match &added {
            Ok(()) => self.rows += 1,
            Err(RowError::TooManyElements(_) | RowError::TooManyWait(_)) => self.is_full = true,
            Err(_) => {
                out.truncate(start);
                self.forget_row();
            }
        }
        added
    }

    /// Takes the last row back, whose text the caller has removed.
    pub fn abandon_row(&mut self) {
        self.rows -= 1;
        self.forget_row();
    }

    fn forget_row(&mut self) {
        let (row, ends) = (self.row, &mut self.ends);
        self.nodes.retain(|id, place| {
            if place.held_in == row {
                place.held_in = 0;
                *ends += if place.end_in == 0 { 0 } else { end_length(id) };
            }
            if place.end_in == row {
                place.end_in = 0;
                *ends -= if place.held_in == 0 { end_length(id) } else { 0 };
            }
            place.held_in != 0 || place.end_in != 0
        });
        self.has_nodes = self.nodes.values().any(|place| place.held_in != 0);
        self.waiting.truncate(self.waiting_before);
    }

    /// Writes the nodes that are still missing, and the relationships, and closes the lists. The object stays open.
    pub fn close(&mut self, out: &mut BytesMut) {
        let mut ends: Vec<_> = self.nodes.iter().filter(|(_, place)| place.held_in == 0).collect();
        ends.sort_unstable_by_key(|(_, place)| place.position);
        for (id, _) in ends {
            separate(out, &mut self.has_nodes);
            write_end(out, self.shape, id);
        }
        match self.shape {
            GraphShape::Lists => out.extend_from_slice(b"],\"relationships\":["),
            GraphShape::Cytoscape if self.has_nodes && !self.waiting.is_empty() => out.put_u8(b','),
            GraphShape::Cytoscape => {}
        }
        out.extend_from_slice(&std::mem::take(&mut self.waiting));
        out.put_u8(b']');
    }

    /// How many rows were written as a whole.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// How much text is still to be written, in bytes.
    #[must_use]
    pub fn held(&self) -> usize {
        self.waiting.len() + self.ends
    }

    /// Whether a limit has ended the graph.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    fn add_node(&mut self, out: &mut BytesMut, node: &Node<'_>) -> Result<(), RowError> {
        let mut digits = itoa::Buffer::new();
        let id = node.element_id.as_str(&mut digits);
        match self.nodes.get_mut(id) {
            Some(place) if place.held_in != 0 => return Ok(()),
            Some(place) => {
                place.held_in = self.row;
                self.ends -= end_length(id);
            }
            None => {
                self.reserve(1, beyond_usual(id))?;
                self.nodes.insert(id.into(), Place { held_in: self.row, ..Place::default() });
            }
        }
        separate(out, &mut self.has_nodes);
        write_node(out, self.shape, node)
    }

    fn add_relationship(&mut self, relationship: &Relationship<'_>) -> Result<(), RowError> {
        let Relationship { element_id, start_element_id: start, end_element_id: end, .. } = relationship;
        // One that was deleted has no ends, so that there is nothing to draw.
        if self.shape == GraphShape::Cytoscape && relationship.is_deleted() {
            return Ok(());
        }
        let (mut digits, mut of_start, mut of_end) = (itoa::Buffer::new(), itoa::Buffer::new(), itoa::Buffer::new());
        let id = element_id.as_str(&mut digits);
        if self.relationships.contains(id) {
            return Ok(());
        }
        let ends = [Some(start.as_str(&mut of_start)), (start != end).then_some(end.as_str(&mut of_end))];
        let missing = ends.map(|end| end.filter(|id| !self.nodes.contains_key(*id)));
        let missing = missing.into_iter().flatten();
        self.reserve(1 + missing.clone().count(), beyond_usual(id) + missing.clone().map(beyond_usual).sum::<usize>())?;
        let length = self.waiting.len();
        if length > 0 {
            self.waiting.put_u8(b',');
        }
        write_relationship(&mut self.waiting, self.shape, relationship)?;
        if let Err(full) = self.within(0) {
            self.waiting.truncate(length);
            return Err(full);
        }
        self.relationships.insert(id.into());
        for end in missing {
            self.ends += end_length(end);
            let position = self.nodes.len();
            self.nodes.insert(end.into(), Place { end_in: self.row, position, ..Place::default() });
        }
        Ok(())
    }

    /// Makes sure that there is room for more elements, and for their ids.
    fn reserve(&mut self, elements: usize, long_ids: usize) -> Result<(), RowError> {
        if self.nodes.len() + self.relationships.len() + elements > self.limits.elements {
            return Err(RowError::TooManyElements(self.limits.elements));
        }
        self.within(long_ids)?;
        self.long_ids += long_ids;
        Ok(())
    }

    fn within(&self, more: usize) -> Result<(), RowError> {
        let waiting = self.waiting.len().saturating_add(self.long_ids).saturating_add(more);
        if waiting <= self.limits.waiting { Ok(()) } else { Err(RowError::TooManyWait(self.limits.waiting)) }
    }
}

fn beyond_usual(id: &str) -> usize {
    id.len().saturating_sub(USUAL_ID)
}

/// The length of the text of an end that is not held, in bytes, in the longer shape.
fn end_length(id: &str) -> usize {
    id.len() + 100
}

fn separate(out: &mut BytesMut, has_items: &mut bool) {
    if std::mem::replace(has_items, true) {
        out.put_u8(b',');
    }
}

fn write_end(out: &mut BytesMut, shape: GraphShape, id: &str) {
    open_node(out, shape, ElementId::Text(id));
    out.extend_from_slice(b"[],\"properties\":{},\"partial\":true}");
    if shape == GraphShape::Cytoscape {
        out.extend_from_slice(b",\"classes\":\"\"}");
    }
}

fn write_node(out: &mut BytesMut, shape: GraphShape, node: &Node<'_>) -> Result<(), RowError> {
    open_node(out, shape, node.element_id);
    let mut first = true;
    out.put_u8(b'[');
    each_label(node, |label| {
        if !std::mem::take(&mut first) {
            out.put_u8(b',');
        }
        text::string(out, label);
    })?;
    out.put_u8(b']');
    last_properties(out, node.properties)?;
    if shape == GraphShape::Cytoscape {
        let mut first = true;
        out.extend_from_slice(b",\"classes\":\"");
        each_label(node, |label| {
            if !std::mem::take(&mut first) {
                out.put_u8(b' ');
            }
            text::escaped(out, label);
        })?;
        out.extend_from_slice(b"\"}");
    }
    Ok(())
}

/// Writes a node up to the value of its labels.
fn open_node(out: &mut BytesMut, shape: GraphShape, id: ElementId<'_>) {
    out.extend_from_slice(match shape {
        GraphShape::Lists => b"{\"elementId\":",
        GraphShape::Cytoscape => b"{\"group\":\"nodes\",\"data\":{\"id\":",
    });
    id.write(out);
    out.extend_from_slice(b",\"labels\":");
}

fn each_label(node: &Node<'_>, mut visit: impl FnMut(&str)) -> Result<(), DecodeError> {
    let mut labels = Reader::new(node.labels);
    for _ in 0..labels.expect_list()? {
        visit(labels.expect_string()?);
    }
    Ok(())
}

fn write_relationship(out: &mut BytesMut, shape: GraphShape, relationship: &Relationship<'_>) -> Result<(), RowError> {
    let Relationship { element_id, start_element_id: start, end_element_id: end, kind, .. } = relationship;
    match shape {
        GraphShape::Lists => {
            out.extend_from_slice(b"{\"elementId\":");
            element_id.write(out);
            out.extend_from_slice(b",\"startNodeElementId\":");
            start.write(out);
            out.extend_from_slice(b",\"endNodeElementId\":");
        }
        GraphShape::Cytoscape => {
            out.extend_from_slice(b"{\"group\":\"edges\",\"data\":{\"id\":");
            write_edge_id(out, *element_id);
            out.extend_from_slice(b",\"source\":");
            start.write(out);
            out.extend_from_slice(b",\"target\":");
        }
    }
    end.write(out);
    out.extend_from_slice(b",\"type\":");
    text::string(out, kind);
    last_properties(out, relationship.properties)?;
    if shape == GraphShape::Cytoscape {
        out.extend_from_slice(b",\"classes\":");
        text::string(out, kind);
        out.put_u8(b'}');
    }
    Ok(())
}

/// Writes the id of an edge. Cytoscape's elements share one space of ids, in which plain numbers would collide: on
/// databases that have them, nodes and relationships are counted separately.
fn write_edge_id(out: &mut BytesMut, id: ElementId<'_>) {
    match id {
        ElementId::Text(text) if text.contains(':') => text::string(out, text),
        ElementId::Text(text) => scalar::quoted(out, |out| {
            out.put_u8(b'r');
            text::escaped(out, text);
        }),
        ElementId::Number(number) => scalar::quoted(out, |out| {
            out.put_u8(b'r');
            scalar::integer(out, number);
        }),
    }
}

/// Writes the last member of an object, `properties`, and closes it.
fn last_properties(out: &mut BytesMut, map: &[u8]) -> Result<(), RowError> {
    out.extend_from_slice(b",\"properties\":");
    let (mut walk, mut reader) = (Walk::new(View::Plain), Reader::new(map));
    walk.open_properties(out, &mut reader, TrailingIds::None, 0)?;
    walk.resume(out, map, &mut reader, usize::MAX).map(drop)
}
