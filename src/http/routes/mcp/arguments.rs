//! The arguments of tools: read from text once, with the bounds that the tools' schemas state.
//!
//! Promises that parameters go from text to PackStream in one pass, so that integers stay exact.

use std::borrow::Cow;

use crate::{
    http::BodyLimits,
    json::input::{InputError, Lexer, Limits, SyntaxError, Token, plain},
    query::Error,
};

/// Why arguments are refused.
#[derive(Debug, PartialEq)]
pub(super) enum Refused {
    /// They break the schema of the tool.
    Schema(String),
    /// They keep to it, but a value cannot be sent to the database or exceeds a limit.
    Value(Error),
}

/// The arguments of `read_cypher` and `write_cypher`.
#[derive(Debug, PartialEq)]
pub(super) struct Cypher {
    pub(super) query: String,
    /// A PackStream map.
    pub(super) parameters: Vec<u8>,
    /// The database. Empty: the caller's default.
    pub(super) database: String,
    /// The most rows of the result.
    pub(super) limit: u32,
}

/// The arguments of `get_schema`.
#[derive(Debug, PartialEq)]
pub(super) struct Schema {
    /// The database. Empty: the caller's default.
    pub(super) database: String,
    /// The number of nodes, and of relationships, that are examined.
    pub(super) sample: u32,
}

/// An empty PackStream map.
pub(super) const EMPTY_MAP: [u8; 1] = [0xA0];
/// The most nodes that are examined for a schema.
pub(super) const LARGEST_SAMPLE: u32 = 10_000;
/// How many they are, unless the call says.
pub(super) const SAMPLE: u32 = 1000;
/// The most rows of a result, unless the call says.
pub(super) const ROWS: u32 = 100;

