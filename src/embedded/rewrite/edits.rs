//! Changes to a statement's text.
//!
//! Owns how changes are put together, and which place of the original a place of the result comes from. Promises that
//! text without changes stays as it is. Knows nothing of Cypher.

use std::ops::Range;

/// A piece of the original, and what stands there instead.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Edit {
    range: Range<usize>,
    text: String,
}

/// Changes that do not overlap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::embedded) struct Edits {
    edits: Vec<Edit>,
}

impl Edits {
    /// Replaces `range` with `text`. Later edits of the same place come after earlier ones.
    pub(super) fn replace(&mut self, range: Range<usize>, text: impl Into<String>) {
        self.edits.push(Edit { range, text: text.into() });
    }

    /// Puts `text` at `offset`.
    pub(in crate::embedded) fn insert(&mut self, offset: usize, text: impl Into<String>) {
        self.replace(offset..offset, text);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// Whether an edit lies within `range`.
    pub(super) fn touch(&self, range: &Range<usize>) -> bool {
        self.edits.iter().any(|edit| range.start <= edit.range.start && edit.range.end <= range.end)
    }

    /// Orders the edits and carries them out.
    pub(in crate::embedded) fn apply(&mut self, original: &str) -> String {
        self.edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
        let mut text =
            String::with_capacity(original.len() + self.edits.iter().map(|edit| edit.text.len()).sum::<usize>());
        let mut copied = 0;
        for edit in &self.edits {
            text.push_str(original.get(copied..edit.range.start).unwrap_or_default());
            text.push_str(&edit.text);
            copied = edit.range.end;
        }
        text.push_str(original.get(copied..).unwrap_or_default());
        text
    }

    /// The offset in the original that `offset` in the result comes from: for inserted text, the place of its edit.
    /// Right after `apply` only.
    pub(super) fn origin(&self, offset: usize) -> usize {
        let mut shift = Shift::default();
        for edit in &self.edits {
            let start = shift.result(edit.range.start);
            if offset < start {
                break;
            }
            if offset < start + edit.text.len() {
                return edit.range.start;
            }
            shift.added += edit.text.len();
            shift.removed += edit.range.len();
        }
        (offset + shift.removed).saturating_sub(shift.added)
    }
}

/// What the edits so far have added and removed.
#[derive(Default)]
struct Shift {
    added: usize,
    removed: usize,
}

impl Shift {
    fn result(&self, original: usize) -> usize {
        (original + self.added).saturating_sub(self.removed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn edits_are_carried_out_in_order_of_place() {
        let mut edits = Edits::default();
        edits.insert(5, "!");
        edits.replace(0..1, "J");
        edits.insert(5, "?");
        assert_eq!(edits.apply("hello"), "Jello!?");
        assert_eq!((edits.origin(0), edits.origin(3), edits.origin(5), edits.origin(6)), (0, 3, 5, 5));
    }

    proptest! {
        /// Every character that was kept is found where it was.
        #[test]
        fn kept_text_comes_from_its_place(pieces in prop::collection::vec(("[a-z]{1,3}", "[A-Z]{0,3}", "[0-9]{0,3}"), 0..6)) {
            let (mut original, mut expected, mut edits) = (String::new(), String::new(), Edits::default());
            let mut kept = Vec::new();
            for (keep, remove, add) in &pieces {
                kept.extend((0..keep.len()).map(|at| (expected.len() + at, original.len() + at)));
                original.push_str(keep);
                edits.replace(original.len()..original.len() + remove.len(), add.as_str());
                original.push_str(remove);
                expected.push_str(keep);
                expected.push_str(add);
            }
            prop_assert_eq!(edits.apply(&original), expected);
            for (result, source) in kept {
                prop_assert_eq!(edits.origin(result), source);
            }
        }
    }
}
