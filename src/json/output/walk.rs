//! Any value, however deeply nested, in one pass.
//!
//! What is open is kept in a list of frames instead of the call stack: a hostile nesting ends in an
//! error, and the usual one stays within the frames that need no allocation.

use std::borrow::Cow;

use bytes::{BufMut, BytesMut};
use smallvec::SmallVec;

use super::error::RowError;
use super::graph::Trailing;
use super::{duration, graph, scalar, spatial, temporal, text, vector};
use crate::bolt::packstream::{DecodeError, Reader, Token, tag};
use crate::bolt::zone;
use crate::json::View;

/// How many collections, nodes and relationships may be open at once.
pub(super) const DEPTH_LIMIT: usize = 2000;

/// Appends the value at the reader in a view, and moves the reader behind it.
///
/// # Errors
/// See [`RowError`]; `out` is then as it was, and where the reader stands is not defined.
#[inline]
pub fn value(out: &mut BytesMut, reader: &mut Reader<'_>, view: View) -> Result<(), RowError> {
    // Looked at where it is: to move a token that has just been written costs as much as to write most values.
    match &reader.token() {
        // The usual value has no parts, and needs none of what keeps track of them.
        Ok(token) if scalar::plain(out, view, token) => Ok(()),
        Ok(token) => with_parts(out, reader, view, token),
        Err(error) => Err(error.clone().into()),
    }
}

fn with_parts(out: &mut BytesMut, reader: &mut Reader<'_>, view: View, token: &Token<'_>) -> Result<(), RowError> {
    let start = out.len();
    let mut walk = Walk::new(out, view);
    let Err(error) = walk.begin(reader, token).and_then(|()| walk.finish(reader)) else {
        return Ok(());
    };
    let within = !walk.frames.is_empty();
    out.truncate(start);
    Err(match error {
        RowError::Unsupported { type_name, nested } => RowError::Unsupported { type_name, nested: nested || within },
        other => other,
    })
}

/// A value that is being written.
pub(super) struct Walk<'o> {
    pub(super) out: &'o mut BytesMut,
    pub(super) view: View,
    frames: SmallVec<[Frame; 16]>,
    /// Inside the properties of a node or a relationship, where neither can occur again.
    inside_entity: bool,
    /// Where the text of the open entity needs the element ids that follow its properties.
    ids_at: usize,
}

/// An open collection.
#[derive(Clone, Copy)]
struct Frame {
    /// Items or pairs still to come.
    left: usize,
    kind: Kind,
    first: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    List,
    Map,
    /// A map that is part of another object's text, so never wrapped.
    Bare,
    /// The properties of a node or relationship, the last part of its text.
    Properties(Trailing),
}

impl<'o> Walk<'o> {
    pub(super) fn new(out: &'o mut BytesMut, view: View) -> Self {
        Self { out, view, frames: SmallVec::new(), inside_entity: false, ids_at: 0 }
    }

    /// Writes a map's object without wrapping it, whatever the view; its values follow the view.
    pub(super) fn bare_map(&mut self, reader: &mut Reader<'_>) -> Result<(), RowError> {
        let pairs = reader.expect_map()?;
        self.open(Kind::Bare, pairs)?;
        self.finish(reader)
    }

    /// Opens the properties of an entity; the element ids `trailing` behind them belong at
    /// `ids_at`.
    pub(super) fn open_properties(
        &mut self,
        reader: &mut Reader<'_>,
        trailing: Trailing,
        ids_at: usize,
    ) -> Result<(), RowError> {
        if self.inside_entity {
            let reason = "a node or relationship among the properties of another";
            return Err(DecodeError::Value(reason).into());
        }
        self.inside_entity = true;
        self.ids_at = ids_at;
        let pairs = reader.expect_map()?;
        self.open(Kind::Properties(trailing), pairs)
    }

