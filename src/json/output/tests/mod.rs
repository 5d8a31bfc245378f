//! Tests with texts that Neo4j's own Query API sent. This module has what they share.

mod elements;
mod graph;
mod parts;
mod rows;
mod scalars;
mod summary;
mod temporal;

use bytes::BytesMut;

use super::{RowError, value};
use crate::bolt::packstream::{DecodeError, Reader, Writer, tag};
use crate::json::TypedVersion::{V1_0, V1_1, V1_2};
use crate::json::View::{self, Plain, Typed};

const VIEWS: [View; 4] = [Plain, Typed(V1_0), Typed(V1_1), Typed(V1_2)];

fn packed(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut Writer::new(&mut out));
    out
}

fn text(view: View, write: impl FnOnce(&mut Writer<'_>)) -> Result<String, RowError> {
    let bytes = packed(write);
    let mut reader = Reader::new(&bytes);
    let mut out = BytesMut::new();
    value(&mut out, &mut reader, view)?;
    assert!(reader.rest().is_empty(), "the reader stands behind the value");
    Ok(String::from_utf8(out.to_vec()).unwrap())
}

/// Asserts the plain text of a value and its typed text, which all typed versions share.
#[track_caller]
fn shows(write: impl Fn(&mut Writer<'_>), plain: &str, typed: &str) {
    assert_eq!(text(Plain, &write).as_deref(), Ok(plain));
    for version in [V1_0, V1_1, V1_2] {
        assert_eq!(text(Typed(version), &write).as_deref(), Ok(typed));
    }
}

/// Like [`shows`] for a value that is a string in both views.
#[track_caller]
fn shows_as(write: impl Fn(&mut Writer<'_>), name: &str, expected: &str) {
    let quoted = format!("\"{expected}\"");
    shows(write, &quoted, &format!(r#"{{"$type":"{name}","_value":{quoted}}}"#));
}

#[track_caller]
fn refused(write: impl Fn(&mut Writer<'_>)) {
    for view in VIEWS {
        let result = text(view, &write);
        assert!(matches!(result, Err(RowError::Decode(DecodeError::Value(_)))), "{result:?}");
    }
}

/// Returns a function that writes a structure of integers.
fn numbers<const N: usize>(tag: u8, fields: [i64; N]) -> impl Fn(&mut Writer<'_>) {
    move |out| {
        out.structure(tag, u8::try_from(N).unwrap());
        fields.into_iter().for_each(|field| out.integer(field));
    }
}

fn vector(kind: u8, data: &[u8]) -> impl Fn(&mut Writer<'_>) {
    move |out| {
        out.structure(tag::VECTOR, 2);
        out.bytes(&[kind]);
        out.bytes(data);
    }
}

fn uuid(out: &mut Writer<'_>) {
    out.uuid(&0x123e_4567_e89b_12d3_a456_4266_1417_4000_u128.to_be_bytes());
}

fn unsupported(name: &'static str, nested: bool) -> RowError {
    RowError::Unsupported { type_name: name.into(), nested }
}

/// Writes a node as Bolt 5 (with `element_id`) or Bolt 4 does.
fn node(out: &mut Writer<'_>, id: i64, element_id: Option<&str>, labels: &[&str], property: Option<(&str, i64)>) {
    out.structure(tag::NODE, if element_id.is_some() { 4 } else { 3 });
    out.integer(id);
    out.list(labels.len());
    labels.iter().for_each(|label| out.string(label));
    properties(out, property);
    element_id.into_iter().for_each(|id| out.string(id));
}

fn properties(out: &mut Writer<'_>, property: Option<(&str, i64)>) {
    out.map(usize::from(property.is_some()));
    if let Some((key, value)) = property {
        out.string(key);
        out.integer(value);
    }
}

/// Returns a function that writes `(a)-[:KNOWS]->(b)<-[:LIKES]-(c)` with these indices.
fn path(modern: bool, indices: &'static [i64]) -> impl Fn(&mut Writer<'_>) {
    move |out| {
        out.structure(tag::PATH, 3);
        out.list(3);
        for (number, element_id) in [(10, "4:x:10"), (11, "4:x:11"), (12, "4:x:12")] {
            node(out, number, modern.then_some(element_id), &["N"], Some(("p", number)));
        }
        out.list(2);
        for (number, kind, element_id) in [(20, "KNOWS", "5:x:20"), (21, "LIKES", "5:x:21")] {
            out.structure(tag::UNBOUND_RELATIONSHIP, if modern { 4 } else { 3 });
            out.integer(number);
            out.string(kind);
            out.map(0);
            if modern {
                out.string(element_id);
            }
        }
        out.list(indices.len());
        indices.iter().for_each(|&index| out.integer(index));
    }
}
