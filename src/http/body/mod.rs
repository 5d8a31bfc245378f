//! The request object of the Query API: its members, their values, and the errors for wrong ones.
//!
//! Owns which member belongs to which request. Promises that parameters go from text to PackStream in one pass,
//! wherever in the body they are. Accepts the scalars that Neo4j accepts in place of others (a number as a string,
//! `"true"` as a boolean), so that its clients work. May not know routes, transactions or databases.

#[cfg(feature = "arrow")]
mod arrow;
mod members;
mod retry;
mod statements;

use std::{borrow::Cow, time::Duration};

use axum::body::Bytes;
use thiserror::Error;

#[cfg(feature = "arrow")]
use crate::arrow::Declared;
use crate::json::TypedVersion;
use crate::json::input::{InputError, Lexer, Limits, SyntaxError, Token, encoding};
use crate::query::{AccessMode, BatchStatement, NotificationFilter};
use crate::value_path::shortened;
use members::{Reader, wrong};
pub(super) use retry::RetryWish;

/// An empty PackStream map.
const EMPTY_MAP: [u8; 1] = [0xA0];

/// The kind of request that a body belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyKind {
    /// One statement in a transaction of its own.
    Query,
    /// Several statements in a transaction of their own.
    Batch,
    /// The first line of a bulk load, whose rows follow: each is a run of one statement, or an item of its list.
    Load,
    /// A request that opens a transaction for later requests.
    Opening,
    /// A request in an open transaction, which cannot change what was set when the transaction was opened.
    Inside,
}

/// The limits of what a body contains. Its size as a whole is checked elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLimits {
    /// The length of a statement, in bytes of UTF-8.
    pub statement: usize,
    /// The depth of nested objects and arrays, the body itself included.
    pub depth: usize,
    /// The size of all values as PackStream, in bytes.
    pub packed: usize,
}

impl BodyLimits {
    pub(super) fn lexer<'t>(&self, text: &'t str) -> Lexer<'t> {
        Lexer::new(text, self.of_json())
    }

    /// The same limits for one JSON value.
    pub(super) fn of_json(&self) -> Limits {
        Limits { depth: self.depth, packed: self.packed, ..Limits::default() }
    }

    #[cfg(test)]
    const SAMPLE: Self = Self { statement: 1000, depth: 100, packed: usize::MAX };
}

/// The members of a request.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct QueryBody {
    /// `None` if it is absent, `null` or empty.
    pub statement: Option<String>,
    /// The parameters as a PackStream map, empty if there are none.
    pub parameters: Vec<u8>,
    /// The statements of a batch.
    pub statements: Vec<BatchStatement>,
    /// How failed attempts are retried.
    pub retry: RetryWish,
    /// The number of rows of a bulk load in one transaction.
    pub transaction_size: Option<usize>,
    /// The parameter that takes the rows of a bulk load as one list.
    pub rows_as: Option<String>,
    /// Whether the answer counts what was changed.
    pub include_counters: bool,
    /// The access mode; the default is write.
    pub access_mode: AccessMode,
    /// The longest execution time, in whole milliseconds; never zero.
    pub max_execution_time: Option<Duration>,
    /// Bookmarks, none of them blank.
    pub bookmarks: Vec<String>,
    /// The user to act as, without surrounding spaces; never empty.
    pub impersonated_user: Option<String>,
    /// Whether the transaction allows what only implicit ones do (`CALL {…} IN TRANSACTIONS`).
    pub implicit: bool,
    /// The transaction's metadata as a PackStream map.
    pub tx_metadata: Option<Vec<u8>>,
    /// The notifications that the caller wants.
    pub notifications: NotificationFilter,
    /// What is said of the schema of an Arrow stream. Errors in it matter for no other format.
    #[cfg(feature = "arrow")]
    pub arrow: Option<Box<Result<Declared, BodyError>>>,
}

