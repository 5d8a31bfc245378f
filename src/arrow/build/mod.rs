//! The values of one column of a batch, as they are appended.
//!
//! Promises that a value is taken as it is or refused, and that appending one allocates nothing but the growth of the
//! buffers, which a batch leaves to the next.

mod buffers;
mod entities;
mod gauge;
mod lists;
mod structures;

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, NullArray,
    types::{
        Date32Type, Float64Type, Int64Type, Time64NanosecondType, TimestampMicrosecondType, TimestampNanosecondType,
    },
};
use arrow_buffer::{BooleanBufferBuilder, NullBufferBuilder};
use arrow_schema::{ArrowError, DataType};

use self::{
    buffers::{Fixed, Text},
    entities::{Nodes, Paths, Relationships},
    lists::{Lists, Vectors},
    structures::{Durations, Points, Times, Zoned},
};
use super::{
    misfit::{Refused, Why},
    seen::exactly,
    time::Instant,
    types::{Column, Type, Unit},
};
use crate::{
    bolt::packstream::{Reader, Token, tag},
    json::output::parts::{DateTime, integers, time_in_range},
};

pub(super) use gauge::Gauge;

/// The values of a column, or the items of its lists.
pub(super) enum Builder {
    Null(usize),
    Boolean { values: BooleanBufferBuilder, nulls: NullBufferBuilder },
    Integer(Fixed<i64>),
    Float(Fixed<f64>),
    Uuid(Text),
    String(Text),
    Bytes(Text),
    Json(Text),
    Date(Fixed<i32>),
    LocalTime(Fixed<i64>),
    Time(Box<Times>),
    Timestamp { values: Fixed<i64>, unit: Unit, utc: bool },
    Zoned(Box<Zoned>),
    Duration(Box<Durations>),
    Point(Box<Points>),
    Vector(Box<Vectors>),
    Node(Box<Nodes>),
    Relationship(Box<Relationships>),
    Path(Box<Paths>),
    List(Box<Lists>),
}

impl Builder {
    /// A builder of values of this type.
    pub(super) fn new(column: &Column) -> Self {
        match &column.kind {
            Type::Null => Self::Null(0),
            Type::Boolean => Self::Boolean { values: BooleanBufferBuilder::new(0), nulls: NullBufferBuilder::new(0) },
            Type::Integer => Self::Integer(Fixed::default()),
            Type::Float => Self::Float(Fixed::default()),
            Type::String => Self::String(Text::default()),
            Type::Uuid => Self::Uuid(Text::default()),
            Type::Bytes => Self::Bytes(Text::default()),
            Type::Json => Self::Json(Text::default()),
            Type::Date => Self::Date(Fixed::default()),
            Type::LocalTime => Self::LocalTime(Fixed::default()),
            Type::Time => Self::Time(Box::default()),
            Type::Timestamp { unit, utc } => Self::Timestamp { values: Fixed::default(), unit: *unit, utc: *utc },
            Type::Zoned(unit) => Self::Zoned(Box::new(Zoned::new(*unit))),
            Type::Duration => Self::Duration(Box::default()),
            Type::Point => Self::Point(Box::default()),
            Type::Vector(vector) => Self::Vector(Box::new(Vectors::new(*vector))),
            Type::Node => Self::Node(Box::default()),
            Type::Relationship => Self::Relationship(Box::default()),
            Type::Path => Self::Path(Box::default()),
            Type::List(items) => Self::List(Box::new(Lists::new(items))),
        }
    }

