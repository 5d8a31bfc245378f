//! Nodes, relationships and paths.
//!
//! Before Bolt 5.0 there are no element ids; the number stands in for them, as drivers do it.

use bytes::{BufMut, BytesMut};

use super::error::RowError;
use super::walk::Walk;
use super::{scalar, text};
use crate::bolt::packstream::{DecodeError, Reader, Token, tag};
use crate::json::View;

/// What identifies a node or a relationship to a client.
#[derive(Clone, Copy)]
enum ElementId<'a> {
    Text(&'a str),
    Number(i64),
}

/// The element ids that follow an entity's properties, though its text begins with them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Trailing {
    /// None: the text is complete.
    Nothing,
    /// The node's own.
    Node,
    /// The relationship's own and those of its ends.
    Relationship,
}

/// The texts around an entity's parts in a view.
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

/// Writes a node up to its properties, and opens these.
pub(super) fn node(walk: &mut Walk<'_>, reader: &mut Reader<'_>, fields: usize) -> Result<(), RowError> {
    let keys = keys(walk.view);
    let number = reader.expect_integer()?;
    walk.out.extend_from_slice(keys.node);
    let ids_at = walk.out.len();
    let trailing = if fields == 4 {
        Trailing::Node
    } else {
        ElementId::Number(number).write(walk.out);
        Trailing::Nothing
    };
    walk.out.extend_from_slice(keys.labels);
    for position in 0..reader.expect_list()? {
        if position > 0 {
            walk.out.put_u8(b',');
        }
        text::string(walk.out, reader.expect_string()?);
    }
    walk.out.put_u8(b']');
    walk.out.extend_from_slice(keys.properties);
    walk.open_properties(reader, trailing, ids_at)
}

/// Writes a relationship up to its properties, and opens these.
pub(super) fn relationship(walk: &mut Walk<'_>, reader: &mut Reader<'_>, fields: usize) -> Result<(), RowError> {
    let keys = keys(walk.view);
    let numbers = [reader.expect_integer()?, reader.expect_integer()?, reader.expect_integer()?];
    let kind = reader.expect_string()?;
    walk.out.extend_from_slice(keys.relationship);
    let ids_at = walk.out.len();
    let trailing = if fields == 8 {
        Trailing::Relationship
    } else {
        let [id, start, end] = numbers.map(ElementId::Number);
        // Only a relationship that the same statement deleted has no type, and it has no ends.
        let ends = if kind.is_empty() { [ElementId::Text(""); 2] } else { [start, end] };
        write_ids(walk.out, keys, id, ends);
        Trailing::Nothing
    };
    write_kind(walk.out, keys, kind);
    walk.open_properties(reader, trailing, ids_at)
}