    /// Writes what belongs to the open frames, until none is left.
    pub(super) fn finish(&mut self, reader: &mut Reader<'_>) -> Result<(), RowError> {
        while let Some(frame) = self.frames.last_mut() {
            if frame.left == 0 {
                let kind = frame.kind;
                self.frames.pop();
                self.close(kind, reader)?;
                continue;
            }
            frame.left -= 1;
            if !std::mem::take(&mut frame.first) {
                self.out.put_u8(b',');
            }
            if frame.kind != Kind::List {
                text::string(self.out, reader.expect_string()?);
                self.out.put_u8(b':');
            }
            match &reader.token() {
                // As in `value`: the usual one goes the short way.
                Ok(token) if scalar::plain(self.out, self.view, token) => {}
                Ok(token) => self.begin(reader, token)?,
                Err(error) => return Err(error.clone().into()),
            }
        }
        Ok(())
    }

    /// Writes a value without parts, or opens one with parts.
    fn begin(&mut self, reader: &mut Reader<'_>, token: &Token<'_>) -> Result<(), RowError> {
        match *token {
            Token::List(items) => self.open(Kind::List, items),
            Token::Map(pairs) => self.open(Kind::Map, pairs),
            Token::Struct(tag, fields) => self.structure(reader, tag, fields),
            Token::Uuid(value) => scalar::uuid(self.out, self.view, value),
            _ => {
                scalar::plain(self.out, self.view, token);
                Ok(())
            }
        }
    }

    fn open(&mut self, kind: Kind, left: usize) -> Result<(), RowError> {
        if self.frames.len() >= DEPTH_LIMIT {
            return Err(RowError::TooDeep);
        }
        self.frames.push(Frame { left, kind, first: true });
        self.out.extend_from_slice(match (kind, self.view) {
            (Kind::List, View::Plain) => b"[",
            (Kind::List, View::Typed(_)) => br#"{"$type":"List","_value":["#,
            (Kind::Map, View::Typed(_)) => br#"{"$type":"Map","_value":{"#,
            (Kind::Map, View::Plain) | (Kind::Bare | Kind::Properties(_), _) => b"{",
        });
        Ok(())
    }

    fn close(&mut self, kind: Kind, reader: &mut Reader<'_>) -> Result<(), RowError> {
        if let Kind::Properties(trailing) = kind {
            self.inside_entity = false;
            self.out.put_u8(b'}');
            graph::insert_ids(self.out, self.view, reader, trailing, self.ids_at)?;
        }
        self.out.extend_from_slice(match (kind, self.view) {
            (Kind::List, View::Plain) => b"]",
            (Kind::List, View::Typed(_)) => b"]}",
            (Kind::Map | Kind::Properties(_), View::Plain) | (Kind::Bare, _) => b"}",
            (Kind::Map | Kind::Properties(_), View::Typed(_)) => b"}}",
        });
        Ok(())
    }

    fn structure(&mut self, reader: &mut Reader<'_>, tag: u8, fields: usize) -> Result<(), RowError> {
        let (out, view) = (&mut *self.out, self.view);
        match (tag, fields) {
            (tag::NODE, 3 | 4) => graph::node(self, reader, fields)?,
            (tag::RELATIONSHIP, 5 | 8) => graph::relationship(self, reader, fields)?,
            (tag::PATH, 3) if !self.inside_entity => graph::path(out, view, reader)?,
            (tag::DURATION, 4) => {
                let [months, days, seconds, nanos] = integers(reader)?;
                scalar::textual(out, view, "Duration", |out| duration::duration(out, months, days, seconds, nanos))?;
            }
            (tag::POINT_2D, 3) => {
                let srid = reader.expect_integer()?;
                let place = floats(reader)?;
                scalar::textual(out, view, "Point", |out| spatial::point_2d(out, srid, place));
            }
            (tag::POINT_3D, 4) => {
                let srid = reader.expect_integer()?;
                let place = floats(reader)?;
                scalar::textual(out, view, "Point", |out| spatial::point_3d(out, srid, place));
            }
            (tag::VECTOR, 2) => {
                let (Token::Bytes(kind), Token::Bytes(data)) = (reader.token()?, reader.token()?) else {
                    return Err(DecodeError::Value("a vector that is not made of bytes").into());
                };
                vector::vector(out, view, kind, data)?;
            }
            (tag::UNSUPPORTED, 4) => {
                let name = reader.expect_string()?.to_owned();
                for _ in 1..fields {
                    reader.skip()?;
                }
                scalar::unsupported(out, view, Cow::Owned(name))?;
            }
            _ => point_in_time(out, view, reader, tag, fields)?,
        }
        Ok(())
    }
}

