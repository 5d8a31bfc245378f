//! `FOREACH (x IN list | …)` at the end of a statement.
//!
//! Owns the translation to `UNWIND list AS x …`, which does the same if no clause follows that could see the rows.
//! Leaves every other `FOREACH` to the engine, which refuses it.

use super::Source;
use super::edits::Edits;

/// Translates the last clause, if it is a `FOREACH`.
pub(super) fn rewrite(source: &Source<'_>, edits: &mut Edits) {
    let tokens = match source.tokens {
        [rest @ .., end] if end.is_symbol(";") => rest,
        all => all,
    };
    let Some(at) = (0..tokens.len()).rev().find(|&at| source.is_keyword(at, "FOREACH")) else {
        return;
    };
    let Some([word, open, variable, within, list @ .., close]) = tokens.get(at..) else {
        return;
    };
    let inside = list.iter().all(|token| token.depth > 0);
    let Some(bar) = list.iter().position(|token| token.depth == 1 && token.is_symbol("|")) else {
        return;
    };
    let is_loop = open.is_symbol("(") && within.is_word("IN") && close.is_symbol(")") && variable.name().is_some();
    let nested = list.iter().any(|token| token.is_word("FOREACH"));
    if let (true, true, false, Some(bar)) = (inside, is_loop, nested, list.get(bar)) {
        edits.replace(word.start..within.end(), "UNWIND");
        edits.replace(bar.start..bar.end(), format!("AS {}", variable.text));
        edits.replace(close.start..close.end(), "");
    }
}
