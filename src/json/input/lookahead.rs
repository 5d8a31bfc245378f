//! The `$type` of values that say it behind their `_value`.
//!
//! Promises that every byte is looked at ahead at most once: one pass over the outermost such object notes the type
//! of every one inside it.

use std::borrow::Cow;
use std::collections::HashMap;

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

/// The types found ahead, by where their objects begin.
#[derive(Debug, Default)]
pub(super) struct Lookahead<'a> {
    found: HashMap<usize, TypeName<'a>>,
}

/// A collection that has not ended during the pass.
enum Open<'a> {
    Array,
    Object {
        offset: usize,
        value_first: bool,
        name: Option<TypeName<'a>>,
    },
}

impl<'a> Lookahead<'a> {
    /// The type of the object that begins at `offset` and has its `_value` first; `lexer` is inside it.
    pub(super) fn type_at(
        &mut self,
        offset: usize,
        lexer: &Lexer<'a>,
    ) -> Result<TypeName<'a>, SyntaxError> {
        if !self.found.contains_key(&offset) {
            // Not inside what an earlier pass covered, so nothing of that pass will be asked for again.
            self.found.clear();
            self.pass(lexer.again_from(offset))?;
        }
        Ok(self.found.remove(&offset).unwrap_or_else(TypeName::absent))
    }

    fn pass(&mut self, mut lexer: Lexer<'a>) -> Result<(), SyntaxError> {
        let mut open: Vec<Open<'a>> = Vec::new();
        loop {
            match lexer.token()? {
                Token::ObjectStart => open.push(object(&lexer)),
                Token::ArrayStart => open.push(Open::Array),
                Token::Key(key) => {
                    if let Some(Open::Object {
                        value_first,
                        name: name @ None,
                        ..
                    }) = open.last_mut()
                    {
                        if key == "_value" {
                            *value_first = true;
                        } else if key == "$type" {
                            let token = lexer.token()?;
                            *name = Some(TypeName::of(token.clone()));
                            match token {
                                Token::ObjectStart => open.push(object(&lexer)),
                                Token::ArrayStart => open.push(Open::Array),
                                _ => {}
                            }
                        }
                    }
                }
                Token::ObjectEnd | Token::ArrayEnd => {
                    if let Some(Open::Object {
                        offset,
                        value_first: true,
                        name,
                    }) = open.pop()
                    {
                        self.found
                            .insert(offset, name.unwrap_or_else(TypeName::absent));
                    }
                    if open.is_empty() {
                        return Ok(());
                    }
                }
                _ => {}
            }
        }
    }
}

fn object<'a>(lexer: &Lexer<'a>) -> Open<'a> {
    Open::Object {
        offset: lexer.offset(),
        value_first: false,
        name: None,
    }
}
