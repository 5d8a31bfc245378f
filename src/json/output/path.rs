//! Paths: where in a record their parts stand, and which part comes next.
//!
//! A path names each of its nodes and relationships once and refers to them by number, so its text may be much longer than
//! its record. Only places in the record are kept: what a path takes in memory does not depend on its text.

use bytes::{BufMut, BytesMut};

use super::graph::{ElementId, expect_properties, name};
use crate::bolt::packstream::{DecodeError, Reader, Token, tag};
use crate::json::View;

/// A path that is being written.
pub(super) struct Path {
    nodes: Vec<Place>,
    relationships: Vec<Place>,
    /// Where the next number stands.
    numbers: usize,
    /// The node that the last step led to.
    current: Place,
    /// The node to be written next: the first one, or the one that the step under way leads to.
    due: Option<Place>,
}

/// Where a node or a relationship of a path stands in the record.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Its first field.
    fields: u32,
    /// Its element id, or its number where that stands for it.
    id: u32,
}

/// What comes next.
pub(super) enum PathPart {
    /// The node that stands there.
    Node(Place),
    /// A relationship between two nodes.
    Relationship {
        /// Where it stands.
        relationship: Place,
        /// Where it leads from.
        start: Place,
        /// Where it leads to.
        end: Place,
    },
}

impl Path {
    /// Reads the fields of a path, all of which have to make sense, and gives the number of its parts.
    pub(super) fn read<'a>(fields: &'a [u8], reader: &mut Reader<'a>) -> Result<(Self, usize), DecodeError> {
        let nodes = places(fields, reader, tag::NODE)?;
        let relationships = places(fields, reader, tag::UNBOUND_RELATIONSHIP)?;
        let numbers = reader.expect_list()?;
        if !numbers.is_multiple_of(2) {
            return Err(DecodeError::Value("a path with half a step"));
        }
        let current = *nodes.first().ok_or(DecodeError::Value("a path without nodes"))?;
        let path = Self { nodes, relationships, numbers: position(fields, reader), current, due: Some(current) };
        for _ in 0..numbers / 2 {
            path.step(reader)?;
        }
        Ok((path, numbers + 1))
    }

    /// The part to be written next: nodes and relationships in turn.
    pub(super) fn next(&mut self, fields: &[u8]) -> Result<PathPart, DecodeError> {
        if let Some(node) = self.due.take() {
            self.current = node;
            return Ok(PathPart::Node(node));
        }
        let mut reader = Reader::new(fields.get(self.numbers..).unwrap_or_default());
        let Step { relationship, node, forward } = self.step(&mut reader)?;
        self.numbers = position(fields, &reader);
        self.due = Some(node);
        let (start, end) = if forward { (self.current, node) } else { (node, self.current) };
        Ok(PathPart::Relationship { relationship, start, end })
    }

    /// Ends the text, and moves the reader behind the path.
    pub(super) fn close<'a>(&self, out: &mut BytesMut, view: View, fields: &'a [u8], reader: &mut Reader<'a>) {
        *reader = Reader::new(fields.get(self.numbers..).unwrap_or_default());
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
            _ => Err(DecodeError::Value("a path with an index that leads nowhere")),
        }
    }
}

struct Step {
    relationship: Place,
    node: Place,
    forward: bool,
}

impl Place {
    /// A reader at the first field.
    pub(super) fn reader(self, fields: &[u8]) -> Reader<'_> {
        at(fields, self.fields)
    }

    pub(super) fn id(self, fields: &[u8]) -> Result<ElementId<'_>, DecodeError> {
        let mut reader = at(fields, self.id);
        match reader.clone().token()? {
            Token::Integer(number) => Ok(ElementId::Number(number)),
            _ => name(&mut reader).map(ElementId::Text),
        }
    }
}

fn at(fields: &[u8], place: u32) -> Reader<'_> {
    Reader::new(usize::try_from(place).ok().and_then(|place| fields.get(place..)).unwrap_or_default())
}

/// Where the reader stands.
pub(super) fn position(fields: &[u8], reader: &Reader<'_>) -> usize {
    fields.len() - reader.rest().len()
}

/// Reads a list of nodes or of relationships without ends: a number, labels or a type, properties and, since Bolt 5.0, an
/// element id.
fn places(fields: &[u8], reader: &mut Reader<'_>, tag: u8) -> Result<Vec<Place>, DecodeError> {
    let here = |reader: &Reader<'_>| {
        u32::try_from(position(fields, reader)).map_err(|_| DecodeError::Value("a path beyond 4 GiB"))
    };
    // The count is at most the number of bytes, but a place is larger than a byte: so no capacity in advance.
    let mut places = Vec::new();
    for _ in 0..reader.expect_list()? {
        let count = match reader.token()? {
            Token::Struct(found, count @ (3 | 4)) if found == tag => count,
            _ => return Err(DecodeError::Value("a path of other things than nodes and relationships")),
        };
        let mut place = Place { fields: here(reader)?, id: here(reader)? };
        reader.expect_integer()?;
        if tag == tag::NODE {
            reader.clone().expect_list()?;
            reader.skip()?;
        } else {
            name(reader)?;
        }
        expect_properties(reader)?;
        if count == 4 {
            place.id = here(reader)?;
            name(reader)?;
        }
        places.push(place);
    }
    Ok(places)
}
