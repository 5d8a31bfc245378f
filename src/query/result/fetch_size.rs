//! The fetch size: how many rows are requested with one PULL.

use crate::bolt::Connection;

/// Rows of the first batch.
const FIRST: u32 = 1000;
/// Rows of the first batch on servers where unread rows block a worker. Rows of up to 64 KiB each are then read from
/// the connection whatever the client does.
const FIRST_FEW: u32 = 64;
/// Maximum rows of a batch.
const MAX: u32 = 10_000;
/// Bytes that a batch should have.
const TARGET: usize = 512 * 1024;

/// Queues the first PULL, which is sent together with RUN.
pub(in crate::query) fn pull_first(connection: &mut Connection) {
    let rows = if connection.dialect().holds_workers { FIRST_FEW } else { FIRST };
    connection.pull(rows);
}

/// The size of the next batch, computed from the rows of the one before.
#[derive(Debug, Clone, Copy)]
pub(in crate::query) struct FetchSize {
    rows: u32,
    seen_rows: u32,
    seen_bytes: usize,
    /// How many of `seen_rows` were reported.
    reported_rows: u32,
    /// Whether the database waits for the next PULL.
    due: bool,
}

impl FetchSize {
    /// Creates the fetch size of a result whose first batch has been requested.
    pub(in crate::query) fn new() -> Self {
        Self { rows: FIRST, seen_rows: 0, seen_bytes: 0, reported_rows: 0, due: false }
    }

    /// Counts a row of `bytes` bytes.
    pub(in crate::query) fn count(&mut self, bytes: usize) {
        self.seen_rows += 1;
        self.seen_bytes += bytes;
    }

    /// Returns the number of rows that were counted since the last call.
    pub(in crate::query) fn take_unreported(&mut self) -> u32 {
        let unreported = self.seen_rows - self.reported_rows;
        self.reported_rows = self.seen_rows;
        unreported
    }

    /// Ends a batch that is not the last one.
    pub(in crate::query) fn end_batch(&mut self) {
        let row = (self.seen_bytes / usize::try_from(self.seen_rows.max(1)).unwrap_or(1)).max(1);
        self.rows = u32::try_from(TARGET / row).unwrap_or(MAX).clamp(1, MAX);
        self.seen_rows = 0;
        self.reported_rows = 0;
        self.seen_bytes = 0;
        self.due = true;
    }

    /// Whether the database waits for the next PULL.
    pub(in crate::query) fn is_due(&self) -> bool {
        self.due
    }

    /// Returns the number of rows to request, if the database waits for the next PULL.
    pub(in crate::query) fn take_due(&mut self) -> Option<u32> {
        std::mem::take(&mut self.due).then_some(self.rows)
    }
}
