//! Values that do not fit their columns.

use crate::{
    bolt::packstream::{DecodeError, Reader, Token, tag},
    json::output::{RowError, parts::name},
};

/// Why a value cannot be put into its column.
#[derive(Debug)]
pub(super) enum Refused {
    /// The row cannot be shown at all.
    Row(RowError),
    /// The value does not fit the column.
    Misfit(Misfit),
}

/// A value that does not fit its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Misfit {
    /// The type of the value, as typed JSON names it.
    pub(super) found: &'static str,
    pub(super) why: Why,
}

/// What keeps a value out of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    Type,
    OutOfRange,
    TooFine,
    Inexact,
    Length,
}

impl Why {
    /// The reason as the end of a sentence about the value.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Type => "",
            Self::OutOfRange => " out of the range of that",
            Self::TooFine => " finer than a microsecond",
            Self::Inexact => " that a float does not hold exactly",
            Self::Length => " of another type or number of coordinates",
        }
    }
}

impl Refused {
    pub(super) fn misfit(found: &'static str, why: Why) -> Self {
        Self::Misfit(Misfit { found, why })
    }

    /// The refusal of a value of another type, whose token was just read.
    pub(super) fn other_type(token: &Token<'_>, reader: &mut Reader<'_>) -> Self {
        match cypher_name(token, reader) {
            Ok(found) => Self::misfit(found, Why::Type),
            Err(error) => Self::Row(error),
        }
    }
}

/// The type of the value whose token was just read, as typed JSON names it.
///
/// # Errors
/// When it is a value that the database could not send, or none.
pub(super) fn cypher_name(token: &Token<'_>, reader: &mut Reader<'_>) -> Result<&'static str, RowError> {
    Ok(match *token {
        Token::Null => "Null",
        Token::Boolean(_) => "Boolean",
        Token::Integer(_) => "Integer",
        Token::Float(_) => "Float",
        Token::Bytes(_) => "Base64",
        Token::String(_) => "String",
        Token::Uuid(_) => "UUID",
        Token::List(_) => "List",
        Token::Map(_) => "Map",
        Token::Struct(tag, fields) => match (tag, fields) {
            (tag::NODE, 3 | 4) => "Node",
            (tag::RELATIONSHIP, 5 | 8) => "Relationship",
            (tag::PATH, 3) => "Path",
            (tag::DATE, 1) => "Date",
            (tag::TIME, 2) => "Time",
            (tag::LOCAL_TIME, 1) => "LocalTime",
            (tag::LOCAL_DATE_TIME, 2) => "LocalDateTime",
            (tag::DATE_TIME | tag::LEGACY_DATE_TIME, 3) => "OffsetDateTime",
            (tag::DATE_TIME_ZONE | tag::LEGACY_DATE_TIME_ZONE, 3) => "ZonedDateTime",
            (tag::DURATION, 4) => "Duration",
            (tag::POINT_2D, 3) | (tag::POINT_3D, 4) => "Point",
            (tag::VECTOR, 2) => "Vector",
            (tag::UNSUPPORTED, 4) => {
                let type_name = name(reader)?.to_owned().into();
                return Err(RowError::Unsupported { type_name, nested: false });
            }
            _ => return Err(DecodeError::Value("a structure that is unknown to every Bolt version").into()),
        },
    })
}

impl From<RowError> for Refused {
    fn from(error: RowError) -> Self {
        Self::Row(error)
    }
}

impl From<DecodeError> for Refused {
    fn from(error: DecodeError) -> Self {
        Self::Row(error.into())
    }
}
