//! Who may log in to a fake, and how often somebody tried.
//!
//! May not know: which database is being faked.

use tokio::time::Instant;

use super::value::Value;

/// Someone who may log in.
#[derive(Debug, Clone, Default)]
pub struct User {
    pub password: String,
    /// The password must be changed before anything else (Neo4j).
    pub expired: bool,
    /// May do everything, impersonation and seeing others' transactions included.
    pub admin: bool,
    /// Where requests without a database go.
    pub home: Option<String>,
}

/// Credentials of a scheme other than `basic`.
#[derive(Debug, Clone)]
pub struct Token {
    /// Whom they let in.
    pub principal: String,
    /// Until when; `None`: for ever.
    pub until: Option<Instant>,
}

impl Token {
    pub fn expired(&self) -> bool {
        self.until.is_some_and(|until| until <= Instant::now())
    }

    /// Itself, unless it has expired.
    pub fn live(self) -> Option<Token> {
        (!self.expired()).then_some(self)
    }
}

/// How often one credential was tried, in LOGON or HELLO.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Logons {
    pub accepted: usize,
    pub refused: usize,
}

/// Scheme, principal, credentials.
pub(super) type Credential = [String; 3];

pub(super) fn credential(auth: &Value) -> Credential {
    ["scheme", "principal", "credentials"].map(|key| auth.get(key).and_then(Value::as_str).unwrap_or_default().into())
}
