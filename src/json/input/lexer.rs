//! A pull lexer over JSON text: one token at a time, checked against the grammar of RFC 8259.
//!
//! Promises that numbers are given as they are written, that strings without escapes are borrowed, that no
//! input makes it recurse, and that an error names the place. Knows nothing of what the values mean.
//! What stands behind the top-level value is never looked at.

use std::borrow::Cow;

use thiserror::Error;

use super::string;

/// How much one JSON value may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one string as it is written.
    pub string: usize,
    /// Bytes of one key as it is written.
    pub key: usize,
    /// Characters of one number.
    pub number: usize,
    /// Objects and arrays around a value, the outermost included.
    pub depth: usize,
    /// Bytes of PackStream that may be made of the text.
    pub packed: usize,
}

impl Default for Limits {
    /// What Neo4j takes: strings of 20 million characters, keys of 50 thousand, each of at most three bytes. There is no
    /// limit to the PackStream.
    fn default() -> Self {
        Self { string: 60_000_000, key: 150_000, number: 1000, depth: 1000, packed: usize::MAX }
    }
}

/// Text that is no JSON, or more of it than is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}, column {column} (byte {offset}): {reason}")]
pub struct SyntaxError {
    /// Bytes before the place, in the text as UTF-8.
    pub offset: usize,
    /// Counted from one.
    pub line: usize,
    /// In characters, counted from one.
    pub column: usize,
    /// What was expected, and what was found.
    pub reason: String,
}

