//! A pull lexer over JSON text: returns one token at a time, checked against the grammar of RFC 8259.
//!
//! Promises that numbers keep their spelling, that strings without escapes are borrowed, that no input makes it
//! recurse, and that errors give the position. Knows nothing of what the values mean. Never looks at text after the
//! top-level value.

use std::borrow::Cow;

use thiserror::Error;

use super::string;

/// The limits on one JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The length of a string in the source text, in bytes.
    pub string: usize,
    /// The length of a key in the source text, in bytes.
    pub key: usize,
    /// The length of a number in the source text, in characters.
    pub number: usize,
    /// The nesting depth, counting the outermost object or array.
    pub depth: usize,
    /// The size of the PackStream encoding, in bytes.
    pub packed: usize,
}

impl Default for Limits {
    /// Neo4j's limits: strings of 20 million characters and keys of 50 thousand, at three bytes each. The size of the
    /// PackStream is not limited.
    fn default() -> Self {
        Self { string: 60_000_000, key: 150_000, number: 1000, depth: 1000, packed: usize::MAX }
    }
}

/// The text is not valid JSON or exceeds a limit.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}, column {column} (byte {offset}): {reason}")]
pub struct SyntaxError {
    /// The position in the text as UTF-8, in bytes.
    pub offset: usize,
    /// The line, counted from one.
    pub line: usize,
    /// The column in characters, counted from one.
    pub column: usize,
    /// What was expected and what was found.
    pub reason: String,
    /// Whether the text is nested too deep.
    pub is_too_deep: bool,
}

