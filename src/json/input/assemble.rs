//! Assembles one PackStream map while its JSON is read: sizes and repeated keys are known only later.
//!
//! Owns the collections that are open. Promises linear time, however collections are nested: what is written
//! stays where it is until the end, where at most one pass puts in the long heads and leaves out what a later
//! key replaced. Knows nothing of JSON.

use std::collections::HashSet;

use crate::bolt::packstream::{Writer, close_collection, open_collection};
use crate::bolt::path::{self, Step};

/// Pairs up to which comparing every key with every other is cheaper than hashing.
const FEW: usize = 8;

/// A map under construction at the end of a buffer.
#[derive(Debug)]
pub(super) struct Assembly<'o> {
    root: &'static str,
    out: &'o mut Vec<u8>,
    base: usize,
    open: Vec<Open>,
    /// The pairs of all open maps, those of the innermost last.
    pairs: Vec<Pair>,
    edits: Vec<Edit>,
}

/// A collection that has not ended; `start` is what `open_collection` gave.
#[derive(Debug)]
enum Open {
    List { start: usize, items: usize },
    Map { start: usize, first_pair: usize },
}

/// Where a pair begins, and where its key's text stands.
#[derive(Debug)]
struct Pair {
    start: usize,
    key: (usize, usize),
}

/// A change that waits for the end: `length` bytes at `at` give way to the head of a collection, or to nothing.
#[derive(Debug)]
struct Edit {
    at: usize,
    length: usize,
    head: Option<Head>,
}

#[derive(Debug, Clone, Copy)]
struct Head {
    size: usize,
    is_map: bool,
}

impl<'o> Assembly<'o> {
    /// Opens the outermost map; messages call it `root`.
    pub(super) fn begin(root: &'static str, out: &'o mut Vec<u8>) -> Self {
        let base = out.len();
        let mut assembly = Self { root, out, base, open: Vec::new(), pairs: Vec::new(), edits: Vec::new() };
        assembly.begin_map();
        assembly
    }

    /// Announces the next value of the innermost collection.
    pub(super) fn item(&mut self) {
        if let Some(Open::List { items, .. }) = self.open.last_mut() {
            *items += 1;
        }
    }

    /// Writes the key of the next value of the innermost collection, which is a map.
    pub(super) fn key(&mut self, key: &str) {
        let start = self.out.len();
        self.writer().string(key);
        let end = self.out.len();
        self.pairs.push(Pair { start, key: (end - key.len(), end) });
    }

    /// For values that are no collections.
    pub(super) fn writer(&mut self) -> Writer<'_> {
        Writer::new(self.out)
    }

    pub(super) fn begin_list(&mut self) {
        let start = open_collection(self.out);
        self.open.push(Open::List { start, items: 0 });
    }

    pub(super) fn begin_map(&mut self) {
        let start = open_collection(self.out);
        self.open.push(Open::Map { start, first_pair: self.pairs.len() });
    }

    /// Ends the innermost collection. Gives true when it was the outermost; the map is complete then.
    pub(super) fn end(&mut self) -> bool {
        match self.open.pop() {
            Some(Open::List { start, items }) => self.close(start, items, false),
            Some(Open::Map { start, first_pair }) => {
                let pairs = self.pairs.len() - first_pair - self.replace_repeated(first_pair);
                self.pairs.truncate(first_pair);
                self.close(start, pairs, true);
            }
            None => {}
        }
        let complete = self.open.is_empty();
        if complete {
            self.apply_edits();
        }
        complete
    }

    /// The name of the value that is being written.
    pub(super) fn path(&self) -> String {
        let mut pairs_end = self.pairs.len();
        let mut steps: Vec<Step<'_>> = Vec::with_capacity(self.open.len());
        for open in self.open.iter().rev() {
            match open {
                Open::List { items, .. } => steps.push(Step::Index(items.saturating_sub(1))),
                Open::Map { first_pair, .. } => {
                    let current = self.pairs.get(*first_pair..pairs_end).and_then(<[Pair]>::last);
                    if let Some(pair) = current {
                        let key = str::from_utf8(self.text_of(pair)).unwrap_or_default();
                        steps.push(Step::Key(key));
                    }
                    pairs_end = *first_pair;
                }
            }
        }
        steps.reverse();
        path::name(self.root, &steps)
    }

    fn close(&mut self, start: usize, size: usize, is_map: bool) {
        if size <= 15 {
            close_collection(self.out, start, size, is_map);
        } else {
            let head = Some(Head { size, is_map });
            self.edits.push(Edit { at: start - 1, length: 1, head });
        }
    }

    /// Drops the pairs of the innermost map whose key comes again, and gives their number.
    fn replace_repeated(&mut self, first_pair: usize) -> usize {
        let pairs = self.pairs.get(first_pair..).unwrap_or_default();
        let mut dropped = Vec::new();
        let mut end = self.out.len();
        let mut later: HashSet<&[u8]> = HashSet::new();
        for (place, pair) in pairs.iter().enumerate().rev() {
            let key = self.text_of(pair);
            let repeated = if pairs.len() <= FEW {
                let after = pairs.get(place + 1..).unwrap_or_default();
                after.iter().any(|other| self.text_of(other) == key)
            } else {
                !later.insert(key)
            };
            if repeated {
                dropped.push(Edit { at: pair.start, length: end - pair.start, head: None });
            }
            end = pair.start;
        }
        let count = dropped.len();
        self.edits.append(&mut dropped);
        count
    }

    fn text_of(&self, pair: &Pair) -> &[u8] {
        self.out.get(pair.key.0..pair.key.1).unwrap_or_default()
    }

    fn apply_edits(&mut self) {
        if self.edits.is_empty() {
            return;
        }
        self.edits.sort_unstable_by_key(|edit| edit.at);
        let mut edited = Vec::with_capacity(self.out.len() - self.base + 4 * self.edits.len());
        let mut copied = self.base;
        for edit in &self.edits {
            // An edit behind the cursor lies inside something that was dropped.
            let Some(kept) = edit.at.checked_sub(copied) else {
                continue;
            };
            let tail = self.out.get(copied..).unwrap_or_default();
            edited.extend_from_slice(tail.get(..kept).unwrap_or_default());
            match edit.head {
                Some(Head { size, is_map: true }) => Writer::new(&mut edited).map(size),
                Some(Head { size, is_map: false }) => Writer::new(&mut edited).list(size),
                None => {}
            }
            copied = edit.at + edit.length;
        }
        edited.extend_from_slice(self.out.get(copied..).unwrap_or_default());
        self.out.truncate(self.base);
        self.out.append(&mut edited);
    }
}
