//! The body: `{"statements":[{"statement","parameters","resultDataContents","includeStats"},…]}`.
//!
//! Promises that parameters go from text to PackStream in one pass. As on Neo4j, what follows the list is ignored, and
//! statements before a wrong one are carried out and then undone.

use crate::{
    http::{
        body::BodyLimits,
        encode::{Form, ResultShape},
    },
    json::input::{InputError, Lexer, SyntaxError, Token, plain},
    query::{BatchStatement, Error, ParameterSets},
    telemetry::observer::RefusalReason,
};

use super::errors::{invalid, no_statement, not_json, not_mapped, unknown_form, unsupported_number};

/// The most statements in a request, so that many short ones take little memory.
const MOST_STATEMENTS: usize = 100_000;

/// What a body asks for.
#[derive(Debug, Default)]
pub(super) struct Statements {
    pub(super) statements: Vec<BatchStatement>,
    /// What the results are to have; one for each statement.
    pub(super) results: Vec<ResultShape>,
    /// What is wrong with the statement after the last one.
    pub(super) refused: Option<Error>,
}

/// Reads a body. A blank one has no statements.
///
/// # Errors
/// When it is not JSON, or something else is where the list of statements is expected.
pub(super) fn parse(bytes: &[u8], limits: &BodyLimits) -> Result<Statements, Error> {
    let text = str::from_utf8(bytes).map_err(|_| not_json())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut read = Statements::default();
    if text.trim_ascii().is_empty() {
        return Ok(read);
    }
    let mut reader = Reader { lexer: limits.lexer(text), limits };
    reader.open()?;
    loop {
        match reader.statement() {
            Ok(None) => return Ok(read),
            Ok(Some(_)) if read.statements.len() == MOST_STATEMENTS => {
                return Err(invalid(format!("statements must not hold more than {MOST_STATEMENTS} objects")));
            }
            Ok(Some((statement, result))) => {
                read.statements.push(statement);
                read.results.push(result);
            }
            Err(Wrong::Body(error)) => return Err(error),
            Err(Wrong::Statement(error)) => {
                read.refused = Some(error);
                return Ok(read);
            }
        }
    }
}

/// What an error is about.
enum Wrong {
    /// The body as a whole: nothing of it is carried out.
    Body(Error),
    /// One statement: those before it are carried out, and undone.
    Statement(Error),
}

impl From<SyntaxError> for Wrong {
    fn from(error: SyntaxError) -> Self {
        Self::Body(syntax(&error))
    }
}

fn syntax(error: &SyntaxError) -> Error {
    if error.is_too_deep { invalid(error.to_string()).by_limit(RefusalReason::Depth) } else { not_json() }
}

struct Reader<'t, 'l> {
    lexer: Lexer<'t>,
    limits: &'l BodyLimits,
}

impl Reader<'_, '_> {
    /// Reads up to the first statement.
    fn open(&mut self) -> Result<(), Error> {
        let first = self.token()?;
        let mut found = [Some(kind(&first)), None, None];
        if first == Token::ObjectStart {
            let second = self.token()?;
            found[1] = Some(kind(&second));
            match second {
                Token::Key(key) if key == "statements" => {
                    let third = self.token()?;
                    if third == Token::ArrayStart {
                        return Ok(());
                    }
                    found[2] = Some(kind(&third));
                }
                Token::Key(key) => return Err(unexpected_member(&key)),
                _ => {}
            }
        } else if first == Token::ArrayStart {
            let second = self.token()?;
            found[1] = Some(kind(&second));
            if second == Token::ObjectStart {
                if let Token::Key(key) = self.token()? {
                    return Err(unexpected_member(&key));
                }
            } else if second != Token::ArrayEnd {
                found[2] = Some(kind(&self.token()?));
            }
        }
        let found = found.map(|kind| kind.unwrap_or("null")).join(", ");
        Err(invalid(format!(
            "Unable to deserialize request. Expected [START_OBJECT, FIELD_NAME, START_ARRAY], found [{found}]."
        )))
    }

