//! A statement as clauses: what it reads, what it changes, what it returns.
//!
//! Owns what can be said about a variable by its words alone.

use crate::embedded::cypher::clauses::{CLAUSES, next_keyword};
use crate::embedded::cypher::lexer::{Kind, Token};

/// A clause: its first word, and the tokens after it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clause<'a, 't> {
    pub(super) word: Token<'a>,
    pub(super) body: &'t [Token<'a>],
}

/// What a variable stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    Node,
    Relationship,
}

/// The clauses of a statement that reads, then changes, then returns.
#[derive(Debug)]
pub(super) struct Clauses<'a, 't> {
    /// All tokens before the first change.
    pub(super) reading: &'t [Token<'a>],
    pub(super) updates: Vec<Clause<'a, 't>>,
    /// All tokens from `RETURN` on.
    pub(super) returning: &'t [Token<'a>],
}

/// The words of clauses that change something.
const UPDATES: [&str; 6] = ["CREATE", "MERGE", "ON", "SET", "DETACH", "DELETE"];
/// The words of clauses that do not.
const READS: [&str; 6] = ["MATCH", "OPTIONAL", "WITH", "UNWIND", "WHERE", "RETURN"];

impl<'a, 't> Clauses<'a, 't> {
    /// Returns `None` if the statement has another form.
    pub(super) fn new(tokens: &'t [Token<'a>]) -> Option<Clauses<'a, 't>> {
        let tokens = match tokens {
            [rest @ .., end] if end.is_symbol(";") => rest,
            all => all,
        };
        let is_one_of = |word: Token<'_>, words: &[&str]| words.iter().any(|known| word.is_word(known));
        let mut clauses = Clauses { reading: &[], updates: Vec::new(), returning: &[] };
        let mut at = next_keyword(tokens, 0, &CLAUSES);
        if at != 0 {
            return None;
        }
        while let Some(&word) = tokens.get(at) {
            let end = next_keyword(tokens, at + 1, &CLAUSES);
            if word.is_word("RETURN") {
                clauses.returning = tokens.get(at..)?;
                if end != tokens.len() {
                    return None;
                }
            } else if is_one_of(word, &UPDATES) {
                if clauses.updates.is_empty() {
                    clauses.reading = tokens.get(..at)?;
                }
                clauses.updates.push(Clause { word, body: tokens.get(at + 1..end)? });
            } else if !is_one_of(word, &READS) || !clauses.updates.is_empty() {
                return None;
            }
            at = end;
        }
        (!clauses.updates.is_empty()).then_some(clauses)
    }

    /// Whether what is read has this word anywhere.
    pub(super) fn reads_word(&self, words: &[&str]) -> bool {
        self.reading.iter().any(|token| words.iter().any(|word| token.is_word(word)))
    }

    /// Whether what is read mentions this name anywhere.
    pub(super) fn mentions(&self, name: &str) -> bool {
        self.reading.iter().any(|token| token.name() == Some(name))
    }

    /// What the variable stands for, if a pattern of what is read binds it and nothing else can.
    pub(super) fn element(&self, name: &str) -> Option<Element> {
        let mut found = None;
        for (at, token) in self.reading.iter().enumerate() {
            if token.name() != Some(name) {
                continue;
            }
            let before = at.checked_sub(1).and_then(|at| self.reading.get(at));
            let opener = at.checked_sub(2).and_then(|at| self.reading.get(at));
            let next = self.reading.get(at + 1);
            let ends = next.is_some_and(|next| [")", "]", ":", "{"].iter().any(|symbol| next.is_symbol(symbol)));
            let calls = opener.is_some_and(|opener| {
                matches!(opener.kind, Kind::Word | Kind::Quoted) && !opener.is_word("MATCH") || opener.is_symbol(".")
            });
            let element = match before {
                // Another meaning of the name.
                Some(before) if before.is_word("AS") => return None,
                _ if next.is_some_and(|next| next.is_symbol("=") || next.is_word("IN") || next.is_symbol("*")) => {
                    return None;
                }
                Some(before) if before.is_symbol("(") && ends && !calls => Element::Node,
                Some(before) if before.is_symbol("[") && ends => Element::Relationship,
                _ => continue,
            };
            if found.is_some_and(|found| found != element) {
                return None;
            }
            found = Some(element);
        }
        found
    }
}
