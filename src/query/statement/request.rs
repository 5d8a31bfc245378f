//! A statement, and what a caller may ask for beside it, in the words of Bolt.

use std::{sync::Arc, time::Duration};

use super::{notifications::NotificationFilter, parameters::Parameters};

/// One statement with its parameters.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The text.
    pub text: Arc<str>,
    /// Its parameters.
    pub parameters: Parameters,
}

/// How a statement or a transaction is to be run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Reading only, or writing too.
    pub access_mode: AccessMode,
    /// What has to be seen.
    pub bookmarks: Vec<String>,
    /// The user to act as.
    pub impersonated_user: Option<String>,
    /// The caller's own limit.
    pub max_execution_time: Option<Duration>,
    /// Statements may commit in batches inside the transaction.
    pub implicit: bool,
    /// A PackStream map, shown by the database beside the running transaction.
    pub metadata: Option<Vec<u8>>,
    /// Which notifications are wanted.
    pub notifications: NotificationFilter,
}

/// Whether a statement may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AccessMode {
    /// Writing fails, and a cluster may choose any of its members.
    Read,
    /// Anything goes.
    #[default]
    Write,
}