    fn token(&mut self) -> Result<Token<'_>, Error> {
        self.lexer.token().map_err(|error| syntax(&error))
    }

    /// Reads the next statement; `None` at the end of the list.
    fn statement(&mut self) -> Result<Option<(BatchStatement, ResultShape)>, Wrong> {
        match self.lexer.token()? {
            Token::ArrayEnd => return Ok(None),
            Token::ObjectStart => {}
            _ => return Err(Wrong::Statement(no_statement())),
        }
        let (mut text, mut parameters) = (None, ParameterSets::one(&[0xA0]));
        let mut result = ResultShape { forms: vec![Form::Row], stats: false };
        let mut unknown = None;
        while let Token::Key(key) = self.lexer.token()? {
            match &*key {
                "statement" => text = self.text()?,
                "parameters" => parameters = self.parameters()?,
                "resultDataContents" => (result.forms, unknown) = self.forms()?,
                "includeStats" => match self.lexer.token()? {
                    Token::Boolean(wanted) => result.stats = wanted,
                    _ => return Err(Wrong::Statement(not_json())),
                },
                _ => self.skip()?,
            }
        }
        if let Some(name) = unknown {
            return Err(Wrong::Statement(unknown_form(&name)));
        }
        let text = text.ok_or_else(|| Wrong::Statement(no_statement()))?;
        let limit = self.limits.statement;
        if text.len() > limit {
            let message = format!(
                "the statement is {} bytes long, but limits.statement allows {limit}; send large data as parameters",
                text.len()
            );
            return Err(Wrong::Body(invalid(message).by_limit(RefusalReason::Statement)));
        }
        let looks_up = result.forms.contains(&Form::Graph);
        Ok(Some((BatchStatement { text: text.into(), parameter_sets: parameters, looks_up }, result)))
    }

    /// Reads a string. A number or boolean is taken as the text that it is written in.
    fn text(&mut self) -> Result<Option<String>, Wrong> {
        Ok(match self.lexer.token()? {
            Token::Null => None,
            Token::String(text) => Some(text.into_owned()),
            Token::Number(text) => Some(text.to_owned()),
            Token::Boolean(value) => Some(value.to_string()),
            _ => return Err(Wrong::Statement(not_mapped())),
        })
    }

    fn parameters(&mut self) -> Result<ParameterSets, Wrong> {
        match self.lexer.token()? {
            Token::Null => return Ok(ParameterSets::one(&[0xA0])),
            Token::ObjectStart => {}
            _ => return Err(Wrong::Statement(not_mapped())),
        }
        let mut sets = ParameterSets::default();
        let read = sets.add(|out| plain::read_map(&mut self.lexer, "parameters", out));
        read.map_err(|error| match error {
            InputError::Syntax(error) => Wrong::from(error),
            // The only value that plain JSON can spell and PackStream cannot.
            InputError::Value { reason, .. } => Wrong::Statement(unsupported_number(&reason)),
            other => Wrong::Statement(invalid(other.to_string())),
        })?;
        Ok(sets)
    }

    /// Reads a list of forms, each of them once, and the first name that is not a form.
    fn forms(&mut self) -> Result<(Vec<Form>, Option<String>), Wrong> {
        let (mut forms, mut unknown) = (Vec::new(), None);
        match self.lexer.token()? {
            Token::Null => return Ok((vec![Form::Row], None)),
            Token::ArrayStart => {}
            _ => return Err(Wrong::Statement(not_mapped())),
        }
        loop {
            let name = match self.lexer.token()? {
                Token::ArrayEnd => break,
                Token::String(name) => name.into_owned(),
                Token::Number(name) => name.to_owned(),
                Token::Boolean(value) => value.to_string(),
                Token::Null => "null".to_owned(),
                _ => return Err(Wrong::Statement(not_mapped())),
            };
            match form(&name) {
                Some(form) if forms.contains(&form) => {}
                Some(form) => forms.push(form),
                None => unknown = unknown.or(Some(name.chars().take(60).collect())),
            }
        }
        if forms.is_empty() {
            forms.push(Form::Row);
        }
        Ok((forms, unknown))
    }

    /// Skips the value of an unknown member.
    fn skip(&mut self) -> Result<(), Wrong> {
        let mut depth = 0_usize;
        loop {
            match self.lexer.token()? {
                Token::ObjectStart | Token::ArrayStart => depth += 1,
                Token::ObjectEnd | Token::ArrayEnd => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }
}

fn form(name: &str) -> Option<Form> {
    match name.to_ascii_lowercase().as_str() {
        "row" => Some(Form::Row),
        "graph" => Some(Form::Graph),
        "rest" => Some(Form::Rest),
        _ => None,
    }
}

fn unexpected_member(name: &str) -> Error {
    let name: String = name.chars().take(60).collect();
    invalid(format!("Unable to deserialize request. Expected first field to be 'statements', but was '{name}'."))
}

/// The kind of a token, in the words of Neo4j's parser.
fn kind(token: &Token<'_>) -> &'static str {
    match token {
        Token::ObjectStart => "START_OBJECT",
        Token::ObjectEnd => "END_OBJECT",
        Token::ArrayStart => "START_ARRAY",
        Token::ArrayEnd => "END_ARRAY",
        Token::Key(_) => "FIELD_NAME",
        Token::String(_) => "VALUE_STRING",
        Token::Number(text) if text.contains(['.', 'e', 'E']) => "VALUE_NUMBER_FLOAT",
        Token::Number(_) => "VALUE_NUMBER_INT",
        Token::Boolean(true) => "VALUE_TRUE",
        Token::Boolean(false) => "VALUE_FALSE",
        Token::Null => "VALUE_NULL",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: BodyLimits = BodyLimits { statement: 60, depth: 20, packed: 1 << 20 };

    /// The texts of the statements, and the error.
    fn read(body: &str) -> (Vec<String>, Option<String>) {
        match parse(body.as_bytes(), &LIMITS) {
            Ok(Statements { statements, refused, .. }) => {
                let texts = statements.iter().map(|one| one.text.to_string()).collect();
                (texts, refused.map(|error| error.message))
            }
            Err(error) => (Vec::new(), Some(error.message)),
        }
    }

    #[test]
    fn a_blank_body_has_no_statements() {
        for body in ["", " \n", "\u{feff}", r#"{"statements":[]}"#, r#"{"statements":[],}"#] {
            assert_eq!(read(body), (vec![], None), "{body:?}");
        }
    }

    #[test]
    fn what_follows_the_statements_is_not_looked_at() {
        for rest in ["}", ",\"x\":1} more", "", ", [", "}}"] {
            let body = format!(r#"{{"statements":[{{"statement":"A","x":{{"y":[1]}}}}]{rest}"#);
            assert_eq!(read(&body), (vec!["A".to_owned()], None), "{rest}");
        }
    }

    #[test]
    fn statements_before_a_wrong_one_count() {
        for (second, message) in [
            ("null", "No statement provided."),
            ("1", "No statement provided."),
            (r#"{"statement":null}"#, "No statement provided."),
            (r#"{"statement":[]}"#, "Could not map the incoming JSON"),
            (r#"{"statement":"B","parameters":[]}"#, "Could not map the incoming JSON"),
            (r#"{"statement":"B","resultDataContents":"row"}"#, "Could not map the incoming JSON"),
            (r#"{"statement":"B","includeStats":null}"#, "Could not parse the incoming JSON"),
            (
                r#"{"statement":"B","parameters":{"p":9223372036854775808}}"#,
                "Unsupported type of Number 9223372036854775808",
            ),
            (r#"{"statement":"B","resultDataContents":["ROW","pie"]}"#, "Invalid result data content specifier: pie"),
        ] {
            let body = format!(r#"{{"statements":[{{"statement":"A"}},{second}]}}"#);
            assert_eq!(read(&body), (vec!["A".to_owned()], Some(message.to_owned())), "{second}");
        }
    }

    #[test]
    fn wrong_bodies_are_refused_in_neo4j_s_words() {
        let found = |kinds: &str| {
            format!("Unable to deserialize request. Expected [START_OBJECT, FIELD_NAME, START_ARRAY], found [{kinds}].")
        };
        let first = |name: &str| {
            format!("Unable to deserialize request. Expected first field to be 'statements', but was '{name}'.")
        };
        for (body, message) in [
            ("x", "Could not parse the incoming JSON".to_owned()),
            (r#"{"statements":[{"statement":"A"}"#, "Could not parse the incoming JSON".to_owned()),
            ("{}", found("START_OBJECT, END_OBJECT, null")),
            ("[]", found("START_ARRAY, END_ARRAY, null")),
            ("[1]", found("START_ARRAY, VALUE_NUMBER_INT, END_ARRAY")),
            ("null", found("VALUE_NULL, null, null")),
            ("1.5", found("VALUE_NUMBER_FLOAT, null, null")),
            (r#"{"statements":{}}"#, found("START_OBJECT, FIELD_NAME, START_OBJECT")),
            (r#"{"x":1,"statements":[]}"#, first("x")),
            (r#"[{"statement":"A"}]"#, first("statement")),
        ] {
            assert_eq!(read(body), (vec![], Some(message)), "{body}");
        }
    }

    #[test]
    fn limits_are_named() {
        let long = format!(r#"{{"statements":[{{"statement":"{}"}}]}}"#, "x".repeat(61));
        let error = parse(long.as_bytes(), &LIMITS).unwrap_err();
        assert!(error.message.contains("limits.statement") && error.limit == Some(RefusalReason::Statement), "{error}");
        let deep = format!(r#"{{"statements":[{{"x":{}"#, "[".repeat(30));
        let error = parse(deep.as_bytes(), &LIMITS).unwrap_err();
        assert!(error.message.contains("limits.depth") && error.limit == Some(RefusalReason::Depth), "{error}");
    }

    #[test]
    fn results_are_shaped_as_asked() {
        let body = r#"{"statements":[{"statement":"A","resultDataContents":["REST","row","rest"],"includeStats":true},
            {"statement":"B","resultDataContents":[]}]}"#;
        let read = parse(body.as_bytes(), &LIMITS).unwrap();
        assert_eq!(read.results[0], ResultShape { forms: vec![Form::Rest, Form::Row], stats: true });
        assert_eq!(read.results[1], ResultShape { forms: vec![Form::Row], stats: false });
    }
}
