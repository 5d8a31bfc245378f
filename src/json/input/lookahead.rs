//! The `$type` of values that say it behind their `_value`.
//!
//! Promises that every byte is looked at ahead at most once: one pass over the outermost such object notes the type
//! of every one inside it.

use std::borrow::Cow;

use super::lexer::{Lexer, SyntaxError, Token};

/// What stands as `$type`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TypeName<'a> {
    /// A string; other scalars as they are written. Absent and `null` read "null".
    Text(Cow<'a, str>),
    /// An object or array.
    Collection,
}

impl<'a> TypeName<'a> {
    /// The type that `token` names.
    pub(super) fn of(token: Token<'a>) -> Self {
        match token {
            Token::String(name) => Self::Text(name),
            Token::Number(text) => Self::Text(text.into()),
            Token::Boolean(value) => Self::Text(value.to_string().into()),
            Token::Null => Self::absent(),
            _ => Self::Collection,
        }
    }

    pub(super) fn absent() -> Self {
        Self::Text("null".into())
    }
}

/// What one pass found. The reader asks for it in the order of the text.
#[derive(Debug, Default)]
pub(super) struct Lookahead<'a> {
    /// Every object of the pass, by where it begins.
    found: Vec<Found<'a>>,
    /// The first one that may still be asked for.
    next: usize,
}

/// Where an object begins, and its first `$type`.
#[derive(Debug)]
struct Found<'a> {
    offset: usize,
    name: Option<TypeName<'a>>,
}

impl<'a> Lookahead<'a> {
    /// The type of the object that begins at `offset` and has its `_value` first; `lexer` is inside it.
    pub(super) fn type_at(&mut self, offset: usize, lexer: &Lexer<'a>) -> Result<TypeName<'a>, SyntaxError> {
        while self.found.get(self.next).is_some_and(|found| found.offset < offset) {
            self.next += 1;
        }
        if self.found.get(self.next).is_none_or(|found| found.offset != offset) {
            // Not inside what an earlier pass covered, so nothing of that pass will be asked for again.
            self.found.clear();
            self.next = 0;
            self.pass(lexer.again_from(offset))?;
        }
        let name = self.found.get_mut(self.next).and_then(|found| found.name.take());
        Ok(name.unwrap_or_else(TypeName::absent))
    }

    fn pass(&mut self, mut lexer: Lexer<'a>) -> Result<(), SyntaxError> {
        // The collections that have not ended: an object by its place in `found`, an array by none.
        let mut open: Vec<Option<usize>> = Vec::new();
        loop {
            let mut token = lexer.token()?;
            if let Token::Key(key) = &token {
                let object = open.last().copied().flatten();
                let found = object.and_then(|object| self.found.get_mut(object));
                if key == "$type"
                    && let Some(Found { name: name @ None, .. }) = found
                {
                    token = lexer.token()?;
                    *name = Some(TypeName::of(token.clone()));
                }
            }
            match token {
                Token::ObjectStart => {
                    let offset = lexer.offset();
                    open.push(Some(self.found.len()));
                    self.found.push(Found { offset, name: None });
                }
                Token::ArrayStart => open.push(None),
                Token::ObjectEnd | Token::ArrayEnd => {
                    open.pop();
                    if open.is_empty() {
                        return Ok(());
                    }
                }
                _ => {}
            }
        }
    }
}
