//! How many rows to ask for at a time: as many as make about [`TARGET`] bytes.

use crate::bolt::Connection;

const FIRST: u32 = 1000;
/// Where much that nobody takes blocks the server: rows of up to 64 KiB are drained whatever the client does.
const FIRST_FEW: u32 = 64;
const MOST: u32 = 10_000;
const TARGET: usize = 512 * 1024;

/// Queues the first PULL, to travel with RUN.
pub(in crate::query) fn pull_first(connection: &mut Connection) {
    let rows = if connection.dialect().holds_workers { FIRST_FEW } else { FIRST };
    connection.pull(rows);
}

/// The size of the next batch, from the rows of the one before.
#[derive(Debug, Clone, Copy)]
pub(in crate::query) struct FetchSize {
    rows: u32,
    seen_rows: u32,
    seen_bytes: usize,
    /// The database waits for the next PULL.
    due: bool,
}

impl FetchSize {
    /// The fetch_size of a result whose first batch was asked for.
    pub(in crate::query) fn new() -> Self {
        Self { rows: FIRST, seen_rows: 0, seen_bytes: 0, due: false }
    }

    /// Counts a row of so many bytes.
    pub(in crate::query) fn count(&mut self, bytes: usize) {
        self.seen_rows += 1;
        self.seen_bytes += bytes;
    }

    /// Ends a batch that another one follows.
    pub(in crate::query) fn end_batch(&mut self) {
        let row = (self.seen_bytes / usize::try_from(self.seen_rows.max(1)).unwrap_or(1)).max(1);
        self.rows = u32::try_from(TARGET / row).unwrap_or(MOST).clamp(1, MOST);
        self.seen_rows = 0;
        self.seen_bytes = 0;
        self.due = true;
    }

    /// Whether the database waits to be asked for more.
    pub(in crate::query) fn is_due(&self) -> bool {
        self.due
    }

    /// How many rows to ask for, if it is time to ask.
    pub(in crate::query) fn take_due(&mut self) -> Option<u32> {
        std::mem::take(&mut self.due).then_some(self.rows)
    }
}