impl Cypher {
    /// Reads the text of a JSON object. A result has at most `most` rows.
    pub(super) fn read(text: &str, limits: &BodyLimits, most: u32) -> Result<Self, Refused> {
        let mut arguments = Self {
            query: String::new(),
            parameters: EMPTY_MAP.to_vec(),
            database: String::new(),
            limit: ROWS.min(most),
        };
        members(text, limits, |name, lexer| {
            match name {
                "query" => arguments.query = string(name, lexer)?,
                "parameters" => {
                    object(name, &lexer.token()?)?;
                    arguments.parameters.clear();
                    plain::read_map(lexer, "parameters", &mut arguments.parameters)?;
                }
                "database" => arguments.database = string(name, lexer)?,
                "limit" => arguments.limit = whole(name, lexer, most)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        if arguments.query.is_empty() {
            return Err(Refused::Schema("`query` is missing; it has to be a Cypher statement.".to_owned()));
        }
        let (length, limit) = (arguments.query.len(), limits.statement);
        if length > limit {
            return Err(Refused::Value(Error::bad_request(&format!(
                "`query` is {length} bytes long; at most {limit} are allowed (limits.statement)"
            ))));
        }
        Ok(arguments)
    }
}

impl Schema {
    /// Reads the text of a JSON object.
    pub(super) fn read(text: &str, limits: &BodyLimits) -> Result<Self, Refused> {
        let mut arguments = Self { database: String::new(), sample: SAMPLE };
        members(text, limits, |name, lexer| {
            match name {
                "database" => arguments.database = string(name, lexer)?,
                "sample" => arguments.sample = whole(name, lexer, LARGEST_SAMPLE)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(arguments)
    }
}

/// Passes the name of each member to `read`, which reads its value, or returns `false` for a name that it does not know.
fn members(
    text: &str,
    limits: &BodyLimits,
    mut read: impl FnMut(&str, &mut Lexer<'_>) -> Result<bool, Refused>,
) -> Result<(), Refused> {
    let limits = Limits { depth: limits.depth, packed: limits.packed, ..Limits::default() };
    let mut lexer = Lexer::new(text, limits);
    object("arguments", &lexer.token()?)?;
    while let Token::Key(name) = lexer.token()? {
        if !read(&name, &mut lexer)? {
            let name: String = name.chars().take(40).collect();
            return Err(Refused::Schema(format!("`{name}` is not an argument of this tool.")));
        }
    }
    Ok(())
}

fn object(name: &str, token: &Token<'_>) -> Result<(), Refused> {
    if *token == Token::ObjectStart { Ok(()) } else { Err(wrong(name, "an object")) }
}

fn string(name: &str, lexer: &mut Lexer<'_>) -> Result<String, Refused> {
    match lexer.token()? {
        Token::String(text) if !text.is_empty() => Ok(Cow::into_owned(text)),
        _ => Err(wrong(name, "a string that is not empty")),
    }
}

/// Reads a whole number from 1 to `most`.
fn whole(name: &str, lexer: &mut Lexer<'_>, most: u32) -> Result<u32, Refused> {
    let number = match lexer.token()? {
        Token::Number(text) => text.parse::<u32>().ok().filter(|number| (1..=most).contains(number)),
        _ => None,
    };
    number.ok_or_else(|| wrong(name, &format!("a whole number from 1 to {most}")))
}

fn wrong(name: &str, expected: &str) -> Refused {
    Refused::Schema(format!("`{name}` has to be {expected}."))
}

impl From<SyntaxError> for Refused {
    fn from(error: SyntaxError) -> Self {
        Self::Value(Error::bad_request(&error.to_string()))
    }
}

impl From<InputError> for Refused {
    fn from(error: InputError) -> Self {
        Self::Value(Error::bad_request(&error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: BodyLimits = BodyLimits { statement: 20, depth: 10, packed: 1000 };

    fn cypher(text: &str) -> Result<Cypher, Refused> {
        Cypher::read(text, &LIMITS, 50)
    }

    #[test]
    fn arguments_have_defaults() {
        let expected = Cypher { query: "RETURN 1".into(), parameters: vec![0xA0], database: String::new(), limit: 50 };
        assert_eq!(cypher(r#"{"query":"RETURN 1"}"#), Ok(expected));
        let all = r#"{"limit":7,"database":"d","parameters":{"a":9007199254740993},"query":"RETURN $a"}"#;
        let parameters = [&[0xA1, 0x81, b'a', 0xCB][..], &9_007_199_254_740_993_i64.to_be_bytes()].concat();
        let expected = Cypher { query: "RETURN $a".into(), parameters, database: "d".into(), limit: 7 };
        assert_eq!(cypher(all), Ok(expected));
        assert_eq!(Schema::read("{}", &LIMITS), Ok(Schema { database: String::new(), sample: 1000 }));
    }

    #[test]
    fn what_breaks_the_schema_is_told_from_what_cannot_be_sent() {
        for text in [
            "{}",
            r#"{"query":""}"#,
            r#"{"query":1}"#,
            r#"{"query":null}"#,
            r#"{"query":"RETURN 1","parameters":[]}"#,
            r#"{"query":"RETURN 1","parameters":null}"#,
            r#"{"query":"RETURN 1","limit":0}"#,
            r#"{"query":"RETURN 1","limit":51}"#,
            r#"{"query":"RETURN 1","limit":1.0}"#,
            r#"{"query":"RETURN 1","limit":"1"}"#,
            r#"{"query":"RETURN 1","database":""}"#,
            r#"{"query":"RETURN 1","params":{}}"#,
        ] {
            assert!(matches!(cypher(text), Err(Refused::Schema(_))), "{text}");
        }
        for text in [
            r#"{"query":"RETURN 12345678901234567"}"#,
            r#"{"query":"RETURN 1","parameters":{"a":9223372036854775808}}"#,
            r#"{"query":"RETURN 1","parameters":{"a":[[[[[[[[[[[1]]]]]]]]]]]}}"#,
        ] {
            assert!(matches!(cypher(text), Err(Refused::Value(_))), "{text}");
        }
        for text in [r#"{"sample":10001}"#, r#"{"sample":0}"#, r#"{"samples":1}"#, r#"{"database":1}"#] {
            assert!(matches!(Schema::read(text, &LIMITS), Err(Refused::Schema(_))), "{text}");
        }
    }
}
