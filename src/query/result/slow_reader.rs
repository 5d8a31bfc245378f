//! How long the database may be blocked by a client that does not take its rows.

use std::{future::pending, time::Duration};

use tokio::time::sleep;

/// A client that reads slower than a few megabytes in this time keeps one of the database's workers from everybody else.
const AMID_BATCH: Duration = Duration::from_secs(5);

/// Waits as long as a reader is waited for in the middle of a batch: for ever, unless that `blocks` the database.
pub(in crate::query) async fn slow_reader_timeout(blocks: bool) {
    if blocks { sleep(AMID_BATCH).await } else { pending().await }
}
