//! Small differences in syntax: `||`, `!=`, `OFFSET`, `FINISH`, backticks around labels and parameters.
//!
//! Owns operators and words that the engine has under another name.

use super::Source;
use super::edits::Edits;
use crate::embedded::cypher::lexer::{Kind, Token};

/// Translates every one of them.
pub(super) fn rewrite(source: &Source<'_>, edits: &mut Edits) {
    for (at, token) in source.tokens.iter().enumerate() {
        let next = source.tokens.get(at + 1);
        let adjacent = next.filter(|next| next.start == token.end());
        if token.is_symbol("|") && adjacent.is_some_and(|next| next.is_symbol("|")) {
            edits.replace(token.start..token.end() + 1, "+");
        } else if token.is_symbol("!") && adjacent.is_some_and(|next| next.is_symbol("=")) {
            edits.replace(token.start..token.end() + 1, "<>");
        } else if source.is_keyword(at, "OFFSET") {
            edits.replace(token.start..token.end(), "SKIP");
        } else if source.is_keyword(at, "FINISH") && source.follows_clause(at) {
            edits.replace(token.start..token.end(), "RETURN 1 AS _boltgate_finish LIMIT 0");
        } else if let Some(quoted) = next.filter(|next| next.kind == Kind::Quoted && is_plain(next))
            && (token.is_symbol(":") || token.is_symbol("|") || (token.is_symbol("$") && adjacent.is_some()))
            && is_label_or_parameter(source.tokens, at)
        {
            edits.replace(quoted.start..quoted.end(), quoted.text.trim_matches('`'));
        }
    }
}

/// Whether the name in backticks needs none.
fn is_plain(token: &Token<'_>) -> bool {
    let name = token.text.trim_matches('`');
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether the symbol at `at` stands before a label, a type or the name of a parameter: `$`, `n:`, `(:`, `[:`, `:A:`,
/// `:A|`. After a colon in a map stands a value, which may be a variable in backticks.
fn is_label_or_parameter(tokens: &[Token<'_>], at: usize) -> bool {
    let Some(symbol) = tokens.get(at) else { return false };
    if symbol.is_symbol("$") {
        return true;
    }
    let before = tokens.get(..at).unwrap_or_default();
    let open = before.iter().rfind(|token| token.depth + 1 == symbol.depth);
    let in_map = symbol.depth > 0 && open.is_some_and(|open| open.is_symbol("{"));
    let after_label = matches!(before, [.., colon, name] if colon.is_symbol(":") && name.name().is_some());
    !in_map && (symbol.is_symbol(":") || after_label)
}
