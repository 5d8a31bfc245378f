//! The records of CSV, counted.

/// Counts the records of CSV that arrives in parts.
#[derive(Debug, Default)]
pub(super) struct Records {
    in_quotes: bool,
    ended: u64,
}

impl Records {
    pub(super) fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                // Two of them within quotes end these and begin them again.
                b'"' => self.in_quotes = !self.in_quotes,
                b'\n' if !self.in_quotes => self.ended += 1,
                _ => {}
            }
        }
    }

    /// The rows: all records but the first, which names the columns.
    pub(super) fn rows(&self) -> u64 {
        self.ended.saturating_sub(1)
    }
}
