//! The form `row`: nodes and relationships are their properties, and a path is a list of its parts' properties.

use std::mem::take;

use bytes::{BufMut, BytesMut};

use super::rest::{self, Links};
use super::{Open, push, spatial, temporal};
use crate::bolt::packstream::{DecodeError, Reader, Token, tag};
use crate::json::View;
use crate::json::output::error::RowError;
use crate::json::output::path::{Path, PathPart};
use crate::json::output::row::begin;
use crate::json::output::{scalar, text, vector};

/// The longest text of one row, in bytes. Only a hostile database's paths can exceed it, since a path may repeat its
/// parts.
const LONGEST_TEXT: usize = 256 * 1024 * 1024;

/// What nodes, relationships and paths look like.
#[derive(Clone, Copy)]
pub(super) enum Entities<'a> {
    /// Their properties only.
    Properties,
    /// Objects with links.
    Rest(&'a Links<'a>),
    /// None can occur: the value is a property.
    None,
}

/// A list or a map that is being written.
#[derive(Clone, Copy)]
pub(super) struct Collection {
    left: usize,
    is_map: bool,
    first: bool,
    /// How many values of the record are left out after it.
    skip: u8,
}

/// Appends one row as `[v1,v2]`. `fields` is the list of a record in PackStream; it must have `columns` values.
///
/// # Errors
/// See [`RowError`]. `out` is unchanged then.
pub fn row(out: &mut BytesMut, fields: &[u8], columns: usize) -> Result<(), RowError> {
    values(out, fields, columns, Entities::Properties)
}

/// Appends the values of a row as a list.
pub(super) fn values(
    out: &mut BytesMut,
    fields: &[u8],
    columns: usize,
    entities: Entities<'_>,
) -> Result<(), RowError> {
    let start = out.len();
    let written = (|| {
        let mut reader = begin(fields, columns)?;
        out.put_u8(b'[');
        for column in 0..columns {
            if column > 0 {
                out.put_u8(b',');
            }
            Writer { fields, entities, limit: start.saturating_add(LONGEST_TEXT) }.value(out, &mut reader)?;
        }
        out.put_u8(b']');
        Ok(())
    })();
    if written.is_err() {
        out.truncate(start);
    }
    written
}

/// Appends a value that has no nodes, relationships and paths in it, such as the properties of one of these.
pub(super) fn property(out: &mut BytesMut, value: &[u8]) -> Result<(), RowError> {
    Writer { fields: value, entities: Entities::None, limit: usize::MAX }.value(out, &mut Reader::new(value))
}

struct Writer<'a> {
    /// The record, which the values of paths refer to.
    fields: &'a [u8],
    entities: Entities<'a>,
    limit: usize,
}

impl<'a> Writer<'a> {
    /// Appends the value at the reader.
    fn value(&self, out: &mut BytesMut, reader: &mut Reader<'a>) -> Result<(), RowError> {
        let mut open = Open::new();
        self.item(out, reader, &mut open)?;
        while let Some(top) = open.last_mut() {
            if top.left == 0 {
                out.put_u8(if top.is_map { b'}' } else { b']' });
                for _ in 0..top.skip {
                    reader.skip()?;
                }
                open.pop();
                continue;
            }
            top.left -= 1;
            if !take(&mut top.first) {
                out.put_u8(b',');
            }
            if top.is_map {
                text::string(out, reader.expect_string()?);
                out.put_u8(b':');
            }
            self.item(out, reader, &mut open)?;
        }
        Ok(())
    }

    /// Writes a value, or opens it if it is a collection.
    fn item(&self, out: &mut BytesMut, reader: &mut Reader<'a>, open: &mut Open<Collection>) -> Result<(), RowError> {
        match &reader.token()? {
            Token::Bytes(bytes) => signed(out, bytes),
            Token::List(items) => {
                out.put_u8(b'[');
                push(open, Collection { left: *items, is_map: false, first: true, skip: 0 })?;
            }
            Token::Map(pairs) => {
                out.put_u8(b'{');
                push(open, Collection { left: *pairs, is_map: true, first: true, skip: 0 })?;
            }
            Token::Struct(tag, count) => self.structure(out, reader, open, (*tag, *count))?,
            Token::Uuid(value) => scalar::uuid(out, View::Plain, *value)?,
            token => {
                scalar::append(out, View::Plain, token);
            }
        }
        Ok(())
    }

