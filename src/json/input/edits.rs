//! Changes to an assembled map that are delayed until its end: heads of long collections, and pairs that a later key
//! replaced.
//!
//! Promises to apply all of them within the buffer, in at most two passes. The kind of a change is stored in the buffer
//! at its position, which keeps an entry at eight bytes.

use super::growth;
use crate::bolt::packstream::long_head;

/// Marks the one-byte head of a list or a map that needs a longer one.
const LIST: u8 = 0;
const MAP: u8 = 1;
/// Replaces the head of a dropped pair's key. No PackStream value begins with this byte.
const DROPPED: u8 = 0xC7;
/// The shortest text that causes an edit, in bytes: a dropped pair (`"":0,`) and one that is kept, since adjacent drops
/// share an edit. Keys of less than three bytes are too few to matter.
const PER_EDIT: usize = 13;

/// The pending edits, in the order in which collections ended.
#[derive(Debug, Default)]
pub(super) struct Edits {
    waiting: Vec<Edit>,
}

/// For a head, `size` is the number of the collection's items or pairs; for a dropped pair, the number of bytes to
/// remove.
#[derive(Debug, Clone, Copy)]
struct Edit {
    at: u32,
    size: u32,
}

impl Edits {
    /// Notes that the collection whose head is the byte at `at` has `size` items or pairs, too many for a head of one
    /// byte.
    pub(super) fn lengthen_head(&mut self, written: &mut [u8], at: u32, size: usize, is_map: bool, text: usize) {
        if let Some(head) = written.get_mut(at as usize) {
            *head = if is_map { MAP } else { LIST };
        }
        self.push(Edit { at, size: u32::try_from(size).unwrap_or(u32::MAX) }, text);
    }

    /// Marks the pair that begins at `at` as dropped. Its key cannot be read afterwards.
    pub(super) fn drop_pair(written: &mut [u8], at: u32) {
        if let Some(head) = written.get_mut(at as usize) {
            *head = DROPPED;
        }
    }

    /// Notes the removal of all marked `pairs`, which are in order and reach to the end of `written`. Adjacent pairs
    /// share one edit.
    pub(super) fn cut_dropped(&mut self, written: &[u8], pairs: &[u32], text: usize) {
        let is_dropped = |pair: u32| written.get(pair as usize) == Some(&DROPPED);
        let end = u32::try_from(written.len()).unwrap_or(u32::MAX);
        let mut from = None;
        for &pair in pairs {
            if is_dropped(pair) {
                from.get_or_insert(pair);
            } else if let Some(at) = from.take() {
                self.push(Edit { at, size: pair - at }, text);
            }
        }
        if let Some(at) = from {
            self.push(Edit { at, size: end - at }, text);
        }
    }

    fn push(&mut self, edit: Edit, text: usize) {
        growth::push(&mut self.waiting, edit, || text / PER_EDIT);
    }

    /// Applies all edits to `out` from `base` on.
    pub(super) fn apply(&mut self, out: &mut Vec<u8>, base: usize) {
        if self.waiting.is_empty() {
            return;
        }
        self.waiting.sort_unstable_by_key(|edit| edit.at);
        self.remove_dropped(out, base);
        self.insert_heads(out, base);
    }

    /// Removes the dropped pairs by moving the rest forward. Only edits of heads remain afterwards.
    fn remove_dropped(&mut self, out: &mut Vec<u8>, base: usize) {
        // Everything before `read` has been moved to before `write`.
        let (mut read, mut write) = (base, base);
        self.waiting.retain_mut(|edit| {
            let at = base + edit.at as usize;
            if at < read {
                // Inside a dropped pair.
                return false;
            }
            if out.get(at) == Some(&DROPPED) {
                shift(out, read, at, write);
                write += at - read;
                read = at + edit.size as usize;
                return false;
            }
            edit.at -= u32::try_from(read - write).unwrap_or(u32::MAX);
            true
        });
        let end = out.len();
        shift(out, read, end, write);
        out.truncate(write + end - read);
    }

    /// Makes room for the longer heads by moving everything back, starting at the end.
    fn insert_heads(&mut self, out: &mut Vec<u8>, base: usize) {
        let kind = |out: &[u8], edit: &Edit| out.get(base + edit.at as usize) == Some(&MAP);
        let heads = |out: &[u8], edit: &Edit| long_head(kind(out, edit), edit.size as usize);
        let growth: usize = self.waiting.iter().map(|edit| heads(out, edit).1 - 1).sum();
        let mut end = out.len();
        out.reserve(growth);
        out.resize(end + growth, 0);
        let mut left = growth;
        for edit in self.waiting.drain(..).rev() {
            let at = base + edit.at as usize;
            let (head, length) = heads(out, &edit);
            shift(out, at + 1, end, at + 1 + left);
            left -= length - 1;
            if let (Some(place), Some(head)) = (out.get_mut(at + left..at + left + length), head.get(..length)) {
                place.copy_from_slice(head);
            }
            end = at;
        }
    }
}

/// Moves the bytes `from..end` to `to`.
fn shift(out: &mut [u8], from: usize, end: usize, to: usize) {
    if from != to && from < end {
        out.copy_within(from..end, to);
    }
}