fn point_in_time(
    out: &mut BytesMut,
    view: View,
    reader: &mut Reader<'_>,
    tag: u8,
    fields: usize,
) -> Result<(), DecodeError> {
    match (tag, fields) {
        (tag::DATE, 1) => {
            let days = reader.expect_integer()?;
            scalar::textual(out, view, "Date", |out| temporal::date(out, days))
        }
        (tag::TIME, 2) => {
            let [nanos, offset] = integers(reader)?;
            scalar::textual(out, view, "Time", |out| {
                temporal::local_time(out, nanos)?;
                temporal::offset(out, offset)
            })
        }
        (tag::LOCAL_TIME, 1) => {
            let nanos = reader.expect_integer()?;
            scalar::textual(out, view, "LocalTime", |out| temporal::local_time(out, nanos))
        }
        (tag::LOCAL_DATE_TIME, 2) => {
            let [seconds, nanos] = integers(reader)?;
            scalar::textual(out, view, "LocalDateTime", |out| temporal::local_date_time(out, seconds, nanos))
        }
        (tag::DATE_TIME | tag::LEGACY_DATE_TIME, 3) => {
            let [seconds, nanos, offset] = integers(reader)?;
            let is_wall_clock = tag == tag::LEGACY_DATE_TIME;
            let utc = if is_wall_clock { seconds.checked_sub(offset) } else { Some(seconds) };
            let utc = utc.ok_or(DecodeError::Value("a date-time beyond the years ±999999999"))?;
            scalar::textual(out, view, "OffsetDateTime", |out| temporal::offset_date_time(out, utc, nanos, offset))
        }
        (tag::DATE_TIME_ZONE | tag::LEGACY_DATE_TIME_ZONE, 3) => {
            let [seconds, nanos] = integers(reader)?;
            let name = reader.expect_string()?;
            let is_wall_clock = tag == tag::LEGACY_DATE_TIME_ZONE;
            let utc = if is_wall_clock { zone::instant_of_wall_clock(name, seconds) } else { Some(seconds) };
            let placed = utc.and_then(|utc| Some((utc, i64::from(zone::offset_at(name, utc)?))));
            let (utc, offset) = placed.ok_or(DecodeError::Value("a date-time in an unknown time zone"))?;
            scalar::textual(out, view, "ZonedDateTime", |out| {
                temporal::offset_date_time(out, utc, nanos, offset)?;
                if view != View::Plain {
                    out.put_u8(b'[');
                    text::escaped(out, name);
                    out.put_u8(b']');
                }
                Ok(())
            })
        }
        _ => Err(DecodeError::Value("a structure that no Bolt version has")),
    }
}

fn integers<const N: usize>(reader: &mut Reader<'_>) -> Result<[i64; N], DecodeError> {
    let mut values = [0; N];
    for value in &mut values {
        *value = reader.expect_integer()?;
    }
    Ok(values)
}

fn floats<const N: usize>(reader: &mut Reader<'_>) -> Result<[f64; N], DecodeError> {
    let mut values = [0.0; N];
    for value in &mut values {
        let Token::Float(coordinate) = reader.token()? else {
            return Err(DecodeError::Value("a point with a coordinate that is no float"));
        };
        *value = coordinate;
    }
    Ok(values)
}
