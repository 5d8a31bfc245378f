//! Faulty parameters, and the check of a value against the type and the bounds of its parameter.

use std::cmp::Ordering;

use super::{
    convert::{Misfit, convert, described},
    parameter::{Bound, Bounds, Parameter},
    types::Type,
};
use crate::bolt::packstream::{Reader, Token, tag};

/// What is wrong with a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The kind of fault.
    pub code: Code,
    /// The name of the parameter, shortened if it is one that does not exist.
    pub parameter: String,
    /// What is wrong, and what to send instead. Repeats at most 64 characters of a value.
    pub message: String,
}

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The parameter is required, and not there.
    Missing,
    /// The value is of another type.
    Type,
    /// The value is out of bounds, the name is unknown, or it is given twice.
    Argument,
}

impl Code {
    /// The code in errors.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "Neo.ClientError.Statement.ParameterMissing",
            Self::Type => "Neo.ClientError.Statement.TypeError",
            Self::Argument => "Neo.ClientError.Statement.ArgumentError",
        }
    }
}

impl Fault {
    pub(super) fn of(parameter: &Parameter, code: Code, message: String) -> Self {
        Self { code, parameter: parameter.name.clone(), message }
    }
}

/// Converts `raw`, a value in PackStream, to the parameter's type, and checks its bounds.
///
/// # Errors
/// What is wrong with it.
pub(super) fn checked(parameter: &Parameter, raw: &[u8]) -> Result<Vec<u8>, Fault> {
    let Parameter { name, kind, nullable, .. } = parameter;
    if matches!(Reader::new(raw).token(), Ok(Token::Null)) && *nullable {
        return Ok(raw.to_vec());
    }
    let mut value = Vec::with_capacity(raw.len());
    convert(kind, &mut Reader::new(raw), &mut value).map_err(|Misfit(found)| {
        let message = format!("The parameter `{name}` takes {}, not {found}.", kind.expected());
        Fault::of(parameter, Code::Type, message)
    })?;
    match breach(kind, &parameter.bounds, &value) {
        None => Ok(value),
        Some(breach) => {
            Err(Fault::of(parameter, Code::Argument, format!("The parameter `{name}` is out of bounds: {breach}.")))
        }
    }
}

/// Which bound the value breaks, if any: in words.
pub(super) fn breach(kind: &Type, bounds: &Bounds, value: &[u8]) -> Option<String> {
    let mut reader = Reader::new(value);
    if let Type::List(items) = kind {
        let count = reader.expect_list().ok()?;
        if bounds.min_items.is_some_and(|least| count < least) || bounds.max_items.is_some_and(|most| count > most) {
            return Some(format!("{count} items, but {}", range("items", bounds.min_items, bounds.max_items)));
        }
        return (0..count).find_map(|_| of_item(items, bounds, reader.raw().ok()?));
    }
    of_item(kind, bounds, value)
}

/// As [`breach`], for an item of a list, or a value that is no list.
fn of_item(kind: &Type, bounds: &Bounds, value: &[u8]) -> Option<String> {
    let mut reader = Reader::new(value);
    if let Type::List(items) = kind {
        let count = reader.expect_list().ok()?;
        return (0..count).find_map(|_| of_item(items, bounds, reader.raw().ok()?));
    }
    let token = reader.token().ok()?;
    if let Some(length) = length(&token)
        && (bounds.min_length.is_some_and(|least| length < least)
            || bounds.max_length.is_some_and(|most| length > most))
    {
        let unit = if matches!(token, Token::Bytes(_)) { "bytes" } else { "characters" };
        return Some(format!("{length} {unit}, but {}", range(unit, bounds.min_length, bounds.max_length)));
    }
    if let (Some(pattern), Token::String(text)) = (&bounds.pattern, &token)
        && !pattern.matches(text)
    {
        return Some(format!("{} does not match the pattern {}", described(&token), pattern.text));
    }
    if !bounds.one_of.is_empty() && bounds.one_of.iter().all(|one| one.value != value) {
        let all: Vec<_> = bounds.one_of.iter().map(|one| one.text.as_str()).collect();
        return Some(format!("{} is none of {}", described(&token), all.join(", ")));
    }
    let beyond = |bound: &Bound, allowed: fn(Ordering) -> bool| !compare(value, &bound.value).is_some_and(allowed);
    if let Some(least) = bounds.minimum.as_ref().filter(|least| beyond(least, Ordering::is_ge)) {
        return Some(format!("{} is less than {}", shown(&token), least.text));
    }
    if let Some(most) = bounds.maximum.as_ref().filter(|most| beyond(most, Ordering::is_le)) {
        return Some(format!("{} is more than {}", shown(&token), most.text));
    }
    None
}

/// A value that is compared, as messages repeat it.
fn shown(token: &Token<'_>) -> String {
    if matches!(token, Token::Struct(..)) { "the value".to_owned() } else { described(token) }
}

fn range(unit: &str, least: Option<usize>, most: Option<usize>) -> String {
    match (least, most) {
        (Some(least), Some(most)) => format!("from {least} to {most} {unit} are allowed"),
        (Some(least), None) => format!("at least {least} {unit} are required"),
        (None, Some(most)) => format!("at most {most} {unit} are allowed"),
        (None, None) => String::new(),
    }
}

/// The length of a string in characters, or of bytes.
fn length(token: &Token<'_>) -> Option<usize> {
    match token {
        Token::String(text) => Some(text.chars().count()),
        Token::Bytes(bytes) => Some(bytes.len()),
        _ => None,
    }
}

/// Compares two values of the same ordered type; `None` where there is no order, as with NaN.
pub(super) fn compare(one: &[u8], other: &[u8]) -> Option<Ordering> {
    let number = |value: &[u8]| match Reader::new(value).token() {
        Ok(Token::Float(float)) => Some(float),
        _ => None,
    };
    match (number(one), number(other)) {
        (Some(one), Some(other)) => one.partial_cmp(&other),
        _ => Some(position(one)?.cmp(&position(other)?)),
    }
}

/// The place of an integer, or of a moment in nanoseconds, among those of its type.
fn position(value: &[u8]) -> Option<i128> {
    const NANOS: i128 = 1_000_000_000;
    let mut reader = Reader::new(value);
    let next = |reader: &mut Reader<'_>| reader.expect_integer().ok().map(i128::from);
    match Reader::new(value).token().ok()? {
        Token::Integer(integer) => Some(i128::from(integer)),
        Token::Struct(tag, _) => {
            reader.token().ok()?;
            let first = next(&mut reader)?;
            match tag {
                tag::DATE | tag::LOCAL_TIME => Some(first),
                tag::TIME => Some(first - next(&mut reader)? * NANOS),
                tag::LOCAL_DATE_TIME | tag::DATE_TIME | tag::DATE_TIME_ZONE => Some(first * NANOS + next(&mut reader)?),
                _ => None,
            }
        }
        _ => None,
    }
}
