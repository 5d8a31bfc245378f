//! The fetch size: how many rows are requested with one PULL.

use super::limits::RowLimit;
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
pub(in crate::query) fn pull_first(connection: &mut Connection, limit: RowLimit) {
    let rows = if connection.dialect().holds_workers { FIRST_FEW } else { FIRST };
    connection.pull(rows.min(limit.requestable()));
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
    limit: RowLimit,
    /// The rows of the result so far.
    received: u32,
}

impl FetchSize {
    /// Creates the fetch size of a result whose first batch has been requested.
    pub(in crate::query) fn new(limit: RowLimit) -> Self {
        Self { rows: FIRST, seen_rows: 0, seen_bytes: 0, reported_rows: 0, due: false, limit, received: 0 }
    }

    /// Begins another result with the same limit.
    pub(in crate::query) fn begin_result(&mut self) {
        self.received = 0;
    }

    /// Counts a row of `bytes` bytes.
    pub(in crate::query) fn count(&mut self, bytes: usize) {
        self.seen_rows += 1;
        self.received = self.received.saturating_add(1);
        self.seen_bytes += bytes;
    }

    /// Returns the number of rows that were counted since the last call.
    pub(in crate::query) fn take_unreported(&mut self) -> u32 {
        let unreported = self.seen_rows - self.reported_rows;
        self.reported_rows = self.seen_rows;
        unreported
    }

    /// The rows of the result so far.
    pub(in crate::query) fn received(&self) -> u32 {
        self.received
    }

    /// The most rows that the result may have, if it has more.
    pub(in crate::query) fn exceeded(&self) -> Option<u32> {
        self.limit.rows.filter(|rows| self.received > *rows)
    }

    /// Ends a batch that is not the last one.
    ///
    /// # Errors
    /// The most rows that the result may have, if no further one may be requested.
    pub(in crate::query) fn end_batch(&mut self) -> Result<(), u32> {
        let left = self.limit.requestable().saturating_sub(self.received);
        if let Some(rows) = self.limit.rows.filter(|_| left == 0) {
            return Err(rows);
        }
        let row = (self.seen_bytes / usize::try_from(self.seen_rows.max(1)).unwrap_or(1)).max(1);
        self.rows = u32::try_from(TARGET / row).unwrap_or(MAX).clamp(1, MAX).min(left.max(1));
        self.seen_rows = 0;
        self.reported_rows = 0;
        self.seen_bytes = 0;
        self.due = true;
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    /// How many rows are requested after each batch of `rows`, and the limit in the end.
    fn requested(limit: RowLimit, first: u32) -> (Vec<u32>, Option<u32>) {
        let (mut size, mut rows, mut requested) = (FetchSize::new(limit), first, Vec::new());
        loop {
            (0..rows).for_each(|_| size.count(100));
            if let Some(limit) = size.exceeded().or_else(|| size.end_batch().err()) {
                return (requested, Some(limit));
            }
            if requested.len() == 3 {
                return (requested, None);
            }
            rows = size.take_due().unwrap();
            requested.push(rows);
        }
    }

    #[test]
    fn no_more_rows_are_requested_than_show_that_there_are_too_many() {
        assert_eq!(requested(RowLimit::NONE, 1000), (vec![5242, 5242, 5242], None));
        let limit = RowLimit { rows: Some(6500), commits: false };
        assert_eq!(requested(limit, 1000), (vec![5242, 259], Some(6500)));
        // The database would commit after the last row, so that one is left unrequested.
        assert_eq!(requested(RowLimit { commits: true, ..limit }, 1000), (vec![5242, 258], Some(6500)));
        for (commits, first) in [(false, 11), (true, 10)] {
            let limit = RowLimit { rows: Some(10), commits };
            assert_eq!(limit.requestable(), first);
            assert_eq!(requested(limit, first), (vec![], Some(10)));
        }
    }
}
