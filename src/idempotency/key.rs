//! The key that a client gives its request, and the fingerprint that tells the request from others.

use std::sync::Arc;

/// The longest key, in bytes.
pub const LONGEST_KEY: usize = 255;

/// The name that a client gives a request, so that it is recognized when it is sent again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key(Arc<str>);

impl Key {
    /// A key of 1 to [`LONGEST_KEY`] visible ASCII characters; `None` for any other text.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let is_key = (1..=LONGEST_KEY).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_key.then(|| Self(text.into()))
    }

    /// Its length in bytes.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// A hash that is equal for requests that ask for the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; blake3::OUT_LEN]);

/// Hashes the parts of a request. The length of each part is hashed before it, so that the same bytes in other parts
/// give another fingerprint.
#[derive(Default)]
pub struct Fingerprinter(blake3::Hasher);

impl Fingerprinter {
    /// Adds one part.
    pub fn part(&mut self, part: &[u8]) {
        self.0.update(&part.len().to_le_bytes());
        self.0.update(part);
    }

    /// Adds a list of parts.
    pub fn list<'a>(&mut self, parts: impl Iterator<Item = &'a [u8]>) {
        let parts: Vec<_> = parts.collect();
        self.0.update(&parts.len().to_le_bytes());
        parts.into_iter().for_each(|part| self.part(part));
    }

    /// The fingerprint of all parts, in the order in which they were added.
    #[must_use]
    pub fn finish(self) -> Fingerprint {
        Fingerprint(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_ascii() {
        let longest = "x".repeat(LONGEST_KEY);
        for good in ["a", "!~", "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"", &longest] {
            assert!(Key::new(good).is_some(), "{good}");
        }
        for bad in ["", "a b", "a\tb", "\u{80}", "\u{e9}", &(longest + "x")] {
            assert_eq!(Key::new(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_same_bytes_in_other_parts_are_another_request() {
        let of = |parts: &[&str], list: &[&str]| {
            let mut fingerprinter = Fingerprinter::default();
            parts.iter().for_each(|part| fingerprinter.part(part.as_bytes()));
            fingerprinter.list(list.iter().map(|part| part.as_bytes()));
            fingerprinter.finish()
        };
        assert_eq!(of(&["a", "b"], &["c"]), of(&["a", "b"], &["c"]));
        let others =
            [of(&["ab"], &["c"]), of(&["a"], &["b", "c"]), of(&["a", "b"], &["c", ""]), of(&["b", "a"], &["c"])];
        assert!(!others.contains(&of(&["a", "b"], &["c"])));
    }
}
