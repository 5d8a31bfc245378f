//! Forms of temporal values that the engine does not have.
//!
//! Owns `datetime('2020-01-01')` and relatives (the time is midnight, the time zone UTC, as in Neo4j), `truncate` with
//! one argument, and `quarterDay`. Only literals and parameters are completed: of other texts the engine says what is
//! missing.

use graphdblite::Value;

use super::Source;
use super::edits::Edits;
use crate::embedded::cypher::clauses::{CLAUSES, is_keyword_at};
use crate::embedded::cypher::lexer::Kind;
use crate::embedded::values::Parameters;

/// Translates every one of them.
pub(super) fn rewrite(source: &Source<'_>, parameters: &mut Parameters, edits: &mut Edits) {
    for (at, token) in source.tokens.iter().enumerate() {
        if token.kind != Kind::Word {
            continue;
        }
        let is_member = source.is_member(at);
        if is_member && token.text == "quarterDay" && !is_assigned(source, at) {
            edits.insert(source.tokens.get(at.saturating_sub(2)).map_or(0, |owner| owner.start), "coalesce(");
            let owner = at.checked_sub(2).and_then(|owner| source.tokens.get(owner)).map_or("", |owner| owner.text);
            edits.insert(token.end(), format!(", {owner}.dayOfQuarter)"));
        } else if is_member && token.is_word("truncate") {
            truncate(source, at, edits);
        } else if !is_member && (token.is_word("datetime") || token.is_word("localdatetime")) {
            complete_argument(source, at, parameters, edits);
        }
    }
}

/// Whether the property at `at` is not that of a plain variable, or is set or removed.
fn is_assigned(source: &Source<'_>, at: usize) -> bool {
    let owner = at.checked_sub(2).and_then(|owner| source.tokens.get(owner));
    let is_chained = at.checked_sub(2).is_some_and(|owner| source.is_member(owner));
    let clause = (0..at).rev().find(|&before| {
        is_keyword_at(source.tokens, before) && CLAUSES.iter().any(|word| source.is_keyword(before, word))
    });
    let of = |word: &str| clause.is_some_and(|clause| source.is_keyword(clause, word));
    let is_set = of("SET") && source.tokens.get(at + 1).is_some_and(|next| next.is_symbol("="));
    is_chained || is_set || of("REMOVE") || owner.is_none_or(|owner| owner.name().is_none())
}

/// `date.truncate('month')` truncates the current date.
fn truncate(source: &Source<'_>, at: usize, edits: &mut Edits) {
    let Some((open, inner, close)) = source.brackets(at + 1, "(") else {
        return;
    };
    let Some(owner) = at.checked_sub(2).and_then(|owner| source.tokens.get(owner)) else {
        return;
    };
    let is_type = ["date", "datetime", "localdatetime", "time", "localtime"].iter().any(|name| owner.is_word(name));
    let is_alone =
        !inner.is_empty() && !inner.iter().any(|token| token.depth == open.depth + 1 && token.is_symbol(","));
    if is_type && is_alone {
        edits.insert(close.start, format!(", {}()", owner.text));
    }
}

/// Completes the only argument of the function at `at`, if it is a literal or a parameter.
fn complete_argument(source: &Source<'_>, at: usize, parameters: &mut Parameters, edits: &mut Edits) {
    let Some((_, [argument], _)) = source.brackets(at + 1, "(") else {
        return;
    };
    let zoned = source.tokens.get(at).is_some_and(|name| name.is_word("datetime"));
    match argument.kind {
        Kind::Text => {
            let quote = argument.text.get(..1).unwrap_or("'");
            if let Some(completed) = complete(argument.text.trim_matches(['\'', '"']), zoned) {
                edits.replace(argument.start..argument.end(), format!("{quote}{completed}{quote}"));
            }
        }
        Kind::Parameter => {
            let name = argument.text.trim_start_matches('$');
            let Some(Value::String(text)) = parameters.get(name) else {
                return;
            };
            if let Some(completed) = complete(text, zoned) {
                let completed_name = format!("_boltgate_{}_{name}", if zoned { "datetime" } else { "localdatetime" });
                edits.replace(argument.start..argument.end(), format!("${completed_name}"));
                parameters.insert(completed_name, Value::String(completed));
            }
        }
        _ => {}
    }
}

/// Adds a time and a time zone to `text` where they are missing. Returns `None` if nothing is missing, or if it does not
/// look like a date.
fn complete(text: &str, zoned: bool) -> Option<String> {
    let is_date = |text: &str| {
        text.len() >= 4
            && text.starts_with(|first: char| first.is_ascii_digit() || first == '-' || first == '+')
            && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '+' | 'W' | 'Q'))
    };
    let Some((date, time)) = text.split_once('T') else {
        let (date, zone) = text.split_at(text.find(['Z', '[']).unwrap_or(text.len()));
        let zone = if zone.is_empty() && zoned { "Z" } else { zone };
        return is_date(date).then(|| format!("{date}T00:00{zone}"));
    };
    let has_zone = time.contains(['Z', '+', '-', '[']);
    (zoned && !has_zone && is_date(date) && time.starts_with(|first: char| first.is_ascii_digit()))
        .then(|| format!("{text}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_times_and_zones_are_added() {
        for (text, zoned, completed) in [
            ("2020-01-01", true, Some("2020-01-01T00:00Z")),
            ("2020", true, Some("2020T00:00Z")),
            ("2020-W02-3", false, Some("2020-W02-3T00:00")),
            ("2020-01-01T10:00", true, Some("2020-01-01T10:00Z")),
            ("2020-01-01T10:00", false, None),
            ("2020-01-01T10:00+01:00", true, None),
            ("2020-01-01T10:00[Europe/Berlin]", true, None),
            ("now", true, None),
            ("", true, None),
        ] {
            assert_eq!(complete(text, zoned).as_deref(), completed, "{text}");
        }
    }
}
