//! The values that a statement gives to properties, as far as its words and parameters say.

use graphdblite::Value;

use crate::embedded::cypher::lexer::{Kind, Token};
use crate::embedded::values::Parameters;

/// The functions that read a temporal value from a text.
const TEMPORAL: [&str; 6] = ["date", "datetime", "localdatetime", "localtime", "time", "duration"];

/// What is known of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    Null,
    Set,
    /// It depends on the row.
    Open,
}

/// What is known of the value of an expression.
pub(super) fn known(expression: &[Token<'_>], parameters: &Parameters) -> Known {
    let of = |value: Option<&Value>| match value {
        None | Some(Value::Null) => Known::Null,
        Some(_) => Known::Set,
    };
    match expression {
        [one] => match one.kind {
            Kind::Number | Kind::Text => Known::Set,
            Kind::Parameter => of(parameters.get(one.text.trim_start_matches('$'))),
            _ if one.is_word("true") || one.is_word("false") => Known::Set,
            _ if one.is_word("null") => Known::Null,
            _ => Known::Open,
        },
        [minus, number] if minus.is_symbol("-") && number.kind == Kind::Number => Known::Set,
        [map, dot, key] if map.kind == Kind::Parameter && dot.is_symbol(".") => {
            match (parameters.get(map.text.trim_start_matches('$')), key.name()) {
                (Some(Value::Map(entries)), Some(key)) => of(entries.get(key)),
                _ => Known::Open,
            }
        }
        // The moment that a text names; what names none is an error.
        [function, open, text, close]
            if TEMPORAL.iter().any(|name| function.is_word(name))
                && open.is_symbol("(")
                && text.kind == Kind::Text
                && close.is_symbol(")") =>
        {
            Known::Set
        }
        [open, items @ .., close] if open.is_symbol("[") && close.is_symbol("]") => {
            let literal = |item: &Token<'_>| {
                matches!(item.kind, Kind::Number | Kind::Text | Kind::Parameter) || item.is_symbol(",")
            };
            if items.iter().all(literal) { Known::Set } else { Known::Open }
        }
        _ => Known::Open,
    }
}
