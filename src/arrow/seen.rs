//! What the values of a sample have in common, and the type that follows from it.
//!
//! Promises that neither the order of rows nor how they are grouped changes what is decided: [`Seen::with`] is
//! commutative, associative and idempotent, and [`Seen::Nothing`] is its neutral element.

use super::{
    misfit::cypher_name,
    time::Instant,
    types::{Column, DEEPEST_LIST, Type, Unit, Vector},
};
use crate::{
    bolt::packstream::{DecodeError, Reader, Token, tag},
    json::output::{
        RowError,
        parts::{DateTime, Place, coordinates, integers},
    },
};

/// What the values of a column, or the items of its lists, have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    /// Nothing but nulls.
    Nothing,
    /// Values of one type, about which Arrow needs to know nothing else.
    Only(Type, &'static str),
    /// Integers, and whether a float holds each exactly.
    Integer {
        exact: bool,
    },
    /// Floats, or floats and integers that they hold exactly.
    Float,
    LocalDateTime(Instants),
    DateTime(Instants, Zones),
    /// Vectors of one type of coordinates; the length is zero if they differ.
    Vector {
        coordinates: &'static str,
        length: usize,
    },
    /// Lists, whose items are of one type.
    List(Box<Self>),
    /// Values of one type that only JSON can hold.
    Json(&'static str),
    /// Values of several types.
    Mixed,
}

/// How fine and how far away instants are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Instants {
    is_fine: bool,
    fit_micro: bool,
    fit_nano: bool,
}

/// How instants name their offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zones {
    Offsets,
    Names,
    Both,
}

impl Instants {
    fn of(instant: Instant) -> Self {
        Self { is_fine: instant.is_fine(), fit_micro: instant.fits(Unit::Micro), fit_nano: instant.fits(Unit::Nano) }
    }

    fn with(self, other: Self) -> Self {
        Self {
            is_fine: self.is_fine || other.is_fine,
            fit_micro: self.fit_micro && other.fit_micro,
            fit_nano: self.fit_nano && other.fit_nano,
        }
    }

    /// The unit that holds all of them, if one does.
    pub(super) fn unit(self) -> Option<Unit> {
        match (self.is_fine, self.fit_micro, self.fit_nano) {
            (true, _, true) => Some(Unit::Nano),
            (false, true, _) => Some(Unit::Micro),
            _ => None,
        }
    }
}

impl Zones {
    /// The type that typed JSON has for them. One that has names can also have none.
    pub(super) fn cypher(self) -> &'static str {
        match self {
            Self::Offsets => "OffsetDateTime",
            Self::Names | Self::Both => "ZonedDateTime",
        }
    }
}

impl Seen {
    /// Looks at the value at the reader, and moves the reader past it.
    ///
    /// # Errors
    /// When the value cannot be shown in any column.
    pub(super) fn of(reader: &mut Reader<'_>) -> Result<Self, RowError> {
        Self::nested(reader, DEEPEST_LIST)
    }

    fn nested(reader: &mut Reader<'_>, depth: usize) -> Result<Self, RowError> {
        let before = reader.clone();
        let token = reader.token()?;
        if let Token::List(items) = token {
            return Self::list(reader, before, items, depth);
        }
        let cypher = cypher_name(&token, &mut reader.clone())?;
        let kind = match token {
            Token::Null => return Ok(Self::Nothing),
            Token::Integer(value) => return Ok(Self::Integer { exact: is_exact(value) }),
            Token::Float(_) => return Ok(Self::Float),
            Token::Struct(tag, fields) => return Self::structure(reader, before, tag, fields, cypher),
            Token::Map(_) => {
                *reader = before;
                reader.skip()?;
                return Ok(Self::Json(cypher));
            }
            Token::Boolean(_) => Type::Boolean,
            Token::Bytes(_) => Type::Bytes,
            Token::String(_) => Type::String,
            Token::Uuid(_) => Type::Uuid,
            // Handled above.
            Token::List(_) => Type::Json,
        };
        Ok(Self::Only(kind, cypher))
    }

