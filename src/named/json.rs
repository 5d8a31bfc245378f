//! Parameters from a JSON object, plain or typed; and the collection of all parameters of a call, with what is wrong.

use thiserror::Error;

use super::{
    check::{Code, Fault, checked},
    convert::REPEATED,
    parameter::Parameter,
    query::Query,
};
use crate::{
    bolt::packstream::Writer,
    json::{
        View,
        input::{InputError, Lexer, Limits, SyntaxError, Token, plain, typed},
    },
    value_path::shortened,
};

/// The most unknown names that are told.
const MOST_UNKNOWN: usize = 16;

/// Why parameters could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unreadable {
    /// The text is not a JSON object, or exceeds a limit.
    #[error("{0}")]
    Syntax(SyntaxError),
    /// It is JSON, but no object.
    #[error("the body must be an object of parameters")]
    NoObject,
    /// Text follows the object.
    #[error("text follows the object of parameters; send one object only")]
    More,
    /// Parameters are faulty: all of them, in the header's order.
    #[error("parameters are faulty")]
    Faults(Vec<Fault>),
}

impl From<SyntaxError> for Unreadable {
    fn from(error: SyntaxError) -> Self {
        Self::Syntax(error)
    }
}

impl Query {
    /// The parameters in a JSON object, as a map in PackStream. What is left out has its default, or is null.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn parameters_from_json(&self, text: &str, view: View, limits: Limits) -> Result<Vec<u8>, Unreadable> {
        self.parameters_among(text, view, limits, |_, _| false)
    }

    /// As [`Self::parameters_from_json`], of an object that has other members, too. `other` is called with the name and the
    /// JSON text of each, and says whether it knows it.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn parameters_among(
        &self,
        text: &str,
        view: View,
        limits: Limits,
        mut other: impl FnMut(&str, &str) -> bool,
    ) -> Result<Vec<u8>, Unreadable> {
        let mut slots = Slots::new(&self.parameters);
        let mut lexer = Lexer::new(text, limits);
        if lexer.token()? != Token::ObjectStart {
            return Err(Unreadable::NoObject);
        }
        while let Token::Key(name) = lexer.token()? {
            let value = value_text(&mut lexer, text)?;
            match self.parameters.iter().position(|parameter| parameter.name == name) {
                None if other(&name, value) => {}
                None => slots.unknown(&name),
                Some(at) if slots.is_given(at) => slots.twice(at),
                Some(at) => match raw(value, view, limits) {
                    Ok(raw) => slots.give(at, &raw),
                    Err(InputError::Syntax(error)) => return Err(error.into()),
                    Err(error) => slots.fault(at, &reason(error)),
                },
            }
        }
        if !text.get(lexer.offset() + 1..).unwrap_or_default().trim().is_empty() {
            return Err(Unreadable::More);
        }
        slots.finish().map_err(Unreadable::Faults)
    }
}

/// Skips the value that comes next, and returns its text.
fn value_text<'t>(lexer: &mut Lexer<'t>, text: &'t str) -> Result<&'t str, SyntaxError> {
    let mut token = lexer.token()?;
    let (start, mut depth) = (lexer.offset(), 0_usize);
    loop {
        match token {
            Token::ObjectStart | Token::ArrayStart => depth += 1,
            Token::ObjectEnd | Token::ArrayEnd => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            let end = lexer.offset() + text.get(lexer.offset()..).map_or(0, token_length);
            return Ok(text.get(start..end).unwrap_or_default());
        }
        token = lexer.token()?;
    }
}

/// The length of the token that a valid text begins with.
fn token_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    match bytes.first() {
        Some(b'"') => {
            let mut is_escaped = false;
            let end = bytes.iter().skip(1).position(|byte| {
                let ends = *byte == b'"' && !is_escaped;
                is_escaped = *byte == b'\\' && !is_escaped;
                ends
            });
            end.map_or(bytes.len(), |end| end + 2)
        }
        Some(b'}' | b']') => 1,
        _ => bytes
            .iter()
            .position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n'))
            .unwrap_or(bytes.len()),
    }
}

