//! The types of parameters.

use std::{fmt, str::FromStr};

/// The most levels of lists within lists.
const DEEPEST: usize = 8;

/// The type of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Type {
    Boolean,
    Integer,
    Float,
    String,
    Date,
    Time,
    LocalTime,
    DateTime,
    LocalDateTime,
    Duration,
    Point,
    Bytes,
    Map,
    List(Box<Self>),
}

use Type::{
    Boolean, Bytes, Date, DateTime, Duration, Float, Integer, List, LocalDateTime, LocalTime, Map, Point, Time,
};

/// The names of all types but lists.
const NAMES: [(&str, Type); 13] = [
    ("boolean", Boolean),
    ("integer", Integer),
    ("float", Float),
    ("string", Type::String),
    ("date", Date),
    ("time", Time),
    ("localtime", LocalTime),
    ("datetime", DateTime),
    ("localdatetime", LocalDateTime),
    ("duration", Duration),
    ("point", Point),
    ("bytes", Bytes),
    ("map", Map),
];

impl Type {
    /// The type of the innermost items of a list; of anything else, itself.
    pub(super) fn innermost(&self) -> &Self {
        match self {
            List(items) => items.innermost(),
            other => other,
        }
    }

    /// Whether values can be compared with a minimum and a maximum.
    pub(super) fn is_ordered(&self) -> bool {
        matches!(self, Integer | Float | Date | Time | LocalTime | DateTime | LocalDateTime)
    }

    /// What a value has to be, for messages.
    pub(super) fn expected(&self) -> String {
        match self {
            Boolean => "true or false".to_owned(),
            Integer => "an integer within 64 bits".to_owned(),
            Float => "a number".to_owned(),
            Self::String => "a string".to_owned(),
            Date => "a date such as 2026-07-01".to_owned(),
            Time => "a time with an offset, such as 12:00:00+02:00".to_owned(),
            LocalTime => "a time without an offset, such as 12:00:00".to_owned(),
            DateTime => "a date and time with an offset, such as 2026-07-01T12:00:00Z, optionally with a zone, as in \
                 2026-07-01T12:00:00+02:00[Europe/Berlin]"
                .to_owned(),
            LocalDateTime => "a date and time without an offset, such as 2026-07-01T12:00:00".to_owned(),
            Duration => "a duration such as P1Y2M3DT4H5M6.7S".to_owned(),
            Point => "a point such as SRID=4326;POINT (13.4 52.5)".to_owned(),
            Bytes => "bytes as Base64".to_owned(),
            Map => "an object".to_owned(),
            List(items) => format!("a list, each item {}", items.expected()),
        }
    }
}

impl FromStr for Type {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (mut items, mut depth) = (text, 0);
        while let Some(inner) = items.strip_prefix("list<").and_then(|rest| rest.strip_suffix('>')) {
            (items, depth) = (inner, depth + 1);
        }
        match NAMES.iter().find(|(name, _)| *name == items) {
            Some((_, scalar)) if depth <= DEEPEST => {
                Ok((0..depth).fold(scalar.clone(), |inner, _| List(Box::new(inner))))
            }
            _ => {
                let names: Vec<_> = NAMES.iter().map(|(name, _)| *name).collect();
                Err(format!("there is no type `{text}`; the types are {} and list<TYPE>", names.join(", ")))
            }
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            List(items) => write!(f, "list<{items}>"),
            scalar => f.write_str(NAMES.iter().find(|(_, one)| one == scalar).map_or("", |(name, _)| name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_and_printed() {
        for text in ["boolean", "string", "list<integer>", "list<list<localdatetime>>", "map"] {
            assert_eq!(text.parse::<Type>().map(|read| read.to_string()).as_deref(), Ok(text));
        }
        for text in ["", "int", "String", "list", "list<>", "list<integer", "list<integer>>", "list <integer>"] {
            assert!(text.parse::<Type>().unwrap_err().contains("the types are boolean, integer"), "{text}");
        }
        let deep = format!("{}integer{}", "list<".repeat(9), ">".repeat(9));
        assert!(deep.parse::<Type>().is_err());
    }
}