/// One JSON token. Commas and colons are checked and not given.
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
    /// The name of a member, its escapes resolved; its value follows.
    Key(Cow<'a, str>),
    /// A string, its escapes resolved.
    String(Cow<'a, str>),
    /// As it is written.
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

/// What may stand at the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
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
    due: Due,
    containers: Vec<Container>,
    /// Containers around the text that this lexer began with.
    outside: usize,
    limits: Limits,
    /// Bytes of PackStream that were made of the text so far.
    packed: usize,
}

impl<'a> Lexer<'a> {
    /// A lexer at the start of `text`.
    #[must_use]
    pub fn new(text: &'a str, limits: Limits) -> Self {
        Self { text, position: 0, start: 0, due: Due::Value, containers: Vec::new(), outside: 0, limits, packed: 0 }
    }

    /// Another lexer over the value that begins at `offset`, inside the object that this one is in.
    #[must_use]
    pub fn again_from(&self, offset: usize) -> Self {
        Self {
            position: offset,
            start: offset,
            outside: (self.outside + self.containers.len()).saturating_sub(1),
            ..Self::new(self.text, self.limits)
        }
    }

    /// Where the token given last begins, in bytes of the text.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.start
    }

    /// The text from the token given last.
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.start..).unwrap_or_default()
    }

    /// Counts `bytes` of PackStream that were made of the text.
    ///
    /// # Errors
    /// As [`Lexer::may_pack`].
    pub(super) fn pack(&mut self, bytes: usize) -> Result<(), SyntaxError> {
        self.may_pack(bytes)?;
        self.packed += bytes;
        Ok(())
    }

    /// How many more bytes of PackStream may be made of the text.
    pub(super) fn left_to_pack(&self) -> usize {
        self.limits.packed.saturating_sub(self.packed)
    }

    /// Whether so many more bytes of PackStream may be made of the text.
    ///
    /// # Errors
    /// [`SyntaxError`] beyond the limit.
    pub(super) fn may_pack(&self, bytes: usize) -> Result<(), SyntaxError> {
        if bytes <= self.left_to_pack() {
            return Ok(());
        }
        let most = self.limits.packed;
        Err(self.error(format!(
            "the values come to more than {most} bytes in the form in which the database takes them, twice what the \
             body may have (limits.body); send them in several requests"
        )))
    }

    /// Reads the next token.
    ///
    /// # Errors
    /// [`SyntaxError`] for text that is no JSON, for its end before the value's end, and beyond the limits.
    pub fn token(&mut self) -> Result<Token<'a>, SyntaxError> {
        #[cfg(test)]
        steps::count();
        self.skip_space();
        self.start = self.position;
        if self.due == Due::CommaOrEnd && self.peek() == Some(b',') {
            self.position += 1;
            self.due = match self.containers.last() {
                Some(Container::Object) => Due::Key,
                _ => Due::Value,
            };
            self.skip_space();
            self.start = self.position;
        }
        match (self.due, self.peek()) {
            (Due::Key | Due::KeyOrEnd, Some(b'"')) => self.key(),
            (Due::KeyOrEnd | Due::CommaOrEnd, Some(b'}')) => self.close(Container::Object),
            (Due::ValueOrEnd | Due::CommaOrEnd, Some(b']')) => self.close(Container::Array),
            (Due::Value | Due::ValueOrEnd, Some(byte)) => self.value(byte),
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
            return Err(self.error(format!("more than {limit} objects and arrays in each other (limits.depth)")));
        }
        self.position += 1;
        self.containers.push(container);
        let (due, token) = match container {
            Container::Object => (Due::KeyOrEnd, Token::ObjectStart),
            Container::Array => (Due::ValueOrEnd, Token::ArrayStart),
        };
        self.due = due;
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
        self.due = if self.containers.is_empty() { Due::Nothing } else { Due::CommaOrEnd };
    }

    fn key(&mut self) -> Result<Token<'a>, SyntaxError> {
        let key = self.string("a key", self.limits.key)?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.found(self.position, "a colon"));
        }
        self.position += 1;
        self.due = Due::Value;
        Ok(Token::Key(key))
    }

    /// Reads a string; the cursor stands at its opening quote.
    fn string(&mut self, what: &str, limit: usize) -> Result<Cow<'a, str>, SyntaxError> {
        let from = self.position + 1;
        let rest = self.text.get(from..).unwrap_or_default();
        let written = string::written(rest).map_err(|fault| self.error_at(from + fault.offset, fault.reason))?;
        if written.text.len() > limit {
            return Err(self.error(format!("{what} of more than {limit} bytes")));
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
                return Err(self.error_at(from, "a number with a leading zero"));
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
            return Err(self.error(format!("a number of more than {limit} characters")));
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

    /// An error at the token that is being read.
    #[cold]
    fn error(&self, reason: String) -> SyntaxError {
        self.error_at(self.start, reason)
    }

    #[cold]
    fn unexpected(&self, offset: usize) -> SyntaxError {
        let object = self.containers.last() == Some(&Container::Object);
        self.found(
            offset,
            match self.due {
                Due::Value => "a value",
                Due::ValueOrEnd => "a value or ]",
                Due::Key => "a key in double quotes",
                Due::KeyOrEnd => "a key in double quotes or }",
                Due::CommaOrEnd if object => "a comma or }",
                Due::CommaOrEnd => "a comma or ]",
                Due::Nothing => "nothing more",
            },
        )
    }

    #[cold]
    fn found(&self, offset: usize, expected: &str) -> SyntaxError {
        let found = match self.text.get(offset..).and_then(|rest| rest.chars().next()) {
            Some(character) => format!("{character:?}"),
            None => "the end of the text".to_owned(),
        };
        self.error_at(offset, format!("expected {expected}, found {found}"))
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
        }
    }
}

/// The number of tokens that were read on this thread: work that can be counted, where time cannot.
#[cfg(test)]
pub(super) mod steps {
    use std::cell::Cell;

    thread_local! {
        static STEPS: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn count() {
        STEPS.set(STEPS.get() + 1);
    }

    /// The steps that `work` takes.
    pub(in super::super) fn of<T>(work: impl FnOnce() -> T) -> (usize, T) {
        let before = STEPS.get();
        let result = work();
        (STEPS.get() - before, result)
    }
}

#[cfg(test)]
#[path = "lexer_tests.rs"]
mod tests;
