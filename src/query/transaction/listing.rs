//! What operators see of the transactions of all callers.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{
    auth::CallerLabel,
    telemetry::observer::{StatementKind, StatementState},
};

/// Names a transaction for operators: 16 hexadecimal digits. It is not a handle: it does not give access to the
/// transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionId(pub(in crate::query) u64);

impl TransactionId {
    /// The number, for the record of a request.
    pub(in crate::query) fn number(self) -> u64 {
        self.0
    }

    /// Reads what [`fmt::Display`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_id = text.len() == 16 && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        u64::from_str_radix(text, 16).ok().filter(|_| is_id).map(Self)
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A transaction, as operators see it: an explicit one, or that of a running statement, batch or load.
#[derive(Debug, Clone)]
pub struct OpenTransaction {
    /// Names the transaction.
    pub id: TransactionId,
    /// What the transaction belongs to.
    pub kind: StatementKind,
    /// What it is doing.
    pub state: TransactionState,
    /// Its owner.
    pub caller: CallerLabel,
    /// The owner's user in the database, if known.
    pub user: Option<String>,
    /// The database, as its owner named it.
    pub database: String,
    /// When it began.
    pub since: SystemTime,
    /// How long ago that was.
    pub elapsed: Duration,
    /// When it is rolled back, unless it ends before, or is used again if it is idle.
    pub expires: SystemTime,
    /// The text of the running statement, or of a batch's first.
    pub statement: Option<Arc<str>>,
}

/// What a transaction is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionState {
    /// An explicit transaction that no request is using.
    Idle,
    /// An explicit transaction that a request is using.
    Busy,
    /// Another one, with the state of its statement.
    Statement(StatementState),
}

impl fmt::Display for TransactionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Idle => f.write_str("idle"),
            Self::Busy => f.write_str("busy"),
            Self::Statement(state) => state.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_sixteen_digits_and_nothing_else() {
        for id in [TransactionId(0), TransactionId(0xab), TransactionId(u64::MAX)] {
            assert_eq!(TransactionId::parse(&id.to_string()), Some(id));
        }
        for text in ["", "ab", "00000000000000AB", "+0000000000000ab", "00000000000000000", "é00000000000000"] {
            assert_eq!(TransactionId::parse(text), None, "{text}");
        }
    }
}
