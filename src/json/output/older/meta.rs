//! The list `meta`: what the values of a row are.

use bytes::{BufMut, BytesMut};

use crate::bolt::packstream::{Reader, Token, tag};
use crate::json::View;
use crate::json::output::entity::{Node, Relationship};
use crate::json::output::error::RowError;
use crate::json::output::graph::ElementId;
use crate::json::output::path::{Path, PathPart};
use crate::json::output::scalar;
use crate::json::output::visit::each_value;

/// Appends what the values of a row are, one entry for each scalar, entity, temporal value and point. Lists and maps are
/// flattened into the same list; a path is a list of its own.
///
/// # Errors
/// See [`RowError`]. `out` is unchanged then.
pub fn meta(out: &mut BytesMut, fields: &[u8], columns: usize) -> Result<(), RowError> {
    let start = out.len();
    let written = (|| {
        out.put_u8(b'[');
        let mut first = true;
        each_value(fields, columns, |reader, token| {
            if !std::mem::take(&mut first) {
                out.put_u8(b',');
            }
            entry(out, fields, reader, token)
        })?;
        out.put_u8(b']');
        Ok(())
    })();
    if written.is_err() {
        out.truncate(start);
    }
    written
}

fn entry<'a>(out: &mut BytesMut, fields: &'a [u8], reader: &mut Reader<'a>, token: Token<'a>) -> Result<(), RowError> {
    let Token::Struct(tag, count) = token else {
        out.extend_from_slice(b"null");
        return Ok(());
    };
    let kind = match (tag, count) {
        (tag::NODE, 3 | 4) => {
            let Node { id, element_id, .. } = Node::read(reader, count)?;
            entity(out, id, element_id, "node", false);
            return Ok(());
        }
        (tag::RELATIONSHIP, 5 | 8) => {
            let relationship = Relationship::read(reader, count)?;
            entity(out, relationship.id, relationship.element_id, "relationship", relationship.is_deleted());
            return Ok(());
        }
        (tag::PATH, 3) => return path(out, fields, reader),
        (tag::DATE, _) => Some("date"),
        (tag::TIME, _) => Some("time"),
        (tag::LOCAL_TIME, _) => Some("localtime"),
        (tag::LOCAL_DATE_TIME, _) => Some("localdatetime"),
        (tag::DATE_TIME | tag::LEGACY_DATE_TIME | tag::DATE_TIME_ZONE | tag::LEGACY_DATE_TIME_ZONE, _) => {
            Some("datetime")
        }
        (tag::DURATION, _) => Some("duration"),
        (tag::POINT_2D | tag::POINT_3D, _) => Some("point"),
        _ => None,
    };
    for _ in 0..count {
        reader.skip()?;
    }
    match kind {
        Some(kind) => {
            out.extend_from_slice(b"{\"type\":\"");
            out.extend_from_slice(kind.as_bytes());
            out.extend_from_slice(b"\"}");
        }
        None => out.extend_from_slice(b"null"),
    }
    Ok(())
}

fn path<'a>(out: &mut BytesMut, fields: &'a [u8], reader: &mut Reader<'a>) -> Result<(), RowError> {
    let (mut path, parts) = Path::read(fields, reader)?;
    out.put_u8(b'[');
    for part in 0..parts {
        if part > 0 {
            out.put_u8(b',');
        }
        let (of_part, kind) = match path.next(fields)? {
            PathPart::Node(node) => (node, "node"),
            PathPart::Relationship { relationship, .. } => (relationship, "relationship"),
        };
        let id = of_part.reader(fields).expect_integer()?;
        entity(out, id, of_part.id(fields)?, kind, false);
    }
    path.close(out, View::Plain, fields, reader);
    Ok(())
}

fn entity(out: &mut BytesMut, id: i64, element_id: ElementId<'_>, kind: &str, deleted: bool) {
    out.extend_from_slice(b"{\"id\":");
    scalar::integer(out, id);
    out.extend_from_slice(b",\"elementId\":");
    element_id.write(out);
    out.extend_from_slice(b",\"type\":\"");
    out.extend_from_slice(kind.as_bytes());
    out.extend_from_slice(if deleted { b"\",\"deleted\":true}" } else { b"\",\"deleted\":false}" });
}
