//! How large a batch and its rows become.

use crate::{
    arrow::misfit::Refused,
    json::output::{RowError, parts::LONGEST_TEXT},
};

/// Counts the bytes of a batch while it is built. A record may say much in few bytes, so that a row has its limit, too.
#[derive(Debug)]
pub(in crate::arrow) struct Gauge {
    bytes: usize,
    limit: usize,
}

impl Default for Gauge {
    fn default() -> Self {
        Self { bytes: 0, limit: LONGEST_TEXT }
    }
}

impl Gauge {
    /// The bytes of the batch so far.
    pub(in crate::arrow) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Begins another row.
    pub(in crate::arrow) fn begin_row(&mut self) {
        self.limit = self.bytes.saturating_add(LONGEST_TEXT);
    }

    /// How many bytes the row may still have.
    pub(super) fn room(&self) -> usize {
        self.limit - self.bytes
    }

    /// Counts bytes that are about to be appended.
    ///
    /// # Errors
    /// When the row gets too long.
    #[inline]
    pub(super) fn add(&mut self, bytes: usize) -> Result<(), Refused> {
        if bytes > self.room() {
            return Err(RowError::TooLong.into());
        }
        self.bytes += bytes;
        Ok(())
    }
}
