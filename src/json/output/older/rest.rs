//! The form `rest`: nodes, relationships and paths as the objects of an API that no longer exists. Their links lead
//! nowhere; clients read the ids in them.

use bytes::{BufMut, BytesMut};

use super::row::{Entities, property, values};
use crate::bolt::packstream::Reader;
use crate::json::View;
use crate::json::output::entity::{Node, Relationship};
use crate::json::output::error::RowError;
use crate::json::output::path::{EntityOffsets, Path, PathPart};
use crate::json::output::{scalar, text};

/// The links of a node before its property `self` and after it: name, and what follows the node's own link.
const NODE_LINKS: [(&str, &str); 14] = [
    ("paged_traverse", "/paged/traverse/{returnType}{?pageSize,leaseTime}"),
    ("outgoing_relationships", "/relationships/out"),
    ("outgoing_typed_relationships", "/relationships/out/{-list|&|types}"),
    ("create_relationship", "/relationships"),
    ("labels", "/labels"),
    ("traverse", "/traverse/{returnType}"),
    ("all_relationships", "/relationships/all"),
    ("all_typed_relationships", "/relationships/all/{-list|&|types}"),
    ("property", "/properties/{key}"),
    ("self", ""),
    ("incoming_relationships", "/relationships/in"),
    ("properties", "/properties"),
    ("incoming_typed_relationships", "/relationships/in/{-list|&|types}"),
    ("data", ""),
];

/// Where links lead: the database's own address, `http://HOST/db/NAME`.
pub(super) struct Links<'a> {
    base: &'a str,
}

/// Appends one row as [`super::row`], with links to `base`, the address of the database without a trailing slash.
///
/// # Errors
/// See [`RowError`]. `out` is unchanged then.
pub fn rest(out: &mut BytesMut, fields: &[u8], columns: usize, base: &str) -> Result<(), RowError> {
    values(out, fields, columns, Entities::Rest(&Links { base }))
}

/// Appends the node whose fields come next in the reader.
pub(super) fn node(
    out: &mut BytesMut,
    reader: &mut Reader<'_>,
    fields: usize,
    links: &Links<'_>,
) -> Result<(), RowError> {
    let Node { id, element_id, labels, properties } = Node::read(reader, fields)?;
    out.extend_from_slice(b"{\"metadata\":{\"elementId\":");
    element_id.write(out);
    out.extend_from_slice(b",\"id\":");
    scalar::integer(out, id);
    out.extend_from_slice(b",\"labels\":");
    property(out, labels)?;
    out.put_u8(b'}');
    for (name, rest) in NODE_LINKS {
        key(out, name);
        if name == "data" {
            property(out, properties)?;
        } else {
            links.write(out, "node", id, rest);
        }
    }
    out.put_u8(b'}');
    Ok(())
}

/// Appends the relationship whose fields come next in the reader.
pub(super) fn relationship(
    out: &mut BytesMut,
    reader: &mut Reader<'_>,
    fields: usize,
    links: &Links<'_>,
) -> Result<(), RowError> {
    let Relationship { id, element_id, start, end, kind, properties, .. } = Relationship::read(reader, fields)?;
    out.extend_from_slice(b"{\"metadata\":{\"elementId\":");
    element_id.write(out);
    out.extend_from_slice(b",\"id\":");
    scalar::integer(out, id);
    out.extend_from_slice(b",\"type\":");
    text::string(out, kind);
    out.put_u8(b'}');
    for (name, of, id, rest) in [
        ("property", "relationship", id, "/properties/{key}"),
        ("start", "node", start, ""),
        ("self", "relationship", id, ""),
        ("end", "node", end, ""),
    ] {
        key(out, name);
        links.write(out, of, id, rest);
    }
    key(out, "type");
    text::string(out, kind);
    key(out, "properties");
    links.write(out, "relationship", id, "/properties");
    key(out, "data");
    property(out, properties)?;
    out.put_u8(b'}');
    Ok(())
}

/// Appends the path whose fields come next in the reader.
pub(super) fn path<'a>(
    out: &mut BytesMut,
    fields: &'a [u8],
    reader: &mut Reader<'a>,
    links: &Links<'_>,
) -> Result<(), RowError> {
    let (mut path, parts) = Path::read(fields, reader)?;
    let read = (0..parts).map(|_| path.next(fields)).collect::<Result<Vec<_>, _>>()?;
    let id = |of: &EntityOffsets| of.reader(fields).expect_integer();
    let (mut nodes, mut relationships, mut directions) = (Vec::new(), Vec::new(), Vec::new());
    for part in &read {
        match part {
            PathPart::Node(node) => nodes.push(id(node)?),
            PathPart::Relationship { relationship, start, .. } => {
                relationships.push(id(relationship)?);
                directions.push(nodes.last() == Some(&id(start)?));
            }
        }
    }
    out.extend_from_slice(b"{\"relationships\":");
    list(out, &relationships, |out, id| links.write(out, "relationship", *id, ""));
    key(out, "nodes");
    list(out, &nodes, |out, id| links.write(out, "node", *id, ""));
    key(out, "directions");
    list(out, &directions, |out, forward| out.extend_from_slice(if *forward { b"\"->\"" } else { b"\"<-\"" }));
    key(out, "length");
    scalar::integer(out, i64::try_from(relationships.len()).unwrap_or(i64::MAX));
    for (name, node) in [("start", nodes.first()), ("end", nodes.last())] {
        key(out, name);
        links.write(out, "node", node.copied().unwrap_or(-1), "");
    }
    // The list of parts that a path is elsewhere is closed here as an object.
    path.close(out, View::Plain, fields, reader);
    out.truncate(out.len() - 1);
    out.put_u8(b'}');
    Ok(())
}

fn key(out: &mut BytesMut, name: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

fn list<T>(out: &mut BytesMut, items: &[T], write: impl Fn(&mut BytesMut, &T)) {
    out.put_u8(b'[');
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            out.put_u8(b',');
        }
        write(out, item);
    }
    out.put_u8(b']');
}

impl Links<'_> {
    fn write(&self, out: &mut BytesMut, of: &str, id: i64, rest: &str) {
        scalar::quoted(out, |out| {
            text::escaped(out, self.base);
            out.put_u8(b'/');
            out.extend_from_slice(of.as_bytes());
            out.put_u8(b'/');
            scalar::integer(out, id);
            out.extend_from_slice(rest.as_bytes());
        });
    }
}