impl Default for QueryBody {
    fn default() -> Self {
        Self {
            statement: None,
            parameters: EMPTY_MAP.to_vec(),
            statements: Vec::new(),
            retry: RetryWish::Default,
            transaction_size: None,
            rows_as: None,
            include_counters: false,
            access_mode: AccessMode::default(),
            max_execution_time: None,
            bookmarks: Vec::new(),
            impersonated_user: None,
            implicit: false,
            tx_metadata: None,
            notifications: NotificationFilter::default(),
            #[cfg(feature = "arrow")]
            arrow: None,
        }
    }
}

/// Why a body was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub(super) enum BodyError {
    /// The body is not JSON, or a member is wrong; the text names it and what it must be.
    #[error("{0}")]
    Malformed(String),
    /// The body is nested deeper than `limits.depth` allows.
    #[error("{0}")]
    TooDeep(String),
    /// A value has a type that cannot be sent. Clients depend on the exact text.
    #[error("{0}")]
    UnsupportedType(String),
    /// A statement is too long.
    #[error("the statement is {length} bytes long, but limits.statement allows {limit}; send large data as parameters")]
    StatementTooLong {
        /// The length of the statement, in bytes.
        length: usize,
        /// The longest length, in bytes.
        limit: usize,
    },
}

impl BodyError {
    /// Changes what is said about the place of the error.
    fn reworded(self, reword: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::Malformed(message) => Self::Malformed(reword(message)),
            Self::TooDeep(message) => Self::TooDeep(reword(message)),
            other => other,
        }
    }
}

impl From<SyntaxError> for BodyError {
    fn from(error: SyntaxError) -> Self {
        let variant = if error.is_too_deep { Self::TooDeep } else { Self::Malformed };
        variant(error.to_string())
    }
}

impl From<InputError> for BodyError {
    fn from(error: InputError) -> Self {
        match error {
            InputError::UnsupportedType(_) => Self::UnsupportedType(error.to_string()),
            InputError::Syntax(error) => error.into(),
            other => Self::Malformed(other.to_string()),
        }
    }
}

/// Reads a body. Parameters and metadata are typed JSON of the given version, or plain JSON for `None`. A body of no
/// bytes is an empty object. Text after the object is refused in a batch or a load, where it would be lost silently;
/// elsewhere it is ignored, as in Neo4j.
///
/// # Errors
/// [`BodyError`]; its text names the place and what is expected there.
pub(super) fn parse(
    bytes: Bytes,
    typed: Option<TypedVersion>,
    kind: BodyKind,
    limits: &BodyLimits,
) -> Result<QueryBody, BodyError> {
    if bytes.is_empty() {
        return Ok(QueryBody::default());
    }
    if kind == Load && !encoding::is_utf8(&bytes) {
        return Err(malformed("the lines of a bulk load must be UTF-8".to_owned()));
    }
    match encoding::decode(&bytes).map_err(|error| malformed(error.to_string()))? {
        Cow::Borrowed(text) => parse_text(text, typed, kind, limits),
        Cow::Owned(text) => {
            drop(bytes);
            parse_text(&text, typed, kind, limits)
        }
    }
}

fn parse_text(
    text: &str,
    typed: Option<TypedVersion>,
    kind: BodyKind,
    limits: &BodyLimits,
) -> Result<QueryBody, BodyError> {
    let mut body = QueryBody::default();
    let mut reader = Reader { lexer: limits.lexer(text), typed, limits };
    let start = reader.lexer.token()?;
    if start != Token::ObjectStart {
        return Err(wrong("the body", &start, "an object"));
    }
    while let Token::Key(key) = reader.lexer.token()? {
        reader.read(member(&key, kind)?, &mut body)?;
    }
    if matches!(kind, Batch | Load) {
        nothing_follows(text, &reader.lexer)?;
    }
    Ok(body)
}

