//! The statement that is being translated.
//!
//! Owns questions about its text that several rules ask: places, matching brackets, items of `RETURN`.

use super::edits::Edits;
use crate::embedded::cypher::clauses::{AFTER_RETURN, CLAUSES, is_keyword_at, items, list_after, next_keyword};
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
            for item in items(list_after(self.tokens, at, &AFTER_RETURN), 0) {
                let (Some(first), Some(last)) = (item.first(), item.last()) else { continue };
                let has_alias = matches!(item, [.., alias, _] if alias.is_word("AS") && alias.depth == 0);
                let name = self.text.get(first.start..last.end()).unwrap_or_default();
                if !has_alias && !name.contains('`') && edits.touch(&(first.start..last.end())) {
                    edits.insert(last.end(), format!(" AS `{name}`"));
                }
            }
        }
    }

    /// The tokens of `range`, without a semicolon at their end.
    pub(super) fn without_end(&self, from: usize, to: usize) -> &'a [Token<'a>] {
        match self.tokens.get(from..to).unwrap_or_default() {
            [rest @ .., end] if end.is_symbol(";") => rest,
            all => all,
        }
    }

    /// The offset after the clauses at `at` that only create and set.
    pub(super) fn end_of_changes(&self, mut at: usize) -> usize {
        while self.is_keyword(at, "CREATE") || self.is_keyword(at, "SET") {
            at = next_keyword(self.tokens, at + 1, &CLAUSES);
        }
        self.without_end(0, at).last().map_or(0, Token::end)
    }

    /// The bracket `open` at `at`, what is inside, and the bracket that closes it.
    pub(super) fn brackets(&self, at: usize, open: &str) -> Option<(&'a Token<'a>, &'a [Token<'a>], &'a Token<'a>)> {
        let first = self.tokens.get(at).filter(|token| token.is_symbol(open))?;
        let rest = self.tokens.get(at + 1..)?;
        let length = rest.iter().position(|token| token.depth <= first.depth)?;
        Some((first, rest.get(..length)?, rest.get(length)?))
    }

    /// Whether the word at `at` can begin a clause, and is not the operand of the word or symbol before it.
    pub(super) fn follows_clause(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|before| self.tokens.get(before));
        before.is_some_and(|before| {
            let is_clause = CLAUSES.iter().any(|word| before.is_word(word));
            !is_clause
                && (before.name().is_some() || before.is_symbol(")") || before.is_symbol("]") || before.is_symbol("}"))
        })
    }

    /// Whether the word at `at` follows a dot.
    pub(super) fn is_member(&self, at: usize) -> bool {
        at.checked_sub(1).and_then(|before| self.tokens.get(before)).is_some_and(|before| before.is_symbol("."))
    }

    /// The same for braces.
    pub(super) fn braces(&self, at: usize) -> Option<(&'a Token<'a>, &'a [Token<'a>], &'a Token<'a>)> {
        self.brackets(at, "{")
    }

    pub(super) fn is_keyword(&self, at: usize, word: &str) -> bool {
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
