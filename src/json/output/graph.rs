//! Nodes, relationships and paths.
//!
//! Before Bolt 5.0 there are no element ids. The numeric id takes their place, as in Neo4j's drivers.

use std::borrow::Cow;

use bytes::{BufMut, BytesMut};

use super::error::RowError;
use super::path::{Path, PathPart};
use super::walk::Walk;
use super::{scalar, text};
use crate::bolt::packstream::{DecodeError, Reader};
use crate::json::View;

/// The identifier of a node or relationship that clients see.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ElementId<'a> {
    Text(&'a str),
    Number(i64),
}

/// The element ids that follow an entity's properties in the record, although its text begins with them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TrailingIds {
    /// None: the ids are already in the text.
    None,
    /// The node's id.
    Node,
    /// The relationship's id and those of its two nodes.
    Relationship,
    /// Ids that have already been written and only need to be skipped.
    Skip(u8),
}

/// The texts around the parts of an entity, for one view.
struct Keys {
    node: &'static [u8],
    labels: &'static [u8],
    relationship: &'static [u8],
    start: &'static [u8],
    end: &'static [u8],
    kind: &'static [u8],
    properties: &'static [u8],
}

const PLAIN: Keys = Keys {
    node: br#"{"elementId":"#,
    labels: br#","labels":["#,
    relationship: br#"{"elementId":"#,
    start: br#","startNodeElementId":"#,
    end: br#","endNodeElementId":"#,
    kind: br#","type":"#,
    properties: br#","properties":"#,
};

const TYPED: Keys = Keys {
    node: br#"{"$type":"Node","_value":{"_element_id":"#,
    labels: br#","_labels":["#,
    relationship: br#"{"$type":"Relationship","_value":{"_element_id":"#,
    start: br#","_start_node_element_id":"#,
    end: br#","_end_node_element_id":"#,
    kind: br#","_type":"#,
    properties: br#","_properties":"#,
};

fn keys(view: View) -> &'static Keys {
    match view {
        View::Plain => &PLAIN,
        View::Typed(_) => &TYPED,
    }
}

/// The longest name or element id in bytes. Only a hostile database sends longer ones.
const LONGEST_NAME: usize = 64 * 1024;

/// Reads a label, a type or an element id: text that is always written as a whole.
pub(crate) fn name<'a>(reader: &mut Reader<'a>) -> Result<&'a str, DecodeError> {
    let name = reader.expect_string()?;
    if name.len() <= LONGEST_NAME { Ok(name) } else { Err(DecodeError::Value("a name longer than 64 KiB")) }
}

/// Writes a node up to its properties, and opens those.
pub(super) fn node(
    walk: &mut Walk,
    out: &mut BytesMut,
    reader: &mut Reader<'_>,
    fields: usize,
) -> Result<(), RowError> {
    let number = reader.expect_integer()?;
    let id = (fields == 3).then_some(ElementId::Number(number));
    if !walk.piecewise {
        let trailing = if id.is_some() { TrailingIds::None } else { TrailingIds::Node };
        return with_labels(walk, out, reader, id, trailing);
    }
    // Everything that can be invalid is checked before any part of the node is written.
    let mut ahead = reader.clone();
    ahead.clone().expect_list()?;
    ahead.skip()?;
    expect_properties(&mut ahead)?;
    match id {
        Some(_) => with_labels(walk, out, reader, id, TrailingIds::None),
        None => with_labels(walk, out, reader, Some(ElementId::Text(name(&mut ahead)?)), TrailingIds::Skip(1)),
    }
}

/// Writes a node, starting with its labels. Its element id is either known or follows the properties.
fn with_labels(
    walk: &mut Walk,
    out: &mut BytesMut,
    reader: &mut Reader<'_>,
    id: Option<ElementId<'_>>,
    trailing: TrailingIds,
) -> Result<(), RowError> {
    let keys = keys(walk.view);
    out.extend_from_slice(keys.node);
    let ids_at = out.len();
    if let Some(id) = id {
        id.write(out);
    }
    out.extend_from_slice(keys.labels);
    let labels = reader.expect_list()?;
    if walk.piecewise {
        return walk.open_labels(labels, trailing);
    }
    for position in 0..labels {
        if position > 0 {
            out.put_u8(b',');
        }
        text::string(out, reader.expect_string()?);
    }
    out.put_u8(b']');
    out.extend_from_slice(keys.properties);
    walk.open_properties(out, reader, trailing, ids_at)
}

/// Ends the labels of a node and opens its properties.
pub(super) fn close_labels(
    walk: &mut Walk,
    out: &mut BytesMut,
    reader: &mut Reader<'_>,
    trailing: TrailingIds,
) -> Result<(), RowError> {
    out.put_u8(b']');
    out.extend_from_slice(keys(walk.view).properties);
    walk.open_properties(out, reader, trailing, 0)
}

