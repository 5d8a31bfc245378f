//! Changes to an assembled map that wait for its end: long heads of collections, and pairs that a later key replaced.
//!
//! Promises to make all of them within the buffer, in two passes at most. What kind of change waits at a place is
//! written at the place itself, so that one takes eight bytes.

use super::room;
use crate::bolt::packstream::long_head;

/// A head that is still one byte, of a list or of a map.
const LIST: u8 = 0;
const MAP: u8 = 1;
/// In place of the head of a dropped pair's key. No PackStream value begins so.
const DROPPED: u8 = 0xC7;
/// The shortest text that an edit takes, in bytes: a dropped pair (`"":0,`) and one that is not, so that the next edit is
/// another. There are too few keys of less than three bytes to matter.
const PER_EDIT: usize = 13;

/// In the order in which collections ended.
#[derive(Debug, Default)]
pub(super) struct Edits {
    waiting: Vec<Edit>,
}

/// At a head, `size` counts the collection's items or pairs; at a dropped pair, bytes to leave out.
#[derive(Debug, Clone, Copy)]
struct Edit {
    at: u32,
    size: u32,
}

impl Edits {
    /// The collection whose head is the byte at `at` has `size` items or pairs, too many for a head of one byte.
    pub(super) fn lengthen_head(&mut self, written: &mut [u8], at: u32, size: usize, is_map: bool, text: usize) {
        if let Some(head) = written.get_mut(at as usize) {
            *head = if is_map { MAP } else { LIST };
        }
        self.push(Edit { at, size: u32::try_from(size).unwrap_or(u32::MAX) }, text);
    }

    /// Marks the pair that begins at `at`. Its key cannot be read any more.
    pub(super) fn drop_pair(written: &mut [u8], at: u32) {
        if let Some(head) = written.get_mut(at as usize) {
            *head = DROPPED;
        }
    }

    /// Has all marked ones of `pairs` left out, which are in order and reach to the end of `written`. Neighbours make
    /// one edit.
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
        room::push(&mut self.waiting, edit, || text / PER_EDIT);
    }

    /// Makes all changes to what stands in `out` behind `base`.
    pub(super) fn apply(&mut self, out: &mut Vec<u8>, base: usize) {
        if self.waiting.is_empty() {
            return;
        }
        self.waiting.sort_unstable_by_key(|edit| edit.at);
        self.leave_out(out, base);
        self.put_in(out, base);
    }

    /// Moves what stays forward over what is dropped. The heads that stay are all that waits after this.
    fn leave_out(&mut self, out: &mut Vec<u8>, base: usize) {
        // Everything before `read` has its place before `write`.
        let (mut read, mut write) = (base, base);
        self.waiting.retain_mut(|edit| {
            let at = base + edit.at as usize;
            if at < read {
                // Inside something that was dropped.
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

    /// Moves everything back, from the end on, by as much as the heads before it grow.
    fn put_in(&mut self, out: &mut Vec<u8>, base: usize) {
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

/// Moves what stands from `from` up to `end` so that it begins at `to`.
fn shift(out: &mut [u8], from: usize, end: usize, to: usize) {
    if from != to && from < end {
        out.copy_within(from..end, to);
    }
}
