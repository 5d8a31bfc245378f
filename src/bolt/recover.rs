//! Recovering a connection that a caller abandoned in mid-use.

use std::time::Duration;

use tokio::time::timeout;

use super::connection::{Connection, Reply};

/// Makes `connection` clean again within `budget`, whatever its last user left outstanding. Returns whether that
/// succeeded; if not, the connection must be closed.
///
/// Where RESET interrupts statements, the running one ends within milliseconds; elsewhere RESET is answered only when
/// the statement has ended by itself.
pub async fn recover(connection: &mut Connection, budget: Duration) -> bool {
    connection.forget_unsent();
    if connection.is_clean() {
        return true;
    }
    if !connection.is_recoverable() {
        return false;
    }
    matches!(timeout(budget, reset(connection)).await, Ok(true)) && connection.is_clean()
}

/// Queues a RESET that interrupts the running statement, unless a RESET, a BEGIN or a login is pending.
pub fn request_reset(connection: &mut Connection) {
    // Neo4j closes the connection if a RESET overtakes a BEGIN or a login.
    if connection.is_recoverable() && !connection.owes_begin() && !connection.owes_login() && !connection.owes_reset() {
        connection.reset();
    }
}

async fn reset(connection: &mut Connection) -> bool {
    // Neo4j closes the connection if a RESET overtakes a BEGIN or a login.
    if connection.settle_login().await.is_err() {
        return false;
    }
    while connection.owes_begin() {
        if connection.reply().await.is_err() {
            return false;
        }
    }
    if !connection.owes_reset() {
        connection.reset();
    }
    while connection.owes_reset() {
        if connection.reply().await.is_err() {
            return false;
        }
    }
    true
}

/// Checks that an idle connection is alive: the server has to answer a RESET within `budget`.
pub async fn check_liveness(connection: &mut Connection, budget: Duration) -> bool {
    connection.reset();
    matches!(timeout(budget, connection.reply()).await, Ok(Ok(Reply::Success))) && connection.is_clean()
}
