//! What callers see of explicit transactions: their settings, and the handles by which requests name them.

use std::time::{Duration, SystemTime};

/// Limits on explicit transactions.
#[derive(Debug, Clone, Copy)]
pub struct TransactionSettings {
    /// Maximum number of transactions that are open at a time.
    pub max: usize,
    /// Maximum number of them that one caller may have open.
    pub share: usize,
    /// A transaction that no request has used for this long is rolled back.
    pub idle_timeout: Duration,
    /// A transaction this old is rolled back.
    pub max_lifetime: Duration,
    /// How long the database may take to end a statement or a transaction that it was told to end.
    pub grace: Duration,
}

/// An open transaction, as described to its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// The handle: 32 hexadecimal digits.
    pub id: String,
    /// When the transaction is rolled back unless a request uses it before.
    pub expires: SystemTime,
}

/// How a request names an open transaction.
#[derive(Debug, Clone, Copy)]
pub struct TransactionHandle<'a> {
    /// The database, named as when the transaction was opened.
    pub database: &'a str,
    /// See [`Transaction::id`].
    pub id: &'a str,
    /// The impersonated user, if the request names one. It must be the one that the transaction was opened with.
    pub impersonated_user: Option<&'a str>,
}

impl<'a> TransactionHandle<'a> {
    /// Names the transaction `id` on `database`.
    #[must_use]
    pub fn new(database: &'a str, id: &'a str, impersonated_user: Option<&'a str>) -> Self {
        Self { database, id, impersonated_user }
    }
}
