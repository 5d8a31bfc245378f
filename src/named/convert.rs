//! From values as they were sent to values of a parameter's type, both in PackStream.
//!
//! Promises that the result has exactly the type: a date is a date and not its text. Text stands for what plain JSON and
//! query strings have no type for, and an integer for a float.

use super::types::Type;
use crate::{
    bolt::packstream::{DecodeError, Reader, Token, Writer, tag},
    json::input::typed::scalar,
    value_path::shortened,
};

/// The most characters of a value that a message repeats.
pub(super) const REPEATED: usize = 64;

/// A value that is not of the type that it has to be: what it is instead, for messages.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misfit(pub(super) String);

impl From<DecodeError> for Misfit {
    fn from(_: DecodeError) -> Self {
        Self("a value that cannot be read".to_owned())
    }
}

/// Reads a value and appends it to `out` as one of type `wanted`.
///
/// # Errors
/// What does not fit. Then `out` holds an unfinished value.
pub(super) fn convert(wanted: &Type, value: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<(), Misfit> {
    let raw = value.raw()?;
    let token = Reader::new(raw).token()?;
    match (wanted, token) {
        (Type::Float, Token::Integer(integer)) => {
            #[expect(clippy::cast_precision_loss, reason = "the nearest float is meant")]
            Writer::new(out).float(integer as f64);
        }
        (Type::List(items), Token::List(count)) => {
            Writer::new(out).list(count);
            let mut reader = Reader::new(raw);
            reader.token()?;
            for _ in 0..count {
                convert(items, &mut reader, out)?;
            }
        }
        (_, Token::String(text)) if *wanted != Type::String => {
            let parsed = names(wanted, text).and_then(|name| scalar(name, text));
            out.extend(parsed.ok_or_else(|| Misfit(described(&token)))?);
        }
        (wanted, token) if is_of(wanted, &token) => out.extend_from_slice(raw),
        (_, token) => return Err(Misfit(described(&token))),
    }
    Ok(())
}

/// What typed JSON calls the type, if it has a text of its own.
fn names(wanted: &Type, text: &str) -> Option<&'static str> {
    Some(match wanted {
        Type::Date => "Date",
        Type::Time => "Time",
        Type::LocalTime => "LocalTime",
        Type::DateTime if text.ends_with(']') => "ZonedDateTime",
        Type::DateTime => "OffsetDateTime",
        Type::LocalDateTime => "LocalDateTime",
        Type::Duration => "Duration",
        Type::Point => "Point",
        Type::Bytes => "Base64",
        Type::Boolean | Type::Integer | Type::Float | Type::String | Type::Map | Type::List(_) => return None,
    })
}

fn is_of(wanted: &Type, token: &Token<'_>) -> bool {
    match (wanted, token) {
        (Type::Boolean, Token::Boolean(_))
        | (Type::Integer, Token::Integer(_))
        | (Type::Float, Token::Float(_))
        | (Type::String, Token::String(_))
        | (Type::Bytes, Token::Bytes(_))
        | (Type::Map, Token::Map(_)) => true,
        (wanted, Token::Struct(tag, _)) => tags(wanted).contains(tag),
        _ => false,
    }
}

fn tags(wanted: &Type) -> &'static [u8] {
    match wanted {
        Type::Date => &[tag::DATE],
        Type::Time => &[tag::TIME],
        Type::LocalTime => &[tag::LOCAL_TIME],
        Type::DateTime => &[tag::DATE_TIME, tag::DATE_TIME_ZONE],
        Type::LocalDateTime => &[tag::LOCAL_DATE_TIME],
        Type::Duration => &[tag::DURATION],
        Type::Point => &[tag::POINT_2D, tag::POINT_3D],
        _ => &[],
    }
}

/// A value as messages repeat it.
pub(super) fn described(token: &Token<'_>) -> String {
    match token {
        Token::Null => "null".to_owned(),
        Token::Boolean(value) => value.to_string(),
        Token::Integer(value) => value.to_string(),
        Token::Float(value) => shortened(&format!("{value:?}"), REPEATED),
        Token::String(text) => format!("\"{}\"", shortened(text, REPEATED)),
        Token::Bytes(_) => "bytes".to_owned(),
        Token::List(_) => "a list".to_owned(),
        Token::Map(_) => "an object".to_owned(),
        Token::Struct(..) | Token::Uuid(_) => "a value of another type".to_owned(),
    }
}
