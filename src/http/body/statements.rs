//! The member `statements`: the statements of a batch, each with its parameters or a list of them.

use std::sync::Arc;

use super::{BodyError, EMPTY_MAP, malformed, members::Reader, members::wrong};
use crate::json::input::Token;
use crate::query::{BatchStatement, ParameterSets};
use crate::value_path::shortened;

/// The largest number of statements in one batch, so that many short ones take little memory. A statement with a list
/// of parameters counts once.
const MOST_STATEMENTS: usize = 100_000;

impl Reader<'_, '_> {
    pub(super) fn statements(&mut self) -> Result<Vec<BatchStatement>, BodyError> {
        match self.lexer.token()? {
            Token::Null => return Ok(Vec::new()),
            Token::ArrayStart => {}
            other => return Err(wrong("statements", &other, "an array of objects")),
        }
        let mut statements: Vec<BatchStatement> = Vec::new();
        loop {
            let at = |error| within(statements.len(), error);
            match self.lexer.token()? {
                Token::ArrayEnd => return Ok(statements),
                Token::ObjectStart if statements.len() == MOST_STATEMENTS => {
                    return Err(malformed(format!(
                        "statements must not hold more than {MOST_STATEMENTS} objects; send several requests, or one \
                         statement with a parametersList"
                    )));
                }
                Token::ObjectStart => {
                    let statement = self.one(statements.last()).map_err(at)?;
                    statements.push(statement);
                }
                other => return Err(wrong(&place(statements.len()), &other, "an object with a statement")),
            }
        }
    }

    /// Reads one statement. `before` is the previous one, which often has the same text.
    fn one(&mut self, before: Option<&BatchStatement>) -> Result<BatchStatement, BodyError> {
        let (mut text, mut parameters, mut list) = (None, None, None);
        while let Token::Key(key) = self.lexer.token()? {
            match key.as_ref() {
                "statement" => text = self.statement()?,
                "parameters" => {
                    let mut runs = ParameterSets::default();
                    let given = runs.add(|out| self.map_into("parameters", out))?;
                    parameters = given.then_some(runs);
                }
                "parametersList" => list = self.parameters_list()?,
                _ => {
                    let key = shortened(&key, 60);
                    return Err(malformed(format!(
                        "unknown field `{key}`; known fields: statement, parameters, parametersList"
                    )));
                }
            }
        }
        let text = text.ok_or_else(|| malformed("statement cannot be null or empty".to_owned()))?;
        let runs = match (parameters, list) {
            (Some(_), Some(_)) => {
                return Err(malformed("send either parameters or parametersList, not both".to_owned()));
            }
            (None, Some(list)) => list,
            (parameters, None) => parameters.unwrap_or_else(|| ParameterSets::one(&EMPTY_MAP)),
        };
        let text = match before {
            Some(before) if *before.text == *text => Arc::clone(&before.text),
            _ => text.into(),
        };
        Ok(BatchStatement { text, parameter_sets: runs, looks_up: false })
    }

    fn parameters_list(&mut self) -> Result<Option<ParameterSets>, BodyError> {
        const NAME: &str = "parametersList";
        match self.lexer.token()? {
            Token::Null => return Ok(None),
            Token::ArrayStart => {}
            other => return Err(wrong(NAME, &other, "an array of objects or null")),
        }
        let mut list = ParameterSets::default();
        loop {
            match self.lexer.token()? {
                Token::ArrayEnd => break,
                Token::ObjectStart => list.add(|out| self.open_map_into(NAME, out))?,
                other => return Err(wrong(&format!("{NAME}[{}]", list.len()), &other, "an object")),
            }
        }
        if list.is_empty() {
            return Err(malformed(format!("{NAME} must hold at least one object")));
        }
        Ok(Some(list))
    }
}

fn place(at: usize) -> String {
    format!("statements[{at}]")
}

/// Adds which statement the error is about.
fn within(at: usize, error: BodyError) -> BodyError {
    error.reworded(|message| format!("{}: {message}", place(at)))
}

#[cfg(test)]
mod tests {
    use super::super::*;

    fn statements(text: &str) -> Result<Vec<BatchStatement>, String> {
        let limits = BodyLimits { statement: 20, ..BodyLimits::SAMPLE };
        let body = format!(r#"{{"statements":{text}}}"#);
        match parse(body.into(), None, BodyKind::Batch, &limits) {
            Ok(body) => Ok(body.statements),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn statements_have_parameters_or_a_list_of_them() {
        let read = statements(
            r#"[{"statement":"A"},{"parameters":{"x":1},"statement":"B"},{"statement":"C","parametersList":[{},{"x":2}]}]"#,
        );
        let read = read.unwrap();
        let runs: Vec<_> = read
            .iter()
            .map(|one| (&*one.text, one.parameter_sets.iter().map(<[u8]>::to_vec).collect::<Vec<_>>()))
            .collect();
        let (empty, map) = (vec![0xA0], |x| vec![0xA1, 0x81, b'x', x]);
        assert_eq!(runs, [("A", vec![empty.clone()]), ("B", vec![map(1)]), ("C", vec![empty, map(2)])]);
        assert!(statements("null").unwrap().is_empty() && statements("[]").unwrap().is_empty());
    }

    #[test]
    fn wrong_values_are_named_with_their_place() {
        for (text, named) in [
            ("{}", "statements must be an array of objects, not an object"),
            ("[1]", "statements[0] must be an object with a statement, not the number 1"),
            (r#"[{"statement":"A"},{}]"#, "statements[1]: statement cannot be null or empty"),
            (r#"[{"statement":""}]"#, "statements[0]: statement cannot be null or empty"),
            (r#"[{"statement":"A","x":1}]"#, "statements[0]: unknown field `x`"),
            (r#"[{"statement":"A","parameters":{},"parametersList":[{}]}]"#, "either parameters or parametersList"),
            (
                r#"[{"statement":"A","parametersList":[]}]"#,
                "statements[0]: parametersList must hold at least one object",
            ),
            (
                r#"[{"statement":"A","parametersList":[1]}]"#,
                "statements[0]: parametersList[0] must be an object, not the number 1",
            ),
            (
                r#"[{"statement":"A","parameters":[]}]"#,
                "statements[0]: parameters must be an object or null, not an array",
            ),
            (r#"[{"statement":"a statement that is too long"}]"#, "limits.statement"),
        ] {
            let message = statements(text).unwrap_err();
            assert!(message.contains(named), "{message}");
        }
    }
}
