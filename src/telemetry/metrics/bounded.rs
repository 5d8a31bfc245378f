//! Counts by texts that are not known in advance, of which only so many are kept apart.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Counts texts from elsewhere. Beyond the first so many, and where a text is no name, they count as [`OTHER`].
#[derive(Debug)]
pub(super) struct BoundedCounts<const N: usize> {
    most: usize,
    counts: Mutex<BTreeMap<Box<str>, [u64; N]>>,
}

/// The label of what is not kept apart.
pub(super) const OTHER: &str = "other";
/// The longest text that is kept, in bytes.
const LONGEST: usize = 128;

impl<const N: usize> BoundedCounts<N> {
    /// Keeps `most` texts apart.
    pub(super) fn new(most: usize) -> Self {
        Self { most, counts: Mutex::default() }
    }

    /// Adds one to the count of `text` at `place`, which is below `N`.
    pub(super) fn inc(&self, text: &str, place: usize) {
        let mut counts = self.counts();
        if let Some(count) = self.entry(&mut counts, text).get_mut(place) {
            *count += 1;
        }
    }

    /// Shows `text` from now on, with what was counted of it, or with nothing.
    pub(super) fn expect(&self, text: &str) {
        self.entry(&mut self.counts(), text);
    }

    fn entry<'a>(&self, counts: &'a mut BTreeMap<Box<str>, [u64; N]>, text: &str) -> &'a mut [u64; N] {
        let is_kept = counts.contains_key(text) || (counts.len() < self.most && is_name(text));
        counts.entry(if is_kept { text } else { OTHER }.into()).or_insert([0; N])
    }

    /// The present counts, in the order of their texts.
    pub(super) fn snapshot(&self) -> BTreeMap<Box<str>, [u64; N]> {
        self.counts().clone()
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<Box<str>, [u64; N]>> {
        // The map is consistent after every statement, so a panic elsewhere does no harm.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether `text` looks like the code of an error or the name of something in the settings.
fn is_name(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(is_letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_names_are_kept_apart() {
        let counts = BoundedCounts::<1>::new(2);
        counts.expect("a");
        assert_eq!(counts.snapshot()["a"], [0]);
        for text in ["a", "b", "a", "c", "d", "b", ""] {
            counts.inc(text, 0);
        }
        counts.expect("a");
        let counts = counts.snapshot();
        let counts: Vec<_> = counts.iter().map(|(text, [count])| (&**text, *count)).collect();
        assert_eq!(counts, [("a", 2), ("b", 2), (OTHER, 3)]);
    }

    #[test]
    fn what_is_no_name_is_no_label() {
        let counts = BoundedCounts::<1>::new(10);
        for text in ["a\nb", "Neo.ClientError.X", "with \"quotes\"", &"x".repeat(LONGEST + 1), "ü"] {
            counts.inc(text, 0);
        }
        assert_eq!(counts.snapshot().keys().map(|text| &**text).collect::<Vec<_>>(), ["Neo.ClientError.X", OTHER]);
    }
}