/// Refuses text after the object whose end was read: it would not be carried out.
fn nothing_follows(text: &str, lexer: &Lexer<'_>) -> Result<(), BodyError> {
    let text = text.get(lexer.offset() + 1..).unwrap_or_default().trim();
    if text.is_empty() {
        return Ok(());
    }
    Err(malformed(format!("text follows the object: \"{}\"; send one object only", shortened(text, 40))))
}

/// Reads one row of a load, an object, and appends it to `out` as a PackStream map.
///
/// # Errors
/// As [`parse`].
pub(super) fn parse_row(
    line: &[u8],
    typed: Option<TypedVersion>,
    limits: &BodyLimits,
    out: &mut Vec<u8>,
) -> Result<(), BodyError> {
    let text = str::from_utf8(line).map_err(|_| malformed("the line is not UTF-8".to_owned()))?;
    let mut reader = Reader { lexer: limits.lexer(text), typed, limits };
    reader.row_into(out).map_err(in_this_line)?;
    nothing_follows(text, &reader.lexer)
}

/// Removes the line number, which is always 1 because the lexer sees one line only. The caller knows which line it is.
fn in_this_line(error: BodyError) -> BodyError {
    error.reworded(|message| message.strip_prefix("line 1, ").unwrap_or(&message).to_owned())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    Statement,
    Statements,
    Parameters,
    IncludeCounters,
    AccessMode,
    MaxExecutionTime,
    Bookmarks,
    ImpersonatedUser,
    TxType,
    TxMetadata,
    NotificationsFilter,
    Retry,
    TransactionSize,
    RowsAs,
    Arrow,
}

use BodyKind::{Batch, Inside, Load, Opening, Query};

/// All members, and the kinds of requests that each belongs to.
const MEMBERS: [(&str, Member, &[BodyKind]); 15] = [
    ("statement", Member::Statement, &[Query, Load, Opening, Inside]),
    ("statements", Member::Statements, &[Batch]),
    ("parameters", Member::Parameters, &[Query, Opening, Inside]),
    ("includeCounters", Member::IncludeCounters, &[Query, Batch, Load, Opening, Inside]),
    ("accessMode", Member::AccessMode, &[Query, Batch, Load, Opening]),
    ("maxExecutionTime", Member::MaxExecutionTime, &[Query, Batch, Load, Opening]),
    ("bookmarks", Member::Bookmarks, &[Query, Batch, Load, Opening]),
    ("impersonatedUser", Member::ImpersonatedUser, &[Query, Batch, Load, Opening]),
    ("txType", Member::TxType, &[Query, Opening]),
    ("txMetadata", Member::TxMetadata, &[Query, Batch, Load, Opening]),
    ("notificationsFilter", Member::NotificationsFilter, &[Query, Batch, Load, Opening]),
    ("retry", Member::Retry, &[Query, Batch, Load]),
    ("transactionSize", Member::TransactionSize, &[Load]),
    ("rowsAs", Member::RowsAs, &[Load]),
    ("arrow", Member::Arrow, &[Query, Opening, Inside]),
];

fn member(key: &str, kind: BodyKind) -> Result<Member, BodyError> {
    let names = || {
        let known = MEMBERS.iter().filter(|(.., kinds)| kinds.contains(&kind));
        known.map(|(name, ..)| *name).collect::<Vec<_>>().join(", ")
    };
    match MEMBERS.iter().find(|(name, ..)| *name == key) {
        Some((_, member, kinds)) if kinds.contains(&kind) => Ok(*member),
        Some((.., kinds)) if kind == Inside && kinds.contains(&Opening) => Err(malformed(format!(
            "`{key}` can only be set when a transaction is opened; known fields inside one: {}",
            names()
        ))),
        _ => {
            let key = shortened(key, 60);
            Err(malformed(format!("unknown field `{key}`; known fields: {}", names())))
        }
    }
}

fn malformed(reason: String) -> BodyError {
    BodyError::Malformed(reason)
}

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;