/// One JSON token. Commas and colons are checked but not returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token<'a> {
    /// `{`; keys and values follow.
    ObjectStart,
    /// `}`
    ObjectEnd,
    /// `[`; values follow.
    ArrayStart,
    /// `]`
    ArrayEnd,
    /// The name of a member, with escapes resolved; its value follows.
    Key(Cow<'a, str>),
    /// A string, with escapes resolved.
    String(Cow<'a, str>),
    /// A number, exactly as written.
    Number(&'a str),
    /// `true` or `false`
    Boolean(bool),
    /// `null`
    Null,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Container {
    Object,
    Array,
}

/// What the grammar allows at the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    CommaOrEnd,
    Nothing,
}

/// A cursor over JSON text.
#[derive(Debug)]
pub struct Lexer<'a> {
    text: &'a str,
    position: usize,
    start: usize,
    expected: Expected,
    containers: Vec<Container>,
    /// The depth of the text that this lexer starts in.
    outside: usize,
    limits: Limits,
    /// The bytes of PackStream encoded so far.
    packed: usize,
}

impl<'a> Lexer<'a> {
    /// Returns a lexer at the start of `text`.
    #[must_use]
    pub fn new(text: &'a str, limits: Limits) -> Self {
        Self {
            text,
            position: 0,
            start: 0,
            expected: Expected::Value,
            containers: Vec::new(),
            outside: 0,
            limits,
            packed: 0,
        }
    }

    /// Returns a second lexer over the value that begins at `offset` inside the current object.
    #[must_use]
    pub fn fork_at(&self, offset: usize) -> Self {
        Self {
            position: offset,
            start: offset,
            outside: (self.outside + self.containers.len()).saturating_sub(1),
            ..Self::new(self.text, self.limits)
        }
    }

    /// The start of the current token, as a byte offset into the text.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.start
    }

    /// The text from the start of the current token.
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.start..).unwrap_or_default()
    }

    /// Adds `bytes` to the size of the PackStream encoding.
    ///
    /// # Errors
    /// See [`Lexer::may_pack`].
    pub(super) fn pack(&mut self, bytes: usize) -> Result<(), SyntaxError> {
        self.may_pack(bytes)?;
        self.packed += bytes;
        Ok(())
    }

    /// The number of bytes by which the PackStream encoding may still grow.
    pub(super) fn left_to_pack(&self) -> usize {
        self.limits.packed.saturating_sub(self.packed)
    }

    /// Checks that the PackStream encoding may grow by `bytes`.
    ///
    /// # Errors
    /// Returns a [`SyntaxError`] if that would exceed the limit.
    pub(super) fn may_pack(&self, bytes: usize) -> Result<(), SyntaxError> {
        if bytes <= self.left_to_pack() {
            return Ok(());
        }
        let most = self.limits.packed;
        Err(self.error(format!(
            "the values take more than {most} bytes once encoded for the database, twice the limit for the body \
             (limits.body); split them over several requests"
        )))
    }

    /// Reads the next token.
    ///
    /// # Errors
    /// Returns a [`SyntaxError`] if the text is not valid JSON, ends before the value does, or exceeds a limit.
    pub fn token(&mut self) -> Result<Token<'a>, SyntaxError> {
        #[cfg(test)]
        steps::count();
        self.skip_space();
        self.start = self.position;
        if self.expected == Expected::CommaOrEnd && self.peek() == Some(b',') {
            self.position += 1;
            self.expected = match self.containers.last() {
                Some(Container::Object) => Expected::Key,
                _ => Expected::Value,
            };
            self.skip_space();
            self.start = self.position;
        }
        match (self.expected, self.peek()) {
            (Expected::Key | Expected::KeyOrEnd, Some(b'"')) => self.key(),
            (Expected::KeyOrEnd | Expected::CommaOrEnd, Some(b'}')) => self.close(Container::Object),
            (Expected::ValueOrEnd | Expected::CommaOrEnd, Some(b']')) => self.close(Container::Array),
            (Expected::Value | Expected::ValueOrEnd, Some(byte)) => self.value(byte),
            _ => Err(self.unexpected(self.position)),
        }
    }

    fn value(&mut self, byte: u8) -> Result<Token<'a>, SyntaxError> {
        let token = match byte {
            b'{' => return self.open(Container::Object),
            b'[' => return self.open(Container::Array),
            b'"' => Token::String(self.string("a string", self.limits.string)?),
            b'-' | b'0'..=b'9' => Token::Number(self.number()?),
            b't' => self.word("true", Token::Boolean(true))?,
            b'f' => self.word("false", Token::Boolean(false))?,
            b'n' => self.word("null", Token::Null)?,
            _ => return Err(self.unexpected(self.position)),
        };
        self.after_value();
        Ok(token)
    }

    fn open(&mut self, container: Container) -> Result<Token<'a>, SyntaxError> {
        if self.outside + self.containers.len() >= self.limits.depth {
            let limit = self.limits.depth;
            let error = self.error(format!("nested deeper than {limit} levels (limits.depth)"));
            return Err(SyntaxError { is_too_deep: true, ..error });
        }
        self.position += 1;
        self.containers.push(container);
        let (expected, token) = match container {
            Container::Object => (Expected::KeyOrEnd, Token::ObjectStart),
            Container::Array => (Expected::ValueOrEnd, Token::ArrayStart),
        };
        self.expected = expected;
        Ok(token)
    }

    fn close(&mut self, container: Container) -> Result<Token<'a>, SyntaxError> {
        if self.containers.last() != Some(&container) {
            return Err(self.unexpected(self.position));
        }
        self.position += 1;
        self.containers.pop();
        self.after_value();
        Ok(match container {
            Container::Object => Token::ObjectEnd,
            Container::Array => Token::ArrayEnd,
        })
    }

    fn after_value(&mut self) {
        self.expected = if self.containers.is_empty() { Expected::Nothing } else { Expected::CommaOrEnd };
    }

    fn key(&mut self) -> Result<Token<'a>, SyntaxError> {
        let key = self.string("a key", self.limits.key)?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.found(self.position, "a colon"));
        }
        self.position += 1;
        self.expected = Expected::Value;
        Ok(Token::Key(key))
    }

    /// Reads a string whose opening quote is at the cursor.
    fn string(&mut self, what: &str, limit: usize) -> Result<Cow<'a, str>, SyntaxError> {
        let from = self.position + 1;
        let rest = self.text.get(from..).unwrap_or_default();
        let written = string::raw_string(rest).map_err(|fault| self.error_at(from + fault.offset, fault.reason))?;
        if written.text.len() > limit {
            return Err(self.error(format!("{what} is longer than {limit} bytes")));
        }
        self.position = from + written.text.len() + 1;
        if written.escaped {
            return string::unescape(written.text)
                .map(Cow::Owned)
                .map_err(|fault| self.error_at(from + fault.offset, fault.reason));
        }
        Ok(Cow::Borrowed(written.text))
    }

    fn number(&mut self) -> Result<&'a str, SyntaxError> {
        let from = self.position;
        self.accept(|byte| byte == b'-');
        if self.accept(|byte| byte == b'0') {
            if self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                return Err(self.error_at(from, "a number must not have a leading zero"));
            }
        } else {
            self.digits()?;
        }
        if self.accept(|byte| byte == b'.') {
            self.digits()?;
        }
        if self.accept(|byte| matches!(byte, b'e' | b'E')) {
            self.accept(|byte| matches!(byte, b'+' | b'-'));
            self.digits()?;
        }
        if self.position - from > self.limits.number {
            let limit = self.limits.number;
            return Err(self.error(format!("a number is longer than {limit} characters")));
        }
        Ok(self.text.get(from..self.position).unwrap_or_default())
    }

    fn digits(&mut self) -> Result<(), SyntaxError> {
        if !self.accept(|byte| byte.is_ascii_digit()) {
            return Err(self.found(self.position, "a digit"));
        }
        while self.accept(|byte| byte.is_ascii_digit()) {}
        Ok(())
    }

    fn word(&mut self, word: &str, token: Token<'a>) -> Result<Token<'a>, SyntaxError> {
        let rest = self.text.as_bytes().get(self.position..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err(self.unexpected(self.position));
        }
        self.position += word.len();
        Ok(token)
    }

    fn accept(&mut self, wanted: impl Fn(u8) -> bool) -> bool {
        let accepted = self.peek().is_some_and(wanted);
        self.position += usize::from(accepted);
        accepted
    }

    fn skip_space(&mut self) {
        while self.accept(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) {}
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    /// Returns an error at the start of the current token.
    #[cold]
    fn error(&self, reason: String) -> SyntaxError {
        self.error_at(self.start, reason)
    }

    #[cold]
    fn unexpected(&self, offset: usize) -> SyntaxError {
        let object = self.containers.last() == Some(&Container::Object);
        self.found(
            offset,
            match self.expected {
                Expected::Value => "a value",
                Expected::ValueOrEnd => "a value or ]",
                Expected::Key => "a key in double quotes",
                Expected::KeyOrEnd => "a key in double quotes or }",
                Expected::CommaOrEnd if object => "a comma or }",
                Expected::CommaOrEnd => "a comma or ]",
                Expected::Nothing => "nothing more",
            },
        )
    }

    #[cold]
    fn found(&self, offset: usize, expected: &str) -> SyntaxError {
        let found = match self.text.get(offset..).and_then(|rest| rest.chars().next()) {
            Some(character) => format!("{character:?}"),
            None => "the end of the text".to_owned(),
        };
        // What Windows' shells make of the quotes around a body, and what other languages allow.
        let advice = if found == "'\\''" { "; JSON has double quotes only" } else { "" };
        self.error_at(offset, format!("expected {expected}, found {found}{advice}"))
    }

    #[cold]
    fn error_at(&self, offset: usize, reason: impl Into<String>) -> SyntaxError {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.rfind('\n').map_or(0, |end| end + 1);
        SyntaxError {
            offset,
            line: 1 + before.bytes().filter(|byte| *byte == b'\n').count(),
            column: 1 + before.get(line..).unwrap_or_default().chars().count(),
            reason: reason.into(),
            is_too_deep: false,
        }
    }
}

/// The number of tokens read on this thread. Tests count work, because time is not repeatable.
#[cfg(test)]
pub(super) mod steps {
    use std::cell::Cell;

    thread_local! {
        static STEPS: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn count() {
        STEPS.set(STEPS.get() + 1);
    }

    /// Returns the number of steps that `work` takes, and its result.
    pub(in super::super) fn of<T>(work: impl FnOnce() -> T) -> (usize, T) {
        let before = STEPS.get();
        let result = work();
        (STEPS.get() - before, result)
    }
}

#[cfg(test)]
#[path = "lexer_tests.rs"]
mod tests;
