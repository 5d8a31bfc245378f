//! Lines of an answer that arrives in parts.

use memchr::memchr_iter;

use crate::shell::failure::Failure;

/// Puts lines together, as far as they are not too long.
#[derive(Debug)]
pub(super) struct Lines {
    /// The beginning of a line whose end has not come.
    begun: Vec<u8>,
    /// The most bytes of a line that are kept.
    limit: usize,
    is_whole: bool,
}

impl Lines {
    /// Keeps no more than `limit` bytes of a line.
    pub(super) fn new(limit: usize) -> Self {
        Self { begun: Vec::new(), limit, is_whole: true }
    }

    /// Takes a part of the answer, and calls `line` with each line that ends in it, without its end, and whether it is the
    /// whole line.
    ///
    /// # Errors
    /// Those of `line`, at the first of which it stops.
    pub(super) fn take(
        &mut self,
        bytes: &[u8],
        mut line: impl FnMut(&[u8], bool) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut rest = bytes;
        let mut taken = 0;
        for end in memchr_iter(b'\n', bytes) {
            let (before, after) = rest.split_at_checked(end - taken).unwrap_or((rest, &[]));
            rest = after.get(1..).unwrap_or_default();
            taken = end + 1;
            self.keep(before);
            line(&self.begun, self.is_whole)?;
            self.begun.clear();
            self.is_whole = true;
        }
        self.keep(rest);
        Ok(())
    }

    /// Whether no line has begun.
    pub(super) fn is_at_start(&self) -> bool {
        self.begun.is_empty() && self.is_whole
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = self.limit.saturating_sub(self.begun.len());
        let kept = bytes.get(..room).unwrap_or(bytes);
        self.is_whole &= kept.len() == bytes.len();
        self.begun.extend_from_slice(kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_whole_unless_it_is_too_long() {
        let mut lines = Lines::new(3);
        let mut found = Vec::new();
        for part in ["a\nbc", "d\ne", "fgh", "i\n\nj"] {
            let mut note = |line: &[u8], is_whole| {
                found.push((String::from_utf8_lossy(line).into_owned(), is_whole));
                Ok(())
            };
            lines.take(part.as_bytes(), &mut note).expect("nothing fails");
        }
        let found: Vec<_> = found.iter().map(|(line, is_whole)| (line.as_str(), *is_whole)).collect();
        assert_eq!(found, [("a", true), ("bcd", true), ("efg", false), ("", true)]);
        assert!(!lines.is_at_start());
    }
}
