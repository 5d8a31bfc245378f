//! Paths: the positions of their parts in the record, and the order in which they are written.
//!
//! A path stores each node and relationship once and refers to them by index, so its text may be much longer than its
//! record. Only positions are kept in memory, which makes the cost of a path independent of the length of its text.

use bytes::{BufMut, BytesMut};

use super::graph::{ElementId, expect_properties, name};
use crate::bolt::packstream::{DecodeError, Reader, Token, tag};
use crate::json::View;

/// The state of a path that is being written.
#[derive(Default)]
pub(crate) struct Path {
    nodes: Vec<EntityOffsets>,
    relationships: Vec<EntityOffsets>,
    /// The offset of the next pair of indices.
    numbers: usize,
    /// The node that the last step led to.
    current: EntityOffsets,
    /// The node to write next: the first one, or the end of the current step.
    pending: Option<EntityOffsets>,
}

/// The position of a path's node or relationship in the record.
#[derive(Clone, Copy, Default)]
pub(crate) struct EntityOffsets {
    /// The offset of its first field.
    fields: u32,
    /// The offset of its element id, or of the number that takes its place.
    id: u32,
}

/// The next part of a path.
pub(crate) enum PathPart {
    /// A node.
    Node(EntityOffsets),
    /// A relationship between two nodes.
    Relationship {
        /// The relationship itself.
        relationship: EntityOffsets,
        /// The node that it starts from.
        start: EntityOffsets,
        /// The node that it ends at.
        end: EntityOffsets,
    },
}

impl Path {
    /// Reads and checks the fields of a path. Also returns the number of its parts.
    pub(crate) fn read<'a>(fields: &'a [u8], reader: &mut Reader<'a>) -> Result<(Self, usize), DecodeError> {
        let mut path = Self::default();
        let parts = path.reread(fields, reader)?;
        Ok((path, parts))
    }

    /// Reads and checks the fields of another path, in the same memory. Returns the number of its parts.
    pub(super) fn reread<'a>(&mut self, fields: &'a [u8], reader: &mut Reader<'a>) -> Result<usize, DecodeError> {
        read_entities(&mut self.nodes, fields, reader, tag::NODE)?;
        read_entities(&mut self.relationships, fields, reader, tag::UNBOUND_RELATIONSHIP)?;
        let numbers = reader.expect_list()?;
        if !numbers.is_multiple_of(2) {
            return Err(DecodeError::Value("a path with an incomplete step"));
        }
        self.current = *self.nodes.first().ok_or(DecodeError::Value("a path without nodes"))?;
        self.pending = Some(self.current);
        self.numbers = position(fields, reader);
        for _ in 0..numbers / 2 {
            self.step(reader)?;
        }
        Ok(numbers + 1)
    }

    /// Returns the next part. Nodes and relationships alternate.
    pub(crate) fn next(&mut self, fields: &[u8]) -> Result<PathPart, DecodeError> {
        if let Some(node) = self.pending.take() {
            self.current = node;
            return Ok(PathPart::Node(node));
        }
        let mut reader = Reader::new(fields.get(self.numbers..).unwrap_or_default());
        let Step { relationship, node, forward } = self.step(&mut reader)?;
        self.numbers = position(fields, &reader);
        self.pending = Some(node);
        let (start, end) = if forward { (self.current, node) } else { (node, self.current) };
        Ok(PathPart::Relationship { relationship, start, end })
    }

    /// Moves the reader past the path, all of whose parts were taken.
    pub(crate) fn skip<'a>(&self, fields: &'a [u8], reader: &mut Reader<'a>) {
        *reader = Reader::new(fields.get(self.numbers..).unwrap_or_default());
    }

    /// Ends the text, and moves the reader past the path.
    pub(super) fn close<'a>(&self, out: &mut BytesMut, view: View, fields: &'a [u8], reader: &mut Reader<'a>) {
        self.skip(fields, reader);
        out.put_u8(b']');
        if view != View::Plain {
            out.put_u8(b'}');
        }
    }

    fn step(&self, reader: &mut Reader<'_>) -> Result<Step, DecodeError> {
        let (relationship, node) = (reader.expect_integer()?, reader.expect_integer()?);
        let from_one = |number: i64| usize::try_from(number.unsigned_abs()).ok()?.checked_sub(1);
        let found = (
            from_one(relationship).and_then(|position| self.relationships.get(position)),
            usize::try_from(node).ok().and_then(|position| self.nodes.get(position)),
        );
        match found {
            (Some(&at), Some(&node)) => Ok(Step { relationship: at, node, forward: relationship > 0 }),
            _ => Err(DecodeError::Value("a path with an index out of range")),
        }
    }
}

struct Step {
    relationship: EntityOffsets,
    node: EntityOffsets,
    forward: bool,
}

impl EntityOffsets {
    /// Returns a reader at the first field.
    pub(crate) fn reader(self, fields: &[u8]) -> Reader<'_> {
        reader_at(fields, self.fields)
    }

    pub(crate) fn id(self, fields: &[u8]) -> Result<ElementId<'_>, DecodeError> {
        let mut reader = reader_at(fields, self.id);
        match reader.clone().token()? {
            Token::Integer(number) => Ok(ElementId::Number(number)),
            _ => name(&mut reader).map(ElementId::Text),
        }
    }
}

fn reader_at(fields: &[u8], offset: u32) -> Reader<'_> {
    Reader::new(usize::try_from(offset).ok().and_then(|offset| fields.get(offset..)).unwrap_or_default())
}

/// The offset of the reader in the record.
pub(super) fn position(fields: &[u8], reader: &Reader<'_>) -> usize {
    fields.len() - reader.rest().len()
}

/// Reads a list of nodes or unbound relationships. Each has a number, labels or a type, properties and, since Bolt 5.0,
/// an element id.
fn read_entities(
    entities: &mut Vec<EntityOffsets>,
    fields: &[u8],
    reader: &mut Reader<'_>,
    tag: u8,
) -> Result<(), DecodeError> {
    let here = |reader: &Reader<'_>| {
        u32::try_from(position(fields, reader)).map_err(|_| DecodeError::Value("a path larger than 4 GiB"))
    };
    entities.clear();
    // Not allocated in advance: the count may be as large as the number of bytes, and an entry is larger than a byte.
    for _ in 0..reader.expect_list()? {
        let count = match reader.token()? {
            Token::Struct(found, count @ (3 | 4)) if found == tag => count,
            _ => return Err(DecodeError::Value("a path with something other than nodes and relationships")),
        };
        let mut entity = EntityOffsets { fields: here(reader)?, id: here(reader)? };
        reader.expect_integer()?;
        if tag == tag::NODE {
            reader.clone().expect_list()?;
            reader.skip()?;
        } else {
            name(reader)?;
        }
        expect_properties(reader)?;
        if count == 4 {
            entity.id = here(reader)?;
            name(reader)?;
        }
        entities.push(entity);
    }
    Ok(())
}
