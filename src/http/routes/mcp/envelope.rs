//! The envelope of a JSON-RPC message: what is known of it without understanding it.
//!
//! Promises that the arguments of a tool, which may be long, are neither copied nor turned into a tree: they are cut out of
//! the message, and read later as what they are meant to be.

use std::ops::Range;

use bytes::Bytes;

use crate::json::input::{Lexer, Limits, SyntaxError, Token};

/// The longest message without the arguments of its tool, in bytes.
const LONGEST: usize = 64 * 1024;
/// The method that calls a tool.
const CALL: &str = "tools/call";

/// A message whose form is right.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Envelope {
    /// The message without the arguments of its tool.
    pub(super) message: Bytes,
    /// The arguments of the tool that it calls: the text of a JSON object.
    pub(super) arguments: Bytes,
    /// Whether it calls a tool.
    pub(super) calls: bool,
}

/// Why a message is refused, in the terms of JSON-RPC.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    /// The text is not JSON.
    Syntax(String),
    /// It is not a message.
    Request(&'static str),
    /// A message that calls a tool does not say which, or with what. Holds the message's id, as it is written.
    Params { id: String, reason: &'static str },
}

/// What was found in a message.
#[derive(Default)]
struct Found {
    /// The id as it is written.
    id: Option<String>,
    method: Option<String>,
    names_tool: bool,
    /// Where the arguments of the tool are, if they are an object.
    arguments: Option<Range<usize>>,
    /// Whether there are arguments that are not an object.
    has_other_arguments: bool,
}

impl Envelope {
    /// Looks at a message. It is at most `depth` levels deep.
    ///
    /// # Errors
    /// Why it is not a message.
    pub(super) fn of(body: &Bytes, depth: usize) -> Result<Self, Malformed> {
        let text = str::from_utf8(body).map_err(|_| Malformed::Syntax("the body is not UTF-8".to_owned()))?;
        let found = find(text, depth)?;
        let calls = found.method.as_deref() == Some(CALL);
        let reason = match &found {
            _ if !calls => None,
            Found { names_tool: false, .. } => Some("params.name has to be the name of a tool"),
            Found { has_other_arguments: true, .. } => Some("params.arguments has to be an object"),
            _ => None,
        };
        if let Some(reason) = reason {
            return Err(Malformed::Params { id: found.id.unwrap_or_else(|| "null".to_owned()), reason });
        }
        let (message, arguments) = match found.arguments {
            Some(range) if calls => {
                let (before, after) = (body.slice(..range.start), body.slice(range.end..));
                ([&before, &b"{}"[..], &after].concat().into(), body.slice(range))
            }
            _ => (body.clone(), Bytes::from_static(b"{}")),
        };
        if message.len() > LONGEST {
            return Err(Malformed::Request("the message is longer than 64 KiB without the arguments of its tool"));
        }
        Ok(Self { message, arguments, calls })
    }
}

/// Reads a message to its end, and notes what matters.
fn find(text: &str, depth: usize) -> Result<Found, Malformed> {
    let mut lexer = Lexer::new(text, Limits { depth, ..Limits::default() });
    if lexer.token()? != Token::ObjectStart {
        return Err(Malformed::Request("the body has to be one JSON object; batches are not supported"));
    }
    let mut found = Found::default();
    while let Token::Key(key) = lexer.token()? {
        let value = lexer.token()?;
        match (&*key, &value) {
            ("id", Token::Number(number)) => found.id = Some((*number).to_owned()),
            ("id", Token::String(text)) => found.id = serde_json::to_string(text).ok(),
            ("method", Token::String(method)) => found.method = Some(method.clone().into_owned()),
            ("params", Token::ObjectStart) => {
                look_at_params(&mut lexer, &mut found)?;
                continue;
            }
            _ => {}
        }
        skip(&mut lexer, &value)?;
    }
    match text.get(lexer.offset() + 1..) {
        Some(rest) if !rest.trim_ascii().is_empty() => {
            Err(Malformed::Syntax("text follows the JSON object".to_owned()))
        }
        _ => Ok(found),
    }
}

/// Reads the rest of `params`, whose brace was read.
fn look_at_params(lexer: &mut Lexer<'_>, found: &mut Found) -> Result<(), SyntaxError> {
    while let Token::Key(key) = lexer.token()? {
        let value = lexer.token()?;
        let begins = lexer.offset();
        skip(lexer, &value)?;
        match &*key {
            "name" => found.names_tool = matches!(value, Token::String(_)),
            "arguments" => {
                let is_object = value == Token::ObjectStart;
                found.arguments = is_object.then(|| begins..lexer.offset() + 1);
                found.has_other_arguments = !is_object;
            }
            _ => {}
        }
    }
    Ok(())
}

impl From<SyntaxError> for Malformed {
    fn from(error: SyntaxError) -> Self {
        Self::Syntax(error.to_string())
    }
}

/// Reads the rest of a value whose first token was `first`.
fn skip(lexer: &mut Lexer<'_>, first: &Token<'_>) -> Result<(), SyntaxError> {
    let mut depth = usize::from(matches!(first, Token::ObjectStart | Token::ArrayStart));
    while depth > 0 {
        match lexer.token()? {
            Token::ObjectStart | Token::ArrayStart => depth += 1,
            Token::ObjectEnd | Token::ArrayEnd => depth -= 1,
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> Result<Envelope, Malformed> {
        Envelope::of(&Bytes::copy_from_slice(text.as_bytes()), 10)
    }

    #[test]
    fn arguments_are_cut_out_of_calls_alone() {
        let text = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x", "arguments" : {"a":[1,{"b":"}"}]} ,"_meta":{}}} "#;
        let envelope = of(text).unwrap();
        assert_eq!(envelope.arguments, r#"{"a":[1,{"b":"}"}]}"#);
        let rest =
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x", "arguments" : {} ,"_meta":{}}} "#;
        assert_eq!((&*envelope.message, envelope.calls), (rest.as_bytes(), true));
        let other = r#"{"method":"prompts/get","params":{"arguments":{"a":1}}}"#;
        assert_eq!(of(other), Ok(Envelope { message: other.into(), arguments: "{}".into(), calls: false }));
    }

    #[test]
    fn what_is_no_message_is_told_apart() {
        for text in ["", "{", "{\"a\":1", "{\"a\":01}", "{} x", "nul", "{\"a\":[[[[[[[[[[[[]]]]]]]]]]]]}"] {
            assert!(matches!(of(text), Err(Malformed::Syntax(_))), "{text}");
        }
        for text in ["[]", "1", "\"x\"", "null"] {
            assert!(matches!(of(text), Err(Malformed::Request(_))), "{text}");
        }
        assert!(matches!(of(&format!(r#"{{"a":"{}"}}"#, "x".repeat(LONGEST))), Err(Malformed::Request(_))));
        for (params, id) in [
            (r#""id":7,"params":{}"#, "7"),
            (r#""id":"a\"b","params":{"name":1}"#, r#""a\"b""#),
            (r#""params":{"name":"x","arguments":[]}"#, "null"),
            (r#""id":null"#, "null"),
        ] {
            let found = of(&format!(r#"{{"method":"tools/call",{params}}}"#));
            assert!(matches!(&found, Err(Malformed::Params { id: found, .. }) if found == id), "{params}: {found:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in r#"[{}\[\]":, a-e0-9\\é]{0,60}"#) {
            drop(of(&text));
        }

        #[test]
        fn any_arguments_come_out_as_they_went_in(value in "[ -~é\u{0}-\u{1f}]{0,40}", blanks in "[ \n\t]{0,3}") {
            let arguments = serde_json::json!({ "query": value, "parameters": { "a": [value] } }).to_string();
            let text = format!(
                r#"{{"method":"tools/call","params":{{"arguments":{blanks}{arguments}{blanks},"name":"x"}}}}"#
            );
            let envelope = of(&text).unwrap();
            prop_assert_eq!(envelope.arguments, arguments);
            serde_json::from_slice::<serde_json::Value>(&envelope.message).unwrap();
        }
    }
}
