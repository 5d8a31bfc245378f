//! The types of typed JSON: their names, the versions that know them, and the expected form of their values.

use crate::json::TypedVersion;

/// A `$type` that a request may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Boolean,
    Integer,
    Float,
    String,
    Base64,
    List,
    Map,
    Date,
    Time,
    LocalTime,
    LocalDateTime,
    OffsetDateTime,
    ZonedDateTime,
    Duration,
    Point,
    Vector,
    Uuid,
}

impl Kind {
    /// Returns the type with this exact name, if `version` knows it.
    pub(super) fn named(name: &str, version: TypedVersion) -> Option<Self> {
        Some(match name {
            "Null" => Self::Null,
            "Boolean" => Self::Boolean,
            "Integer" => Self::Integer,
            "Float" => Self::Float,
            "String" => Self::String,
            "Base64" => Self::Base64,
            "List" => Self::List,
            "Map" => Self::Map,
            "Date" => Self::Date,
            "Time" => Self::Time,
            "LocalTime" => Self::LocalTime,
            "LocalDateTime" => Self::LocalDateTime,
            "OffsetDateTime" => Self::OffsetDateTime,
            "ZonedDateTime" => Self::ZonedDateTime,
            "Duration" => Self::Duration,
            "Point" => Self::Point,
            "Vector" if version >= TypedVersion::V1_1 => Self::Vector,
            "UUID" if version >= TypedVersion::V1_2 => Self::Uuid,
            _ => return None,
        })
    }

    /// Describes the expected `_value`, for errors.
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::Null => "Null takes null or no `_value` at all",
            Self::Boolean => "Boolean takes true or false",
            Self::Integer => "Integer takes a whole number within 64 bits, as a string",
            Self::Float => "Float takes a number, NaN, Infinity or -Infinity, as a string",
            Self::String => "String takes a string",
            Self::Base64 => "Base64 takes a string in the standard alphabet (+ and /)",
            Self::List => "List takes an array of typed values",
            Self::Map => "Map takes an object of typed values",
            Self::Date => "Date takes yyyy-MM-dd",
            Self::Time => "Time takes HH:mm[:ss[.n]] and an offset (Z or ±HH:mm[:ss])",
            Self::LocalTime => "LocalTime takes HH:mm[:ss[.n]] without an offset",
            Self::LocalDateTime => "LocalDateTime takes yyyy-MM-ddTHH:mm[:ss[.n]] without an offset",
            Self::OffsetDateTime => "OffsetDateTime takes yyyy-MM-ddTHH:mm[:ss[.n]] and an offset (Z or ±HH[:mm[:ss]])",
            Self::ZonedDateTime => {
                "ZonedDateTime takes yyyy-MM-ddTHH:mm[:ss[.n]], an offset and a region of the tz database, \
                 as in 2026-07-01T12:00:00+02:00[Europe/Berlin]"
            }
            Self::Duration => "Duration takes ISO 8601 text within 64 bits of seconds, as in P1Y2M3DT4H5M6.7S",
            Self::Point => "Point takes SRID=<number>;POINT (x y) or SRID=<number>;POINT Z (x y z)",
            Self::Vector => "Vector takes an object of `coordinatesType` and `coordinates`",
            Self::Uuid => "UUID takes five groups of hexadecimal digits separated by dashes",
        }
    }
}
