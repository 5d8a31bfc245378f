//! Map projections and counting subqueries: `n {.x, y: 1, z}`, `n {.*}`, `COUNT { … }`, `COLLECT { … }`.
//!
//! Owns the translation to maps and pattern comprehensions. Leaves alone what has no such counterpart: `.*` among other
//! items, and subqueries of more than one pattern.

use super::Source;
use super::edits::Edits;
use crate::embedded::cypher::clauses::items;
use crate::embedded::cypher::lexer::Token;

/// Translates every one of them.
pub(super) fn rewrite(source: &Source<'_>, edits: &mut Edits) {
    for (at, token) in source.tokens.iter().enumerate() {
        let Some((open, inner, close)) = source.braces(at + 1) else {
            continue;
        };
        if token.is_word("COUNT") {
            count(token, open, inner, close, edits);
        } else if token.is_word("COLLECT") {
            collect(token, open, inner, close, edits);
        } else if token.name().is_some() {
            project(token, open, inner, close, edits);
        }
    }
}

/// `COUNT { [MATCH] pattern [WHERE …] }` becomes `size([pattern WHERE … | 1])`.
fn count(word: &Token<'_>, open: &Token<'_>, inner: &[Token<'_>], close: &Token<'_>, edits: &mut Edits) {
    if is_one_pattern(inner) {
        edits.replace(word.start..word.end(), "size");
        open_pattern(open, inner, "([", edits);
        edits.replace(close.start..close.end(), " | 1])");
    }
}

/// `COLLECT { MATCH pattern [WHERE …] RETURN expression }` becomes `[pattern WHERE … | expression]`.
fn collect(word: &Token<'_>, open: &Token<'_>, inner: &[Token<'_>], close: &Token<'_>, edits: &mut Edits) {
    let depth = open.depth + 1;
    let Some(at) = inner.iter().position(|token| token.depth == depth && token.is_word("RETURN")) else {
        return;
    };
    let (pattern, returned) = inner.split_at(at);
    let ends = ["AS", "DISTINCT", "ORDER", "SKIP", "LIMIT", "UNION", "count", "sum", "avg", "min", "max", "collect"];
    let is_plain = !returned.iter().any(|token| ends.iter().any(|end| token.is_word(end)))
        && !returned.iter().any(|token| token.depth == depth && (token.is_symbol(",") || token.is_symbol("*")));
    if let (true, true, Some(word_return)) = (is_one_pattern(pattern), is_plain, returned.first()) {
        edits.replace(word.start..word.end(), "");
        open_pattern(open, inner, "[", edits);
        edits.replace(word_return.start..word_return.end(), "|");
        edits.replace(close.start..close.end(), "]");
    }
}

fn open_pattern(open: &Token<'_>, inner: &[Token<'_>], text: &str, edits: &mut Edits) {
    edits.replace(open.start..open.end(), text);
    if let Some(word) = inner.first().filter(|first| first.is_word("MATCH")) {
        edits.replace(word.start..word.end(), "");
    }
}

/// Whether `inner` is one pattern and perhaps a condition.
fn is_one_pattern(inner: &[Token<'_>]) -> bool {
    let pattern = match inner {
        [first, rest @ ..] if first.is_word("MATCH") => rest,
        all => all,
    };
    let Some(depth) = pattern.first().filter(|first| first.is_symbol("(")).map(|first| first.depth) else {
        return false;
    };
    let others = ["MATCH", "OPTIONAL", "WITH", "UNWIND", "CALL", "RETURN", "UNION"];
    let ends = pattern.iter().position(|token| token.depth == depth && token.is_word("WHERE")).unwrap_or(pattern.len());
    let (elements, condition) = pattern.split_at(ends);
    let has_comma = elements.iter().any(|token| token.depth == depth && token.is_symbol(","));
    let goes_on = |(at, token): (usize, &Token<'_>)| {
        let before = at.checked_sub(1).and_then(|before| condition.get(before));
        let is_operator = before.is_some_and(|before| before.is_word("STARTS") || before.is_word("ENDS"));
        token.depth == depth && !is_operator && others.iter().any(|other| token.is_word(other))
    };
    !elements.is_empty() && !has_comma && !condition.iter().enumerate().any(goes_on)
}

/// `n {.x, y: 1, z}` becomes a map, or null if `n` is null, and `n {.*}` becomes `properties(n)`.
fn project(name: &Token<'_>, open: &Token<'_>, inner: &[Token<'_>], close: &Token<'_>, edits: &mut Edits) {
    let items: Vec<&[Token<'_>]> = items(inner, open.depth + 1).collect();
    let is_dotted = |item: &&[Token<'_>]| item.first().is_some_and(|first| first.is_symbol("."));
    if !items.iter().any(is_dotted) {
        return;
    }
    if let [[dot, star]] = items.as_slice()
        && dot.is_symbol(".")
        && star.is_symbol("*")
    {
        edits.replace(name.start..close.end(), format!("properties({})", name.text));
        return;
    }
    let known = |item: &&[Token<'_>]| match item {
        [dot, key] if dot.is_symbol(".") => key.name().is_some(),
        [key, colon, _, ..] if colon.is_symbol(":") => key.name().is_some(),
        [variable] => variable.name().is_some(),
        _ => false,
    };
    if !items.iter().all(known) {
        return;
    }
    edits.insert(name.start, "CASE WHEN ");
    edits.insert(name.end(), " IS NULL THEN null ELSE");
    edits.insert(close.end(), " END");
    for item in items {
        match item {
            [dot, key] if dot.is_symbol(".") => {
                edits.replace(dot.start..key.end(), format!("{}: {}.{}", key.text, name.text, key.text));
            }
            [variable] => edits.insert(variable.start, format!("{}: ", variable.text)),
            _ => {}
        }
    }
}
