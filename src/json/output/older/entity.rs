//! Nodes and relationships as a record has them.

use crate::bolt::packstream::{DecodeError, Reader};
use crate::json::output::graph::{ElementId, name};

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