    /// Appends the value at the reader, and moves the reader past it. `record` is what the reader has been reading.
    pub(super) fn append<'a>(
        &mut self,
        reader: &mut Reader<'a>,
        record: &'a [u8],
        gauge: &mut Gauge,
    ) -> Result<(), Refused> {
        let before = reader.clone();
        match reader.token()? {
            Token::Null => self.append_null(gauge),
            token => self.append_value(reader, record, before, &token, gauge),
        }
    }

    fn append_value<'a>(
        &mut self,
        reader: &mut Reader<'a>,
        record: &'a [u8],
        before: Reader<'a>,
        token: &Token<'a>,
        gauge: &mut Gauge,
    ) -> Result<(), Refused> {
        match (self, *token) {
            (Self::Integer(values), Token::Integer(value)) => values.push(value, gauge),
            (Self::Float(values), Token::Float(value)) => values.push(value, gauge),
            (Self::Float(values), Token::Integer(value)) => {
                values.push(exactly(value).ok_or(Refused::misfit("Integer", Why::Inexact))?, gauge)
            }
            (Self::String(values), Token::String(text)) => values.push(text.as_bytes(), gauge),
            (Self::Boolean { values, nulls }, Token::Boolean(value)) => {
                values.append(value);
                nulls.append_non_null();
                gauge.add(1)
            }
            (Self::Bytes(values), Token::Bytes(bytes)) => values.push(bytes, gauge),
            // A column that is declared a string also takes UUIDs, which have no name of their own there.
            (Self::Uuid(values) | Self::String(values), Token::Uuid(_)) => {
                *reader = before;
                values.push_uuid(reader, gauge)
            }
            (Self::Json(values), _) => {
                *reader = before;
                values.push_json(reader, gauge)
            }
            (Self::List(lists), Token::List(items)) => lists.push(items, reader, record, gauge),
            (builder, Token::Struct(tag, fields)) => builder.append_structure(reader, record, tag, fields, gauge),
            _ => Err(Refused::other_type(token, reader)),
        }
    }

    fn append_structure<'a>(
        &mut self,
        reader: &mut Reader<'a>,
        record: &'a [u8],
        tag: u8,
        fields: usize,
        gauge: &mut Gauge,
    ) -> Result<(), Refused> {
        match (self, tag, fields) {
            (Self::Date(values), tag::DATE, 1) => {
                let days = i32::try_from(reader.expect_integer()?);
                values.push(days.map_err(|_| Refused::misfit("Date", Why::OutOfRange))?, gauge)
            }
            (Self::LocalTime(values), tag::LOCAL_TIME, 1) => {
                let nanos = reader.expect_integer()?;
                time_in_range(nanos)?;
                values.push(nanos, gauge)
            }
            (Self::Time(times), tag::TIME, 2) => times.push(reader, gauge),
            (Self::Timestamp { values, unit, utc: false }, tag::LOCAL_DATE_TIME, 2) => {
                let [seconds, nanos] = integers(reader)?;
                let count = Instant::new(seconds, nanos)?.count(*unit);
                values.push(count.map_err(|why| Refused::misfit("LocalDateTime", why))?, gauge)
            }
            (Self::Timestamp { values, unit, utc: true }, tag, 3) if is_date_time(tag) => {
                let (_, count) = instant(reader, tag, fields, *unit)?;
                values.push(count, gauge)
            }
            (Self::Zoned(zoned), tag, 3) if is_date_time(tag) => zoned.push(reader, tag, fields, gauge),
            (Self::Duration(durations), tag::DURATION, 4) => durations.push(reader, gauge),
            (Self::Point(points), tag::POINT_2D, 3) => points.push(reader, false, gauge),
            (Self::Point(points), tag::POINT_3D, 4) => points.push(reader, true, gauge),
            (Self::Vector(vectors), tag::VECTOR, 2) => vectors.push(reader, gauge),
            (Self::Node(nodes), tag::NODE, 3 | 4) => nodes.push(reader, fields, gauge),
            (Self::Relationship(relationships), tag::RELATIONSHIP, 5 | 8) => relationships.push(reader, fields, gauge),
            (Self::Path(paths), tag::PATH, 3) => paths.push(reader, record, gauge),
            _ => Err(Refused::other_type(&Token::Struct(tag, fields), reader)),
        }
    }

    /// Appends null.
    pub(super) fn append_null(&mut self, gauge: &mut Gauge) -> Result<(), Refused> {
        match self {
            Self::Null(count) => {
                *count += 1;
                gauge.add(1)
            }
            Self::Boolean { values, nulls } => {
                values.append(false);
                nulls.append_null();
                gauge.add(1)
            }
            Self::Integer(values) | Self::LocalTime(values) | Self::Timestamp { values, .. } => values.push_null(gauge),
            Self::Float(values) => values.push_null(gauge),
            Self::Date(values) => values.push_null(gauge),
            Self::String(values) | Self::Uuid(values) | Self::Bytes(values) | Self::Json(values) => {
                values.push_null(gauge)
            }
            Self::Time(times) => times.push_null(gauge),
            Self::Zoned(zoned) => zoned.push_null(gauge),
            Self::Duration(durations) => durations.push_null(gauge),
            Self::Point(points) => points.push_null(gauge),
            Self::Vector(vectors) => vectors.push_null(gauge),
            Self::Node(nodes) => nodes.push_null(gauge),
            Self::Relationship(relationships) => relationships.push_null(gauge),
            Self::Path(paths) => paths.push_null(gauge),
            Self::List(lists) => lists.push_null(gauge),
        }
    }

    /// Takes the values as an array, and begins the next one.
    pub(super) fn finish(&mut self, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Self::Null(count) => Arc::new(NullArray::new(std::mem::take(count))),
            Self::Boolean { values, nulls } => {
                let capacity = values.len();
                let array = BooleanArray::new(values.finish(), nulls.finish());
                values.reserve(capacity);
                Arc::new(array)
            }
            Self::Integer(values) => values.finish::<Int64Type>(),
            Self::Float(values) => values.finish::<Float64Type>(),
            Self::Date(values) => values.finish::<Date32Type>(),
            Self::LocalTime(values) => values.finish::<Time64NanosecondType>(),
            Self::Timestamp { values, unit, utc } => timestamps(values, *unit, *utc),
            Self::String(values) | Self::Uuid(values) | Self::Json(values) => values.finish_text()?,
            Self::Bytes(values) => values.finish_bytes()?,
            Self::Time(times) => times.finish(data_type)?,
            Self::Zoned(zoned) => zoned.finish(data_type)?,
            Self::Duration(durations) => durations.finish(data_type)?,
            Self::Point(points) => points.finish(data_type)?,
            Self::Vector(vectors) => vectors.finish(data_type)?,
            Self::Node(nodes) => nodes.finish(data_type)?,
            Self::Relationship(relationships) => relationships.finish(data_type)?,
            Self::Path(paths) => paths.finish(data_type)?,
            Self::List(lists) => lists.finish(data_type)?,
        })
    }
}