    fn list<'a>(reader: &mut Reader<'a>, before: Reader<'a>, items: usize, depth: usize) -> Result<Self, RowError> {
        let Some(depth) = depth.checked_sub(1) else {
            *reader = before;
            reader.skip()?;
            return Ok(Self::Json("List"));
        };
        let mut seen = Self::Nothing;
        for _ in 0..items {
            seen = seen.with_item(Self::nested(reader, depth)?);
        }
        Ok(Self::list_of(seen))
    }

    fn list_of(items: Self) -> Self {
        if items == Self::Mixed { Self::Json("List") } else { Self::List(Box::new(items)) }
    }

    fn structure<'a>(
        reader: &mut Reader<'a>,
        before: Reader<'a>,
        tag: u8,
        fields: usize,
        cypher: &'static str,
    ) -> Result<Self, RowError> {
        let kind = match tag {
            tag::DATE => match i32::try_from(reader.expect_integer()?) {
                Ok(_) => return Ok(Self::Only(Type::Date, cypher)),
                Err(_) => return Ok(Self::Json(cypher)),
            },
            tag::LOCAL_DATE_TIME => {
                let [seconds, nanos] = integers(reader)?;
                return Ok(Self::LocalDateTime(Instants::of(Instant::new(seconds, nanos)?)));
            }
            tag::DATE_TIME | tag::LEGACY_DATE_TIME | tag::DATE_TIME_ZONE | tag::LEGACY_DATE_TIME_ZONE => {
                let time = DateTime::read(reader, tag, fields)?;
                let zones = if matches!(time.place, Place::Offset(_)) { Zones::Offsets } else { Zones::Names };
                return Ok(Self::DateTime(Instants::of(Instant::new(time.utc, time.nanos)?), zones));
            }
            tag::VECTOR => {
                let (Token::Bytes(kind), Token::Bytes(data)) = (reader.token()?, reader.token()?) else {
                    return Err(DecodeError::Value("a vector that is not made of bytes").into());
                };
                let (coordinates, width) = coordinates(kind, data)?;
                return Ok(Self::Vector { coordinates, length: data.len() / width });
            }
            tag::TIME => Type::Time,
            tag::LOCAL_TIME => Type::LocalTime,
            tag::DURATION => Type::Duration,
            tag::POINT_2D | tag::POINT_3D => Type::Point,
            tag::NODE => Type::Node,
            tag::RELATIONSHIP => Type::Relationship,
            _ => Type::Path,
        };
        *reader = before;
        reader.skip()?;
        Ok(Self::Only(kind, cypher))
    }

    /// What these values and others have in common. Integers become floats if those hold them exactly.
    pub(super) fn with(self, other: Self) -> Self {
        match (self, other) {
            (Self::Float, Self::Integer { exact: true }) | (Self::Integer { exact: true }, Self::Float) => Self::Float,
            (one, other) => one.with_item(other),
        }
    }

    /// As [`Self::with`], but a list of integers and floats is mixed.
    fn with_item(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, seen) | (seen, Self::Nothing) => seen,
            (Self::Integer { exact: one }, Self::Integer { exact: other }) => Self::Integer { exact: one && other },
            (Self::LocalDateTime(one), Self::LocalDateTime(other)) => Self::LocalDateTime(one.with(other)),
            (Self::DateTime(one, zones), Self::DateTime(other, others)) => {
                Self::DateTime(one.with(other), if zones == others { zones } else { Zones::Both })
            }
            (Self::Vector { coordinates, length }, Self::Vector { coordinates: same, length: other })
                if coordinates == same =>
            {
                Self::Vector { coordinates, length: if length == other { length } else { 0 } }
            }
            (Self::List(one), Self::List(other)) => Self::list_of(one.with_item(*other)),
            (one, other) if one == other => one,
            (one, other) => match (one.json_name(), other.json_name()) {
                (Some(name), Some(same)) if name == same => Self::Json(name),
                _ => Self::Mixed,
            },
        }
    }

    /// The one type of values that can also be JSON.
    fn json_name(&self) -> Option<&'static str> {
        match self {
            Self::Json(name) => Some(name),
            Self::List(_) => Some("List"),
            Self::Vector { .. } => Some("Vector"),
            Self::Only(Type::Date, name) => Some(name),
            _ => None,
        }
    }

    /// The column for these values. `ended`: there are no others.
    pub(super) fn column(&self, ended: bool) -> Column {
        if !ended && self.is_open() { Column::json("Mixed") } else { self.known() }
    }

    /// Whether any value might follow.
    fn is_open(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::List(items) => items.is_open(),
            _ => false,
        }
    }

    fn known(&self) -> Column {
        let instants = |instants: &Instants, utc, cypher| match instants.unit() {
            Some(unit) => Column::new(Type::Timestamp { unit, utc }, cypher),
            None => Column::json(cypher),
        };
        match self {
            Self::Nothing => Column::new(Type::Null, "Null"),
            Self::Only(kind, cypher) => Column::new(kind.clone(), cypher),
            Self::Integer { .. } => Column::new(Type::Integer, "Integer"),
            Self::Float => Column::new(Type::Float, "Float"),
            Self::LocalDateTime(seen) => instants(seen, false, "LocalDateTime"),
            Self::DateTime(seen, zones) => instants(seen, true, zones.cypher()),
            Self::Vector { coordinates, length } => {
                let vector = Vector { coordinates, length: Some(*length).filter(|length| *length > 0) };
                Column::new(Type::Vector(vector), "Vector")
            }
            Self::List(items) => Column::new(Type::List(Box::new(items.known())), "List"),
            Self::Json(cypher) => Column::json(cypher),
            Self::Mixed => Column::json("Mixed"),
        }
    }
}

/// The float that holds an integer exactly, if there is one.
pub(super) fn exactly(value: i64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "compared afterwards")]
    let (float, back) = (value as f64, value as f64 as i128);
    (back == i128::from(value)).then_some(float)
}

fn is_exact(value: i64) -> bool {
    exactly(value).is_some()
}
