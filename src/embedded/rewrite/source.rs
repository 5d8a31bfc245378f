//! The statement that is being translated.
//!
//! Owns questions about its text that several rules ask: places, matching brackets, items of `RETURN`.

use super::edits::Edits;
use crate::embedded::cypher::clauses::{AFTER_RETURN, is_keyword_at, list_after};
use crate::embedded::cypher::lexer::Token;

/// The statement and its tokens.
pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: &'a [Token<'a>],
    /// Whether it is only to be explained.
    pub(super) explain: bool,
}

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str, tokens: &'a [Token<'a>]) -> Source<'a> {
        Source { text, tokens, explain: tokens.first().is_some_and(|first| first.is_word("EXPLAIN")) }
    }

    /// Says where `offset` is, as Neo4j does at the end of a message.
    pub(super) fn place(&self, offset: usize) -> String {
        let (line, column) = line_and_column(self.text, offset);
        format!(" (line {line}, column {column} (offset: {offset}))")
    }

    /// Gives every item of a `RETURN` that has been edited and has no alias its own text as its alias, which is what
    /// it would be called without the edit.
    pub(super) fn keep_names(&self, edits: &mut Edits) {
        for at in (0..self.tokens.len()).filter(|&at| self.is_keyword(at, "RETURN")) {
            for item in
                list_after(self.tokens, at, &AFTER_RETURN).split(|token| token.depth == 0 && token.is_symbol(","))
            {
                let (Some(first), Some(last)) = (item.first(), item.last()) else { continue };
                let has_alias = matches!(item, [.., alias, _] if alias.is_word("AS") && alias.depth == 0);
                let name = self.text.get(first.start..last.end()).unwrap_or_default();
                if !has_alias && !name.contains('`') && edits.touch(&(first.start..last.end())) {
                    edits.insert(last.end(), format!(" AS `{name}`"));
                }
            }
        }
    }

    fn is_keyword(&self, at: usize, word: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is_word(word)) && is_keyword_at(self.tokens, at)
    }
}

/// The line and the column of `offset`, both from 1. Columns are characters.
pub(super) fn line_and_column(text: &str, offset: usize) -> (u32, u32) {
    let before = text.get(..offset).unwrap_or(text);
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count());
    let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).saturating_add(1);
    (count(before.matches('\n').count()), count(column))
}