/// Whether a structure is a date-time with an offset or a zone.
fn is_date_time(tag: u8) -> bool {
    matches!(tag, tag::DATE_TIME | tag::LEGACY_DATE_TIME | tag::DATE_TIME_ZONE | tag::LEGACY_DATE_TIME_ZONE)
}

/// Reads a date-time, and counts its instant.
fn instant<'a>(reader: &mut Reader<'a>, tag: u8, fields: usize, unit: Unit) -> Result<(DateTime<'a>, i64), Refused> {
    let found = if matches!(tag, tag::DATE_TIME | tag::LEGACY_DATE_TIME) { "OffsetDateTime" } else { "ZonedDateTime" };
    let time = DateTime::read(reader, tag, fields)?;
    let count = Instant::new(time.utc, time.nanos)?.count(unit).map_err(|why| Refused::misfit(found, why))?;
    Ok((time, count))
}

fn timestamps(values: &mut Fixed<i64>, unit: Unit, utc: bool) -> ArrayRef {
    match (unit, utc) {
        (Unit::Micro, false) => values.finish::<TimestampMicrosecondType>(),
        (Unit::Nano, false) => values.finish::<TimestampNanosecondType>(),
        (Unit::Micro, true) => Arc::new(values.array::<TimestampMicrosecondType>().with_timezone("UTC")),
        (Unit::Nano, true) => Arc::new(values.array::<TimestampNanosecondType>().with_timezone("UTC")),
    }
}
