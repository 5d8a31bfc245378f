//! Structures: graph entities, temporal values, points, vectors, and values that the server could not send.

use std::borrow::Cow;

use bytes::{BufMut, BytesMut};

use super::error::RowError;
use super::pieces::{self, LongValue};
use super::walk::Walk;
use super::{duration, graph, scalar, spatial, temporal, text, vector};
use crate::bolt::packstream::{DecodeError, Reader, Token, tag};
use crate::bolt::zone;
use crate::json::View;

/// Writes or opens the structure with this tag. Its `count` fields come next in the reader.
pub(super) fn write<'a>(
    walk: &mut Walk,
    out: &mut BytesMut,
    fields: &'a [u8],
    reader: &mut Reader<'a>,
    tag: u8,
    count: usize,
) -> Result<(), RowError> {
    let view = walk.view;
    match (tag, count) {
        (tag::NODE, 3 | 4) => graph::node(walk, out, reader, count)?,
        (tag::RELATIONSHIP, 5 | 8) => graph::relationship(walk, out, reader, count)?,
        (tag::PATH, 3) if !walk.is_inside_entity() => graph::path(walk, out, fields, reader)?,
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
            if walk.piecewise && data.len() > pieces::LONGEST_WHOLE {
                let kind = vector::coordinates_type(view, kind, data)?;
                pieces::step_back(reader, fields, data.len());
                walk.open_long(out, LongValue::Vector(kind), data.len());
            } else {
                vector::vector(out, view, kind, data)?;
            }
        }
        (tag::UNSUPPORTED, 4) => {
            let name = graph::name(reader)?.to_owned();
            for _ in 1..count {
                reader.skip()?;
            }
            scalar::unsupported(out, view, Cow::Owned(name))?;
        }
        _ => point_in_time(out, view, reader, tag, count)?,
    }
    Ok(())
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
        _ => {
            let time = DateTime::read(reader, tag, fields)?;
            match time.place {
                Place::Offset(offset) => scalar::textual(out, view, "OffsetDateTime", |out| {
                    temporal::offset_date_time(out, time.utc, time.nanos, offset)
                }),
                Place::Zone(name) => scalar::textual(out, view, "ZonedDateTime", |out| {
                    temporal::offset_date_time(out, time.utc, time.nanos, time.offset())?;
                    if view != View::Plain {
                        out.put_u8(b'[');
                        text::escaped(out, name);
                        out.put_u8(b']');
                    }
                    Ok(())
                }),
            }
        }
    }
}

/// An instant and where its clock is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DateTime<'a> {
    /// Seconds since 1970-01-01 in UTC.
    pub(crate) utc: i64,
    /// Nanoseconds as the server counts them: maybe back from the next second.
    pub(crate) nanos: i64,
    pub(crate) place: Place<'a>,
}

/// Where a clock is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'a> {
    /// The offset from UTC, in seconds.
    Offset(i64),
    /// The name of a time zone.
    Zone(&'a str),
}

impl<'a> DateTime<'a> {
    /// Reads the fields of a structure with this tag.
    pub(crate) fn read(reader: &mut Reader<'a>, tag: u8, fields: usize) -> Result<Self, DecodeError> {
        match (tag, fields) {
            (tag::DATE_TIME | tag::LEGACY_DATE_TIME, 3) => {
                let [seconds, nanos, offset] = integers(reader)?;
                let is_wall_clock = tag == tag::LEGACY_DATE_TIME;
                let utc = if is_wall_clock { seconds.checked_sub(offset) } else { Some(seconds) };
                let utc = utc.ok_or(DecodeError::Value("a date-time beyond the years ±999999999"))?;
                Ok(Self { utc, nanos, place: Place::Offset(offset) })
            }
            (tag::DATE_TIME_ZONE | tag::LEGACY_DATE_TIME_ZONE, 3) => {
                let [seconds, nanos] = integers(reader)?;
                let name = graph::name(reader)?;
                let is_wall_clock = tag == tag::LEGACY_DATE_TIME_ZONE;
                let utc = if is_wall_clock { zone::instant_of_wall_clock(name, seconds) } else { Some(seconds) };
                let utc = utc.ok_or(DecodeError::Value("a wall-clock time in an unknown time zone"))?;
                Ok(Self { utc, nanos, place: Place::Zone(name) })
            }
            _ => Err(DecodeError::Value("a structure that is unknown to every Bolt version")),
        }
    }

    /// The offset from UTC, in seconds. Where the zone is unknown, the instant is shown in UTC.
    pub(crate) fn offset(&self) -> i64 {
        match self.place {
            Place::Offset(offset) => offset,
            Place::Zone(name) => zone::offset_at(name, self.utc).map_or(0, i64::from),
        }
    }
}

pub(crate) fn integers<const N: usize>(reader: &mut Reader<'_>) -> Result<[i64; N], DecodeError> {
    let mut values = [0; N];
    for value in &mut values {
        *value = reader.expect_integer()?;
    }
    Ok(values)
}

pub(crate) fn floats<const N: usize>(reader: &mut Reader<'_>) -> Result<[f64; N], DecodeError> {
    let mut values = [0.0; N];
    for value in &mut values {
        let Token::Float(coordinate) = reader.token()? else {
            return Err(DecodeError::Value("a point with a coordinate that is not a float"));
        };
        *value = coordinate;
    }
    Ok(values)
}
