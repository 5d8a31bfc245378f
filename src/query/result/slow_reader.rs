//! The time limit for clients that block the database by not reading their rows.

use std::{future::pending, time::Duration};

use tokio::time::sleep;

/// How long a worker of the database may be blocked. Clients read more than a few megabytes in this time, unless they
/// are too slow.
const MAX_BLOCKED: Duration = Duration::from_secs(5);

/// Waits until a reader has used up its time in the middle of a batch; forever, unless it `blocks` the database.
pub(in crate::query) async fn slow_reader_timeout(blocks: bool) {
    if blocks { sleep(MAX_BLOCKED).await } else { pending().await }
}