/// Puts the element ids that the reader stands at to their place in front: behind `ids_at`.
pub(super) fn insert_ids(
    out: &mut BytesMut,
    view: View,
    reader: &mut Reader<'_>,
    trailing: Trailing,
    ids_at: usize,
) -> Result<(), DecodeError> {
    let end = out.len();
    match trailing {
        Trailing::Nothing => return Ok(()),
        Trailing::Node => text::string(out, reader.expect_string()?),
        Trailing::Relationship => {
            let id = ElementId::Text(reader.expect_string()?);
            let ends = [reader.expect_string()?, reader.expect_string()?].map(ElementId::Text);
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

/// Writes a path: its nodes and relationships in turn, each relationship with the ends it really
/// has.
pub(super) fn path(out: &mut BytesMut, view: View, reader: &mut Reader<'_>) -> Result<(), RowError> {
    let nodes = parts(reader, tag::NODE, [3, 4])?;
    let relationships = parts(reader, tag::UNBOUND_RELATIONSHIP, [3, 4])?;
    let indices = reader.expect_list()?;
    if !indices.is_multiple_of(2) {
        return Err(DecodeError::Value("a path with half a step").into());
    }
    if view == View::Plain {
        out.put_u8(b'[');
    } else {
        scalar::open_typed(out, "Path");
        out.put_u8(b'[');
    }
    let mut current = nodes.first().ok_or(DecodeError::Value("a path without nodes"))?;
    write_node(out, view, current)?;
    for _ in 0..indices / 2 {
        let step = reader.expect_integer()?;
        let next = reader.expect_integer()?;
        let next = at(&nodes, usize::try_from(next).ok())?;
        let position = usize::try_from(step.unsigned_abs()).ok().and_then(|position| position.checked_sub(1));
        let relationship = at(&relationships, position)?;
        let (start, end) = if step > 0 { (current, next) } else { (next, current) };
        out.put_u8(b',');
        write_relationship(out, view, relationship, start, end)?;
        out.put_u8(b',');
        write_node(out, view, next)?;
        current = next;
    }
    out.extend_from_slice(if view == View::Plain { b"]" } else { b"]}" });
    Ok(())
}

/// A node or relationship of a path: its fields, of which the path may need any at any time.
struct Part<'a> {
    reader: Reader<'a>,
    fields: usize,
    id: ElementId<'a>,
}

fn parts<'a>(reader: &mut Reader<'a>, tag: u8, sizes: [usize; 2]) -> Result<Vec<Part<'a>>, DecodeError> {
    // The count is at most the number of bytes, but a part is much larger: so no capacity in
    // advance.
    let mut parts = Vec::new();
    for _ in 0..reader.expect_list()? {
        let fields = match reader.token()? {
            Token::Struct(found, fields) if found == tag && sizes.contains(&fields) => fields,
            _ => {
                return Err(DecodeError::Value("a path of other things than nodes and relationships"));
            }
        };
        let start = reader.clone();
        // Both kinds have their number first, two more fields, and the element id last.
        let id = element_id(&mut start.clone(), fields)?;
        for _ in 0..fields {
            reader.skip()?;
        }
        parts.push(Part { reader: start, fields, id });
    }
    Ok(parts)
}

fn at<'p, 'a>(parts: &'p [Part<'a>], position: Option<usize>) -> Result<&'p Part<'a>, DecodeError> {
    position
        .and_then(|position| parts.get(position))
        .ok_or(DecodeError::Value("a path with an index that leads nowhere"))
}

fn write_node(out: &mut BytesMut, view: View, part: &Part<'_>) -> Result<(), RowError> {
    let mut reader = part.reader.clone();
    let mut walk = Walk::new(out, view);
    node(&mut walk, &mut reader, part.fields)?;
    in_path(walk.finish(&mut reader))
}

fn write_relationship(
    out: &mut BytesMut,
    view: View,
    part: &Part<'_>,
    start: &Part<'_>,
    end: &Part<'_>,
) -> Result<(), RowError> {
    let mut reader = part.reader.clone();
    reader.skip()?;
    let kind = reader.expect_string()?;
    let keys = keys(view);
    out.extend_from_slice(keys.relationship);
    write_ids(out, keys, part.id, [start.id, end.id]);
    write_kind(out, keys, kind);
    let mut walk = Walk::new(out, view);
    walk.open_properties(&mut reader, Trailing::Nothing, 0)?;
    in_path(walk.finish(&mut reader))
}

/// What a view cannot show is nested if it belongs to a path.
fn in_path(result: Result<(), RowError>) -> Result<(), RowError> {
    result.map_err(|error| match error {
        RowError::Unsupported { type_name, .. } => RowError::Unsupported { type_name, nested: true },
        other => other,
    })
}

/// The element id of a node, or of a relationship in a path, whose fields the reader stands at.
fn element_id<'a>(reader: &mut Reader<'a>, fields: usize) -> Result<ElementId<'a>, DecodeError> {
    let number = reader.expect_integer()?;
    if fields < 4 {
        return Ok(ElementId::Number(number));
    }
    reader.skip()?;
    reader.skip()?;
    reader.expect_string().map(ElementId::Text)
}

impl ElementId<'_> {
    fn write(self, out: &mut BytesMut) {
        match self {
            ElementId::Text(id) => text::string(out, id),
            ElementId::Number(id) => scalar::quoted(out, |out| scalar::integer(out, id)),
        }
    }
}
