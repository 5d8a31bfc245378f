//! The settings that all of the engine's operations share.

use std::time::Duration;

use super::{
    statement::{Aliases, Options},
    transaction::TransactionSettings,
};

/// How much longer a server may take that waits for a bookmark: Neo4j does so for a minute without looking at its limits.
const BOOKMARK_WAIT: Duration = Duration::from_secs(60);

/// How the engine behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The longest a statement may run.
    pub max_execution_time: Duration,
    /// How long the database may take to end a statement whose time is over.
    pub termination_grace: Duration,
    /// Of explicit transactions.
    pub transactions: TransactionSettings,
    /// Other names for databases.
    pub aliases: Aliases,
}

impl Settings {
    /// How long the database may take to end a statement with these options by itself.
    pub(super) fn grace(&self, options: &Options) -> Duration {
        let grace = self.termination_grace;
        if options.bookmarks.is_empty() { grace } else { grace + BOOKMARK_WAIT }
    }
}
