//! A statement and its options, as a caller requests them.

use std::{sync::Arc, time::Duration};

use super::{notifications::NotificationFilter, parameters::Parameters};
use crate::query::transaction::HandleStyle;

/// A statement with its parameters.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The Cypher text.
    pub text: Arc<str>,
    /// The parameters.
    pub parameters: Parameters,
}

/// The options of a transaction, or of a statement in a transaction of its own.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Whether writing is allowed.
    pub access_mode: AccessMode,
    /// The bookmarks of the transactions whose effects must be visible.
    pub bookmarks: Vec<String>,
    /// The user to impersonate.
    pub impersonated_user: Option<String>,
    /// The caller's time limit.
    pub max_execution_time: Option<Duration>,
    /// The most rows of the result, if that is less than the operator's limit.
    pub max_rows: Option<u32>,
    /// Whether statements may commit in batches (`CALL {…} IN TRANSACTIONS`).
    pub implicit: bool,
    /// A PackStream map that the database shows with the running transaction.
    pub metadata: Option<Vec<u8>>,
    /// Which notifications to receive.
    pub notifications: NotificationFilter,
    /// What the handle of a transaction that is opened looks like.
    pub handle: HandleStyle,
}

/// Whether a transaction may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AccessMode {
    /// Writing fails, and a cluster may use any of its members.
    Read,
    /// Reading and writing are allowed.
    #[default]
    Write,
}
