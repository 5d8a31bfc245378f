//! What is said when everything has arrived.

use std::{fmt, time::Duration};

/// How much has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tally {
    /// The rows; `None` where the format does not tell.
    pub(super) rows: Option<u64>,
    /// The bytes of the answer.
    pub(super) bytes: u64,
}

/// What is said at the end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Summary {
    pub(super) tally: Tally,
    pub(super) elapsed: Duration,
    /// What was changed, such as `("nodesCreated", 3)`.
    pub(super) changes: Vec<(String, u64)>,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.rows, self.bytes) {
            (Some(1), _) => f.write_str("1 row"),
            (Some(rows), _) => write!(f, "{rows} rows"),
            (None, bytes @ 0..10_000) => write!(f, "{bytes} bytes"),
            (None, bytes @ 10_000..10_000_000) => write!(f, "{} kB", bytes / 1000),
            (None, bytes) => write!(f, "{} MB", bytes / 1_000_000),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (tally, millis) = (self.tally, self.elapsed.as_millis());
        match millis {
            0..1000 => write!(f, "{tally} in {millis} ms")?,
            _ => write!(f, "{tally} in {}.{} s", millis / 1000, millis % 1000 / 100)?,
        }
        self.changes.iter().try_for_each(|(name, count)| write!(f, ", {} {count}", words(name)))
    }
}

/// `nodesCreated` as words: `nodes created`.
fn words(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(character.to_ascii_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_a_line() {
        let summary = |rows, bytes, millis, changes: &[(&str, u64)]| {
            let changes = changes.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
            Summary { tally: Tally { rows, bytes }, elapsed: Duration::from_millis(millis), changes }.to_string()
        };
        assert_eq!(summary(Some(1), 9, 12, &[]), "1 row in 12 ms");
        assert_eq!(summary(Some(0), 9, 61_940, &[]), "0 rows in 61.9 s");
        assert_eq!(summary(None, 9, 1000, &[]), "9 bytes in 1.0 s");
        assert_eq!(summary(None, 12_345, 1, &[]), "12 kB in 1 ms");
        assert_eq!(summary(None, 12_345_678, 1, &[]), "12 MB in 1 ms");
        let changes = [("nodesCreated", 3), ("propertiesSet", 2)];
        assert_eq!(summary(Some(0), 9, 1, &changes), "0 rows in 1 ms, nodes created 3, properties set 2");
    }
}
