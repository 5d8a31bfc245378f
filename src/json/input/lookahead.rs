//! Finds the `$type` of values whose `_value` comes first.
//!
//! Promises to look ahead over every byte at most once: one pass over the outermost such object records the types of
//! all objects inside it.

use std::borrow::Cow;

use super::growth;
use super::lexer::{Lexer, SyntaxError, Token};

/// What a `$type` holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TypeName<'a> {
    /// A string, or another scalar as it is written. "null" if absent or `null`.
    Text(Cow<'a, str>),
    /// An object or array.
    Collection,
}

impl<'a> TypeName<'a> {
    /// Reads the type's name from `token`.
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

/// The results of one pass, which the reader asks for in the order of the text.
#[derive(Debug, Default)]
pub(super) struct Lookahead {
    /// Every object of the pass whose value comes first, in the order of the text.
    found: Vec<Found>,
    /// The index of the first entry that may still be asked for.
    next: usize,
}

/// Where an object begins, and where the value of its first `$type` does. 32 bits are enough for any text within the
/// limits.
#[derive(Debug, Clone, Copy)]
struct Found {
    object: u32,
    name: u32,
}

const ABSENT: u32 = u32::MAX;
/// The length of the shortest object whose value comes first, in bytes: `{"_value":0},`.
const PER_OBJECT: usize = 13;

/// A collection whose end has not been read.
#[derive(Debug, Clone, Copy)]
struct Open {
    object: u32,
    /// Its index in `found`, once its value has been seen.
    index: Option<usize>,
    type_seen: bool,
}

impl Lookahead {
    /// Returns the type of the object at `offset`, whose `_value` comes first and which `lexer` is inside of.
    pub(super) fn type_at<'a>(&mut self, offset: usize, lexer: &Lexer<'a>) -> Result<TypeName<'a>, SyntaxError> {
        let object = position(offset);
        while self.found.get(self.next).is_some_and(|found| found.object < object) {
            self.next += 1;
        }
        if self.found.get(self.next).is_none_or(|found| found.object != object) {
            // An object outside the last pass: nothing of that pass will be asked for again.
            self.found.clear();
            self.next = 0;
            self.pass(lexer.fork_at(offset))?;
        }
        match self.found.get(self.next) {
            Some(Found { name, .. }) if *name != ABSENT => Ok(TypeName::of(lexer.fork_at(*name as usize).token()?)),
            _ => Ok(TypeName::absent()),
        }
    }

    fn pass(&mut self, mut lexer: Lexer<'_>) -> Result<(), SyntaxError> {
        let mut open: Vec<Open> = Vec::new();
        let text = lexer.rest().len();
        loop {
            let mut token = lexer.token()?;
            if let (Token::Key(key), Some(inside)) = (&token, open.last_mut()) {
                if key == "$type" && !inside.type_seen {
                    inside.type_seen = true;
                    token = lexer.token()?;
                    if let Some(found) = inside.index.and_then(|index| self.found.get_mut(index)) {
                        found.name = position(lexer.offset());
                    }
                } else if key == "_value" && !inside.type_seen && inside.index.is_none() {
                    inside.index = Some(self.found.len());
                    let found = Found { object: inside.object, name: ABSENT };
                    growth::push(&mut self.found, found, || text / PER_OBJECT);
                }
            }
            match token {
                Token::ObjectStart | Token::ArrayStart => {
                    open.push(Open { object: position(lexer.offset()), index: None, type_seen: false });
                }
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

fn position(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(ABSENT)
}
