//! Settings of the pool.

use std::time::Duration;

use crate::{config, pool::Settings};

/// How long an idle connection may take to pass a liveness check.
const LIVENESS_TIMEOUT: Duration = Duration::from_secs(1);
/// How long cancelling an abandoned statement may take.
const RECOVERY: Duration = Duration::from_secs(2);
/// How long an abandoned statement may run on where RESET does not interrupt it.
const PATIENCE: Duration = Duration::from_millis(250);

pub(in crate::server) fn settings(database: &config::Database, limits: &config::Limits) -> Settings {
    Settings {
        max: database.max_connections.get(),
        waiting: limits.waiting.get(),
        caller_waiting: limits.caller_waiting.get(),
        acquire_timeout: database.acquire_timeout.get(),
        share: database.caller_share.of(database.max_connections.get()),
        max_lifetime: database.max_lifetime.get(),
        login_age: database.login_age.get(),
        liveness_after: database.liveness_after.get(),
        liveness_timeout: LIVENESS_TIMEOUT,
        recovery: RECOVERY,
        patience: PATIENCE,
    }
}
