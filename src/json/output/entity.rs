//! Nodes and relationships as a record has them.

use super::graph::{ElementId, name};
use super::path::EntityOffsets;
use crate::bolt::packstream::{DecodeError, Reader, Token, tag};

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
    pub(super) start_element_id: ElementId<'a>,
    pub(super) end_element_id: ElementId<'a>,
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
        let [element_id, start_element_id, end_element_id] = if fields == 5 {
            [id, start, end].map(ElementId::Number)
        } else {
            [name(reader)?, name(reader)?, name(reader)?].map(ElementId::Text)
        };
        Ok(Self { id, element_id, start, end, start_element_id, end_element_id, kind, properties })
    }

    /// Reads a relationship of a path in the record `fields`, between two of its nodes.
    pub(super) fn of_path(
        at: EntityOffsets,
        [start, end]: [EntityOffsets; 2],
        fields: &'a [u8],
    ) -> Result<Self, DecodeError> {
        let mut reader = at.reader(fields);
        Ok(Self {
            id: reader.expect_integer()?,
            element_id: at.id(fields)?,
            start: start.reader(fields).expect_integer()?,
            end: end.reader(fields).expect_integer()?,
            start_element_id: start.id(fields)?,
            end_element_id: end.id(fields)?,
            kind: name(&mut reader)?,
            properties: reader.raw()?,
        })
    }

    /// Whether the statement has deleted the relationship.
    pub(super) fn is_deleted(&self) -> bool {
        self.kind.is_empty()
    }
}
