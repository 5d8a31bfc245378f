//! The boundaries of a statement's clauses.
//!
//! Owns which words are keywords at which position. Promises to find the clauses of every statement that the engine
//! accepts: the words are either reserved in its grammar or recognised by what follows them. Knows nothing of the
//! engine.

use crate::embedded::cypher::lexer::{Kind, Token};

/// The words that end the list of a `RETURN`.
pub(in crate::embedded) const AFTER_RETURN: [&str; 5] = ["ORDER", "SKIP", "OFFSET", "LIMIT", "UNION"];
/// The words that end the list of a `WITH` or a `YIELD`.
pub(in crate::embedded) const AFTER_LIST: [&str; 20] = [
    "ORDER", "SKIP", "OFFSET", "FOREACH", "LIMIT", "UNION", "WHERE", "MATCH", "OPTIONAL", "CREATE", "MERGE", "SET",
    "DELETE", "DETACH", "REMOVE", "WITH", "UNWIND", "CALL", "RETURN", "ON",
];
/// The words that begin a part of a statement, and so end the part before.
pub(in crate::embedded) const CLAUSES: [&str; 18] = [
    "FOREACH", "FINISH", "MATCH", "OPTIONAL", "CREATE", "MERGE", "SET", "DELETE", "DETACH", "REMOVE", "WITH", "UNWIND",
    "CALL", "YIELD", "RETURN", "UNION", "ON", "WHERE",
];
/// Whether the token at `at` can begin a clause: a word outside of brackets that is not a property, label, alias, half
/// of `STARTS WITH`, or a variable named `call`.
pub(in crate::embedded) fn is_keyword_at(tokens: &[Token<'_>], at: usize) -> bool {
    let Some(token) = tokens.get(at).filter(|token| token.kind == Kind::Word && token.depth == 0) else {
        return false;
    };
    let before = at.checked_sub(1).and_then(|index| tokens.get(index));
    let is_operand = before.is_some_and(|before| {
        [".", ":"].iter().any(|symbol| before.is_symbol(symbol))
            || ["AS", "STARTS", "ENDS"].iter().any(|word| before.is_word(word))
    });
    let calls = match tokens.get(at + 1..) {
        Some([name, dot, ..]) => name.kind == Kind::Word && dot.is_symbol("."),
        _ => false,
    };
    let next = tokens.get(at + 1);
    // Words that the engine does not reserve are keywords only before what belongs to them.
    let is_meant = if token.is_word("CALL") {
        calls
    } else if token.is_word("FOREACH") {
        next.is_some_and(|next| next.is_symbol("("))
    } else if token.is_word("OFFSET") {
        next.is_some_and(|next| matches!(next.kind, Kind::Number | Kind::Parameter))
    } else if token.is_word("FINISH") {
        at > 0 && next.is_none_or(|next| next.is_symbol(";"))
    } else {
        true
    };
    !is_operand && is_meant
}

/// The index of the last keyword `word`.
pub(in crate::embedded) fn keyword(tokens: &[Token<'_>], word: &str) -> Option<usize> {
    (0..tokens.len())
        .rev()
        .find(|&at| is_keyword_at(tokens, at) && tokens.get(at).is_some_and(|token| token.is_word(word)))
}

/// The index of the first keyword at or after `from` that is one of `words`, or the end.
pub(in crate::embedded) fn next_keyword(tokens: &[Token<'_>], from: usize, words: &[&str]) -> usize {
    (from..tokens.len())
        .find(|&at| {
            is_keyword_at(tokens, at)
                && tokens.get(at).is_some_and(|token| words.iter().any(|word| token.is_word(word)))
        })
        .unwrap_or(tokens.len())
}

/// The items of a list whose commas are inside `depth` brackets.
pub(in crate::embedded) fn items<'a, 't>(list: &'t [Token<'a>], depth: usize) -> impl Iterator<Item = &'t [Token<'a>]> {
    list.split(move |token| token.depth == depth && token.is_symbol(","))
}

/// The tokens between the `RETURN`, `WITH` or `YIELD` at `at` and the next of `ends`.
pub(in crate::embedded) fn list_after<'a, 't>(tokens: &'t [Token<'a>], at: usize, ends: &[&str]) -> &'t [Token<'a>] {
    let distinct = tokens.get(at + 1).is_some_and(|token| token.is_word("DISTINCT"));
    let from = at + 1 + usize::from(distinct);
    let end = next_keyword(tokens, from, ends);
    let list = tokens.get(from..end).unwrap_or_default();
    match list.split_last() {
        Some((last, rest)) if last.is_symbol(";") => rest,
        _ => list,
    }
}
