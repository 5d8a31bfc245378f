//! Small differences in syntax: `||`, `!=`, `OFFSET`, `FINISH`, backticks around plain names.
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
        } else if token.is_symbol("$")
            && let Some(quoted) = adjacent.filter(|next| is_plain(next))
        {
            edits.replace(quoted.start..quoted.end(), quoted.text.trim_matches('`'));
        } else if is_plain(token) && !is_word_of_the_engine(token) {
            edits.replace(token.start..token.end(), token.text.trim_matches('`'));
        }
    }
}

/// Words that the engine takes for keywords or functions without backticks, in lower case.
const RESERVED: &str = " match where return create delete detach set remove merge order by skip limit and or not as is on \
    ascending descending asc desc starts ends with contains optional unwind true false null case when then else end \
    exists in distinct union all xor none single any shortestpath allshortestpaths explain count sum avg min max \
    collect length nodes call yield foreach finish offset ";

fn is_word_of_the_engine(token: &Token<'_>) -> bool {
    RESERVED.contains(&format!(" {} ", token.text.trim_matches('`').to_ascii_lowercase()))
}

/// Whether the name in backticks needs none.
fn is_plain(token: &Token<'_>) -> bool {
    let name = token.text.trim_matches('`');
    token.kind == Kind::Quoted
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
