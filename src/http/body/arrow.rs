//! The member `arrow`: what a request says of the schema of an Arrow stream.

use super::{BodyError, malformed, members::Reader, members::wrong};
use crate::arrow::{Column, Declared, MOST_SAMPLED, TYPE_NAMES};
use crate::json::input::Token;
use crate::value_path::shortened;

impl Reader<'_, '_> {
    /// Reads the member.
    pub(super) fn declared(&mut self) -> Result<Declared, BodyError> {
        let mut declared = Declared::default();
        match self.lexer.token()? {
            Token::Null => return Ok(declared),
            Token::ObjectStart => {}
            other => return Err(wrong("arrow", &other, "an object or null")),
        }
        while let Token::Key(key) = self.lexer.token()? {
            match key.as_ref() {
                "columns" => self.declared_columns(&mut declared)?,
                "sample" => declared.sample = self.sample()?,
                _ => {
                    let key = shortened(&key, 60);
                    return Err(malformed(format!("arrow: unknown field `{key}`; known fields: columns, sample")));
                }
            }
        }
        Ok(declared)
    }

    fn declared_columns(&mut self, declared: &mut Declared) -> Result<(), BodyError> {
        declared.columns.clear();
        match self.lexer.token()? {
            Token::Null => return Ok(()),
            Token::ObjectStart => {}
            other => return Err(wrong("arrow.columns", &other, "an object or null")),
        }
        while let Token::Key(name) = self.lexer.token()? {
            let name = name.into_owned();
            let token = self.lexer.token()?;
            let column = if let Token::String(text) = &token { Column::declared(text) } else { None };
            let column = column.ok_or_else(|| {
                let place = format!("arrow.columns.{}", shortened(&name, 60));
                wrong(&place, &token, &format!("one of {TYPE_NAMES}"))
            })?;
            declared.columns.insert(name, column);
        }
        Ok(())
    }

    fn sample(&mut self) -> Result<usize, BodyError> {
        let token = self.lexer.token()?;
        let rows = match &token {
            Token::Null => return Ok(Declared::default().sample),
            Token::Number(text) => text.parse().ok().filter(|rows| (1..=MOST_SAMPLED).contains(rows)),
            _ => None,
        };
        rows.ok_or_else(|| wrong("arrow.sample", &token, &format!("a whole number from 1 to {MOST_SAMPLED}")))
    }
}