    fn structure(
        &self,
        out: &mut BytesMut,
        reader: &mut Reader<'a>,
        open: &mut Open<Collection>,
        (tag, count): (u8, usize),
    ) -> Result<(), RowError> {
        match (tag, count, self.entities) {
            (tag::NODE, 3 | 4, Entities::Properties) => {
                reader.skip()?;
                reader.skip()?;
                open_properties(out, reader, open, count - 3)
            }
            (tag::RELATIONSHIP, 5 | 8, Entities::Properties) => {
                for _ in 0..4 {
                    reader.skip()?;
                }
                open_properties(out, reader, open, count - 5)
            }
            (tag::PATH, 3, Entities::Properties) => self.path(out, reader),
            (tag::NODE, 3 | 4, Entities::Rest(links)) => rest::node(out, reader, count, links),
            (tag::RELATIONSHIP, 5 | 8, Entities::Rest(links)) => rest::relationship(out, reader, count, links),
            (tag::PATH, 3, Entities::Rest(links)) => rest::path(out, self.fields, reader, links),
            _ => scalar_structure(out, reader, tag, count),
        }
    }

    fn path(&self, out: &mut BytesMut, reader: &mut Reader<'a>) -> Result<(), RowError> {
        let (mut path, parts) = Path::read(self.fields, reader)?;
        out.put_u8(b'[');
        for part in 0..parts {
            if out.len() > self.limit {
                return Err(RowError::TooLong);
            }
            if part > 0 {
                out.put_u8(b',');
            }
            let (PathPart::Node(entity) | PathPart::Relationship { relationship: entity, .. }) =
                path.next(self.fields)?;
            let mut of_part = entity.reader(self.fields);
            of_part.skip()?;
            of_part.skip()?;
            property(out, of_part.raw()?)?;
        }
        path.close(out, View::Plain, self.fields, reader);
        Ok(())
    }
}

fn open_properties(
    out: &mut BytesMut,
    reader: &mut Reader<'_>,
    open: &mut Open<Collection>,
    skip: usize,
) -> Result<(), RowError> {
    out.put_u8(b'{');
    let left = reader.expect_map()?;
    push(open, Collection { left, is_map: true, first: true, skip: u8::try_from(skip).unwrap_or(0) })
}

/// Writes a structure that is no entity.
fn scalar_structure(out: &mut BytesMut, reader: &mut Reader<'_>, tag: u8, count: usize) -> Result<(), RowError> {
    match (tag, count) {
        (tag::POINT_2D, 3) => spatial::point::<2>(out, reader)?,
        (tag::POINT_3D, 4) => spatial::point::<3>(out, reader)?,
        (tag::VECTOR, 2) => {
            let (Token::Bytes(kind), Token::Bytes(data)) = (reader.token()?, reader.token()?) else {
                return Err(DecodeError::Value("a vector that is not made of bytes").into());
            };
            vector::vector(out, View::Plain, kind, data)?;
        }
        (tag::UNSUPPORTED, 4) => {
            let type_name = reader.expect_string()?.to_owned().into();
            return Err(RowError::Unsupported { type_name, nested: true });
        }
        _ => temporal::write(out, reader, tag, count)?,
    }
    Ok(())
}

/// Writes a byte array as Java sees it: a list of signed numbers.
fn signed(out: &mut BytesMut, bytes: &[u8]) {
    out.put_u8(b'[');
    for (position, byte) in bytes.iter().enumerate() {
        if position > 0 {
            out.put_u8(b',');
        }
        scalar::integer(out, i64::from(byte.cast_signed()));
    }
    out.put_u8(b']');
}
