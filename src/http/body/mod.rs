//! The request object of the Query API: its members, what they may be, and what is said when they are not.
//!
//! Owns which member belongs to which request. Promises that parameters go from the text to PackStream in one
//! pass, wherever they stand. Takes the scalars that Neo4j takes in place of others (a number as a string, `"true"`
//! as a boolean), so that its clients work. Knows nothing of routes, transactions or databases.

mod members;

use std::time::Duration;

use thiserror::Error;

use crate::bolt::path::shortened;
use crate::json::TypedVersion;
use crate::json::input::{InputError, Lexer, Limits, SyntaxError, Token, encoding};
use crate::query::{AccessMode, NotificationFilter};
use members::{Reader, described};

/// An empty PackStream map.
const EMPTY_MAP: [u8; 1] = [0xA0];

/// Which request a body belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyKind {
    /// It opens a transaction, or is one of its own: every member is known.
    Opening,
    /// It belongs to an open transaction: what was settled at its beginning cannot be said again.
    Inside,
}

/// How much a body may hold. Its size as a whole is not looked at here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLimits {
    /// Bytes of the statement, as UTF-8.
    pub statement: usize,
    /// Objects and arrays in each other, the body included.
    pub depth: usize,
}

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct QueryBody {
    /// Absent, `null` and empty are the same.
    pub statement: Option<String>,
    /// A PackStream map, empty when there are none.
    pub parameters: Vec<u8>,
    /// Whether the answer shall count what was changed.
    pub include_counters: bool,
    /// Write, unless said otherwise.
    pub access_mode: AccessMode,
    /// In whole seconds, never zero.
    pub max_execution_time: Option<Duration>,
    /// None of them is blank.
    pub bookmarks: Vec<String>,
    /// Without spaces around, never empty.
    pub impersonated_user: Option<String>,
    /// Whether the transaction shall allow what only implicit ones do (`CALL {…} IN TRANSACTIONS`).
    pub implicit: bool,
    /// A PackStream map.
    pub tx_metadata: Option<Vec<u8>>,
    /// Which notifications the caller wants.
    pub notifications: NotificationFilter,
}

impl Default for QueryBody {
    fn default() -> Self {
        Self {
            statement: None,
            parameters: EMPTY_MAP.to_vec(),
            include_counters: false,
            access_mode: AccessMode::default(),
            max_execution_time: None,
            bookmarks: Vec::new(),
            impersonated_user: None,
            implicit: false,
            tx_metadata: None,
            notifications: NotificationFilter::default(),
        }
    }
}

/// Why a body was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub(super) enum BodyError {
    /// Names the member and what it should be.
    #[error("{0}")]
    Malformed(String),
    /// Clients see exactly this text.
    #[error("{0}")]
    UnsupportedType(String),
    /// The statement alone is too long.
    #[error("the statement has {length} bytes, and limits.statement allows {limit}; send large data as parameters")]
    StatementTooLong {
        /// Of the statement, in bytes.
        length: usize,
        /// What is allowed.
        limit: usize,
    },
}

impl From<SyntaxError> for BodyError {
    fn from(error: SyntaxError) -> Self {
        Self::Malformed(error.to_string())
    }
}

impl From<InputError> for BodyError {
    fn from(error: InputError) -> Self {
        match error {
            InputError::UnsupportedType(_) => Self::UnsupportedType(error.to_string()),
            other => Self::Malformed(other.to_string()),
        }
    }
}

/// Reads a body. Parameters and metadata are typed JSON of this version, or plain JSON for `None`. A body of no bytes
/// is an empty object; what follows the object is not looked at.
///
/// # Errors
/// [`BodyError`]; its text names the place and what would be right.
pub(super) fn parse(
    bytes: &[u8],
    typed: Option<TypedVersion>,
    kind: BodyKind,
    limits: &BodyLimits,
) -> Result<QueryBody, BodyError> {
    let mut body = QueryBody::default();
    if bytes.is_empty() {
        return Ok(body);
    }
    let text = encoding::decode(bytes).map_err(|error| BodyError::Malformed(error.to_string()))?;
    let lexer = Lexer::new(&text, Limits { depth: limits.depth, ..Limits::default() });
    let mut reader = Reader { lexer, typed, limits };
    let start = reader.lexer.token()?;
    if start != Token::ObjectStart {
        return Err(malformed(format!("the body is {}; an object is due", described(&start))));
    }
    while let Token::Key(key) = reader.lexer.token()? {
        reader.read(member(&key, kind)?, &mut body)?;
    }
    Ok(body)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    Statement,
    Parameters,
    IncludeCounters,
    AccessMode,
    MaxExecutionTime,
    Bookmarks,
    ImpersonatedUser,
    TxType,
    TxMetadata,
    NotificationsFilter,
}

/// Those that every request knows come first.
const MEMBERS: [(&str, Member); 10] = [
    ("statement", Member::Statement),
    ("parameters", Member::Parameters),
    ("includeCounters", Member::IncludeCounters),
    ("accessMode", Member::AccessMode),
    ("maxExecutionTime", Member::MaxExecutionTime),
    ("bookmarks", Member::Bookmarks),
    ("impersonatedUser", Member::ImpersonatedUser),
    ("txType", Member::TxType),
    ("txMetadata", Member::TxMetadata),
    ("notificationsFilter", Member::NotificationsFilter),
];
/// How many of them are known inside a transaction.
const INSIDE: usize = 3;

fn member(key: &str, kind: BodyKind) -> Result<Member, BodyError> {
    let known = if kind == BodyKind::Inside { INSIDE } else { MEMBERS.len() };
    let names = || MEMBERS.map(|(name, _)| name).get(..known).unwrap_or_default().join(", ");
    match MEMBERS.iter().enumerate().find(|(_, (name, _))| *name == key) {
        Some((place, (_, member))) if place < known => Ok(*member),
        Some(_) => Err(malformed(format!(
            "`{key}` can only be said when a transaction is opened; inside one there are: {}",
            names()
        ))),
        None => {
            let key = shortened(key, 60);
            Err(malformed(format!("unknown field `{key}`; known are: {}", names())))
        }
    }
}

fn malformed(reason: String) -> BodyError {
    BodyError::Malformed(reason)
}

#[cfg(test)]
mod tests;
