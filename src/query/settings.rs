//! The engine's settings.

use std::time::Duration;

use super::{
    result::ResultLimits,
    statement::{Aliases, Options},
    transaction::TransactionSettings,
};
use crate::{config::InstanceName, telemetry::logs::LogControl};

/// Extra time for a server that waits for a bookmark: Neo4j waits up to a minute, whatever the transaction's time
/// limit.
const BOOKMARK_WAIT: Duration = Duration::from_secs(60);

/// Settings of the engine.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Maximum time that a statement may run.
    pub max_execution_time: Duration,
    /// How long the database may take to end a statement that it was told to end, or whose time limit has passed.
    pub termination_grace: Duration,
    /// Limits on results.
    pub result: ResultLimits,
    /// Limits on explicit transactions.
    pub transactions: TransactionSettings,
    /// Aliases of databases.
    pub aliases: Aliases,
    /// What is logged, slow statements among it.
    pub log: LogControl,
    /// The gateway's name among several, which handles of transactions begin with.
    pub instance: Option<InstanceName>,
}

impl Settings {
    /// How long the database may take, after its time limit, to end a statement with these options.
    pub(super) fn grace(&self, options: &Options) -> Duration {
        let grace = self.termination_grace;
        if options.bookmarks.is_empty() { grace } else { grace + BOOKMARK_WAIT }
    }
}