/// One value as PackStream.
fn raw(value: &str, view: View, limits: Limits) -> Result<Vec<u8>, InputError> {
    let object = format!("{{\"\":{value}}}");
    let mut lexer = Lexer::new(&object, limits);
    lexer.token()?;
    let mut map = Vec::new();
    match view {
        View::Plain => plain::read_map(&mut lexer, "", &mut map)?,
        View::Typed(version) => typed::read_map(&mut lexer, version, "", &mut map)?,
    }
    // Without the head of the map and its only key, a byte each.
    Ok(map.split_off(map.len().min(2)))
}

fn reason(error: InputError) -> String {
    match error {
        InputError::Value { reason, .. } => shortened(&reason, 4 * REPEATED),
        other => shortened(&other.to_string(), 4 * REPEATED),
    }
}

/// The parameters of one call.
pub(super) struct Slots<'q> {
    parameters: &'q [Parameter],
    given: Vec<Option<Result<Vec<u8>, Fault>>>,
    unknown: Vec<String>,
}

impl<'q> Slots<'q> {
    pub(super) fn new(parameters: &'q [Parameter]) -> Self {
        Self { parameters, given: vec![None; parameters.len()], unknown: Vec::new() }
    }

    fn is_given(&self, at: usize) -> bool {
        self.given.get(at).is_some_and(Option::is_some)
    }

    fn set(&mut self, at: usize, result: impl FnOnce(&Parameter) -> Result<Vec<u8>, Fault>) {
        if let (Some(slot), Some(parameter)) = (self.given.get_mut(at), self.parameters.get(at)) {
            *slot = Some(result(parameter));
        }
    }

    /// Takes a value in PackStream for the parameter number `at`.
    pub(super) fn give(&mut self, at: usize, raw: &[u8]) {
        self.set(at, |parameter| checked(parameter, raw));
    }

    /// The value of the parameter number `at` cannot be read.
    pub(super) fn fault(&mut self, at: usize, reason: &str) {
        self.set(at, |parameter| {
            let message = format!("The parameter `{}` takes {}: {reason}.", parameter.name, parameter.kind.expected());
            Err(Fault::of(parameter, Code::Type, message))
        });
    }

    /// The parameter number `at` is given twice.
    pub(super) fn twice(&mut self, at: usize) {
        self.set(at, |parameter| {
            let message = format!("The parameter `{}` is given twice; send it once.", parameter.name);
            Err(Fault::of(parameter, Code::Argument, message))
        });
    }

    /// There is no parameter of this name.
    pub(super) fn unknown(&mut self, name: &str) {
        if self.unknown.len() < MOST_UNKNOWN {
            self.unknown.push(shortened(name, REPEATED));
        }
    }

    /// The parameters as a map.
    pub(super) fn finish(self) -> Result<Vec<u8>, Vec<Fault>> {
        let (mut map, mut faults) = (Vec::new(), Vec::new());
        let mut writer = Writer::new(&mut map);
        writer.map(self.parameters.len());
        for (parameter, given) in self.parameters.iter().zip(self.given) {
            writer.string(&parameter.name);
            match (given, &parameter.default) {
                (Some(Ok(value)), _) => writer.raw(&value),
                (Some(Err(fault)), _) => faults.push(fault),
                (None, Some(default)) => writer.raw(&default.value),
                (None, None) if parameter.nullable => writer.null(),
                (None, None) => faults.push(parameter.missing()),
            }
        }
        faults.extend(self.unknown.into_iter().map(|name| unknown(self.parameters, name)));
        if faults.is_empty() { Ok(map) } else { Err(faults) }
    }
}

impl Parameter {
    fn missing(&self) -> Fault {
        let message = format!("The parameter `{}` is missing; it takes {}.", self.name, self.kind.expected());
        Fault::of(self, Code::Missing, message)
    }
}

fn unknown(parameters: &[Parameter], name: String) -> Fault {
    let names: Vec<_> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    let known = match names.as_slice() {
        [] => "it takes none".to_owned(),
        names => format!("its parameters are {}", names.join(", ")),
    };
    let message = format!("The query has no parameter `{name}`; {known}.");
    Fault { code: Code::Argument, parameter: name, message }
}