/// Writes a relationship up to its properties, and opens those.
pub(super) fn relationship(
    walk: &mut Walk,
    out: &mut BytesMut,
    reader: &mut Reader<'_>,
    fields: usize,
) -> Result<(), RowError> {
    let keys = keys(walk.view);
    let numbers = [reader.expect_integer()?, reader.expect_integer()?, reader.expect_integer()?];
    let kind = name(reader)?;
    out.extend_from_slice(keys.relationship);
    let ids_at = out.len();
    let trailing = if fields == 5 {
        let [id, start, end] = numbers.map(ElementId::Number);
        // Only a relationship that the same statement deleted has no type, and it has no nodes either.
        let ends = if kind.is_empty() { [ElementId::Text(""); 2] } else { [start, end] };
        write_ids(out, keys, id, ends);
        TrailingIds::None
    } else if walk.piecewise {
        let mut ahead = reader.clone();
        expect_properties(&mut ahead)?;
        let id = ElementId::Text(name(&mut ahead)?);
        let ends = [name(&mut ahead)?, name(&mut ahead)?].map(ElementId::Text);
        write_ids(out, keys, id, ends);
        TrailingIds::Skip(3)
    } else {
        TrailingIds::Relationship
    };
    write_kind(out, keys, kind);
    walk.open_properties(out, reader, trailing, ids_at)
}

/// Skips a map of properties.
pub(super) fn expect_properties(reader: &mut Reader<'_>) -> Result<(), DecodeError> {
    reader.clone().expect_map()?;
    reader.skip()
}

/// Reads the element ids at the reader and inserts them where they belong, at `ids_at`.
pub(super) fn insert_ids(
    out: &mut BytesMut,
    view: View,
    reader: &mut Reader<'_>,
    trailing: TrailingIds,
    ids_at: usize,
) -> Result<(), DecodeError> {
    let end = out.len();
    match trailing {
        TrailingIds::None => return Ok(()),
        TrailingIds::Skip(ids) => {
            for _ in 0..ids {
                reader.skip()?;
            }
            return Ok(());
        }
        TrailingIds::Node => text::string(out, name(reader)?),
        TrailingIds::Relationship => {
            let id = ElementId::Text(name(reader)?);
            let ends = [name(reader)?, name(reader)?].map(ElementId::Text);
            write_ids(out, keys(view), id, ends);
        }
    }
    // Moving the text once is much cheaper than reading all properties twice.
    let length = out.len() - end;
    if let Some(moved) = out.get_mut(ids_at..) {
        moved.rotate_right(length);
    }
    Ok(())
}

fn write_ids(out: &mut BytesMut, keys: &Keys, id: ElementId<'_>, ends: [ElementId<'_>; 2]) {
    let [start, end] = ends;
    id.write(out);
    out.extend_from_slice(keys.start);
    start.write(out);
    out.extend_from_slice(keys.end);
    end.write(out);
}

fn write_kind(out: &mut BytesMut, keys: &Keys, kind: &str) {
    out.extend_from_slice(keys.kind);
    text::string(out, kind);
    out.extend_from_slice(keys.properties);
}

/// Opens a path, whose nodes and relationships alternate.
pub(super) fn path<'a>(
    walk: &mut Walk,
    out: &mut BytesMut,
    fields: &'a [u8],
    reader: &mut Reader<'a>,
) -> Result<(), RowError> {
    let (path, parts) = Path::read(fields, reader)?;
    walk.open_path(path, parts)?;
    if walk.view != View::Plain {
        scalar::open_typed(out, "Path");
    }
    out.put_u8(b'[');
    Ok(())
}

/// Writes a node or relationship of a path up to its properties, and opens those. A relationship shows its own
/// direction, not the path's.
pub(super) fn part_of_path<'a>(
    walk: &mut Walk,
    out: &mut BytesMut,
    fields: &'a [u8],
    reader: &mut Reader<'a>,
    part: PathPart,
) -> Result<(), RowError> {
    let keys = keys(walk.view);
    match part {
        PathPart::Node(node) => {
            *reader = node.reader(fields);
            reader.skip()?;
            let id = node.id(fields)?;
            with_labels(walk, out, reader, Some(id), TrailingIds::None)
        }
        PathPart::Relationship { relationship, start, end } => {
            *reader = relationship.reader(fields);
            reader.skip()?;
            let kind = name(reader)?;
            out.extend_from_slice(keys.relationship);
            write_ids(out, keys, relationship.id(fields)?, [start.id(fields)?, end.id(fields)?]);
            write_kind(out, keys, kind);
            walk.open_properties(out, reader, TrailingIds::None, 0)
        }
    }
}

impl<'a> ElementId<'a> {
    pub(crate) fn text(self) -> Cow<'a, str> {
        match self {
            ElementId::Text(id) => Cow::Borrowed(id),
            ElementId::Number(id) => Cow::Owned(id.to_string()),
        }
    }

    /// Its text, which `digits` has if it is a number.
    pub(super) fn as_str(self, digits: &'a mut itoa::Buffer) -> &'a str {
        match self {
            ElementId::Text(id) => id,
            ElementId::Number(id) => digits.format(id),
        }
    }

    pub(super) fn write(self, out: &mut BytesMut) {
        match self {
            ElementId::Text(id) => text::string(out, id),
            ElementId::Number(id) => scalar::quoted(out, |out| scalar::integer(out, id)),
        }
    }
}
