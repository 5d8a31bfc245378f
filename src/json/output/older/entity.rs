//! Nodes and relationships as a record has them.

use crate::bolt::packstream::{DecodeError, Reader, Token, tag};
use crate::json::output::graph::{ElementId, name};
use crate::json::output::path::EntityOffsets;

/// A node.
pub(super) struct Node<'a> {
    pub(super) id: i64,
    pub(super) element_id: ElementId<'a>,
    /// A list of strings.
    pub(super) labels: &'a [u8],
    /// A map.
    pub(super) properties: &'a [u8],
}

/// A relationship. The ends of one that was deleted are -1, and its type is empty.
pub(super) struct Relationship<'a> {
    pub(super) id: i64,
    pub(super) element_id: ElementId<'a>,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) kind: &'a str,
    /// A map.
    pub(super) properties: &'a [u8],
}

impl<'a> Node<'a> {
    /// Reads the fields of a node, of which there are three or, since Bolt 5.0, four.
    pub(super) fn read(reader: &mut Reader<'a>, fields: usize) -> Result<Self, DecodeError> {
        let id = reader.expect_integer()?;
        let (labels, properties) = (reader.raw()?, reader.raw()?);
        let element_id = if fields == 3 { ElementId::Number(id) } else { ElementId::Text(name(reader)?) };
        Ok(Self { id, element_id, labels, properties })
    }

    /// Reads a node that is a value of its own.
    pub(super) fn parse(value: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(value);
        match reader.token()? {
            Token::Struct(tag::NODE, fields @ (3 | 4)) => Self::read(&mut reader, fields),
            _ => Err(DecodeError::Value("something other than a node")),
        }
    }

    /// Reads a node of a path in the record `fields`.
    pub(super) fn of_path(at: EntityOffsets, fields: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = at.reader(fields);
        let id = reader.expect_integer()?;
        Ok(Self { id, element_id: at.id(fields)?, labels: reader.raw()?, properties: reader.raw()? })
    }
}

impl<'a> Relationship<'a> {
    /// Reads the fields of a relationship, of which there are five or, since Bolt 5.0, eight.
    pub(super) fn read(reader: &mut Reader<'a>, fields: usize) -> Result<Self, DecodeError> {
        let (id, start, end) = (reader.expect_integer()?, reader.expect_integer()?, reader.expect_integer()?);
        let (kind, properties) = (name(reader)?, reader.raw()?);
        let element_id = if fields == 5 {
            ElementId::Number(id)
        } else {
            let element_id = ElementId::Text(name(reader)?);
            reader.skip()?;
            reader.skip()?;
            element_id
        };
        Ok(Self { id, element_id, start, end, kind, properties })
    }

    /// Whether the statement has deleted the relationship.
    pub(super) fn is_deleted(&self) -> bool {
        self.kind.is_empty()
    }
}
