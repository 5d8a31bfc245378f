//! Assembles one PackStream map while its JSON is read. The sizes of collections and repeated keys become known only at
//! their ends.
//!
//! Owns the open collections. Promises linear work (except for sorting the keys of large maps) at any nesting, and
//! memory within a small multiple of the text: bytes stay where they are written until the end, when at most one pass
//! inserts long heads and removes pairs that a later key replaced. Knows nothing of JSON. Positions have 32 bits, so a
//! map must be smaller than 4 GiB.

use super::edits::Edits;
use super::growth;
use crate::bolt::packstream::{Writer, close_collection, open_collection};
use crate::value_path::{self, Step};

/// The number of pairs up to which comparing all keys with each other is cheaper than sorting them.
const FEW_PAIRS: usize = 8;
/// The bytes reserved for a scalar and for the head of a collection. No time zone's name is longer.
const SCALAR_SIZE: usize = 128;

/// The source text of a map, with a bound on its encoding.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    pub(super) largest_encoding: fn(&str) -> usize,
    /// The size beyond which the map is refused, in bytes.
    pub(super) limit: usize,
}

impl Source<'_> {
    fn largest_encoding(&self) -> usize {
        // Bytes that end up unused count as well.
        (self.largest_encoding)(self.text).min(self.limit.max(self.text.len())) + 2 * SCALAR_SIZE
    }

    /// The number of members that the text can hold: the shortest one is `"":0,`.
    fn members(&self) -> usize {
        self.text.len() / 5
    }
}

/// A map under construction at the end of a buffer.
#[derive(Debug)]
pub(super) struct Assembly<'a, 'o> {
    root: &'static str,
    source: Source<'a>,
    out: &'o mut Vec<u8>,
    base: usize,
    open: Vec<Open>,
    /// The start of each pair of all open maps, relative to `base`. Those of the innermost map come last.
    pairs: Vec<u32>,
    edits: Edits,
}

/// A collection whose end has not been reached; `start` is the result of `open_collection`.
#[derive(Debug)]
enum Open {
    List { start: usize, items: usize },
    Map { start: usize, first_pair: usize },
}

impl<'a, 'o> Assembly<'a, 'o> {
    /// Opens the outermost map. Errors call it `root`.
    pub(super) fn begin(root: &'static str, source: Source<'a>, out: &'o mut Vec<u8>) -> Self {
        let base = out.len();
        let (open, pairs, edits) = (Vec::new(), Vec::new(), Edits::default());
        let mut assembly = Self { root, source, out, base, open, pairs, edits };
        assembly.begin_map();
        assembly
    }

    /// The bytes of PackStream written so far.
    pub(super) fn len(&self) -> usize {
        self.out.len() - self.base
    }

    /// Prepares for the next value of the innermost collection.
    pub(super) fn item(&mut self) {
        if let Some(Open::List { items, .. }) = self.open.last_mut() {
            *items += 1;
        }
        self.reserve(SCALAR_SIZE);
    }

    /// Writes the key of the next value of the innermost collection, which must be a map.
    pub(super) fn key(&mut self, key: &str) {
        self.reserve(key.len() + SCALAR_SIZE);
        let (start, source) = (position(self.len()), self.source);
        growth::push(&mut self.pairs, start, || source.members());
        self.writer().string(key);
    }

    /// Returns a writer for a scalar.
    pub(super) fn writer(&mut self) -> Writer<'_> {
        Writer::new(self.out)
    }

    /// Writes a string of any length.
    pub(super) fn string(&mut self, text: &str) {
        self.reserve(text.len() + SCALAR_SIZE);
        self.writer().string(text);
    }

    /// Returns a writer for a value of up to `bytes` bytes and its head.
    pub(super) fn writer_of(&mut self, bytes: usize) -> Writer<'_> {
        self.reserve(bytes + SCALAR_SIZE);
        self.writer()
    }

    pub(super) fn begin_list(&mut self) {
        let start = open_collection(self.out);
        self.open.push(Open::List { start, items: 0 });
    }

    pub(super) fn begin_map(&mut self) {
        let start = open_collection(self.out);
        self.open.push(Open::Map { start, first_pair: self.pairs.len() });
    }

    /// Ends the innermost collection. Returns `true` if it was the outermost one, which completes the map.
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
            self.edits.apply(self.out, self.base);
        }
        complete
    }

    /// The path of the value that is being written.
    pub(super) fn path(&self) -> String {
        let mut pairs_end = self.pairs.len();
        let mut steps: Vec<Step<'_>> = Vec::with_capacity(self.open.len());
        for open in self.open.iter().rev() {
            match open {
                Open::List { items, .. } => steps.push(Step::Index(items.saturating_sub(1))),
                Open::Map { first_pair, .. } => {
                    let current = self.pairs.get(*first_pair..pairs_end).and_then(<[u32]>::last);
                    if let Some(&pair) = current {
                        let key = str::from_utf8(key_at(self.written(), pair)).unwrap_or_default();
                        steps.push(Step::Key(key));
                    }
                    pairs_end = *first_pair;
                }
            }
        }
        steps.reverse();
        value_path::name(self.root, &steps)
    }

    fn reserve(&mut self, more: usize) {
        if self.out.capacity() - self.out.len() < more {
            let (base, source) = (self.base, self.source);
            growth::reserve(self.out, more, || base + source.largest_encoding());
        }
    }

    fn written(&self) -> &[u8] {
        self.out.get(self.base..).unwrap_or_default()
    }

    fn close(&mut self, start: usize, size: usize, is_map: bool) {
        if size <= 15 {
            close_collection(self.out, start, size, is_map);
        } else {
            let written = self.out.get_mut(self.base..).unwrap_or_default();
            self.edits.lengthen_head(written, position(start - self.base - 1), size, is_map, self.source.text.len());
        }
    }

    /// Marks the pairs of the innermost map whose key is repeated later as dropped, and returns their number.
    fn replace_repeated(&mut self, first_pair: usize) -> usize {
        let written = self.out.get_mut(self.base..).unwrap_or_default();
        let pairs = self.pairs.get_mut(first_pair..).unwrap_or_default();
        let dropped =
            if pairs.len() <= FEW_PAIRS { drop_by_comparing(written, pairs) } else { drop_by_sorting(written, pairs) };
        if dropped > 0 {
            self.edits.cut_dropped(written, pairs, self.source.text.len());
        }
        dropped
    }
}

/// Marks dropped pairs by comparing all keys with each other.
fn drop_by_comparing(written: &mut [u8], pairs: &[u32]) -> usize {
    let mut dropped = 0;
    for (place, &pair) in pairs.iter().enumerate() {
        let after = pairs.get(place + 1..).unwrap_or_default();
        if after.iter().any(|&other| key_at(written, other) == key_at(written, pair)) {
            Edits::drop_pair(written, pair);
            dropped += 1;
        }
    }
    dropped
}

/// Marks dropped pairs by sorting, which puts equal keys next to each other in their original order; then restores the
/// order.
fn drop_by_sorting(written: &mut [u8], pairs: &mut [u32]) -> usize {
    pairs
        .sort_unstable_by(|one, other| key_at(written, *one).cmp(key_at(written, *other)).then_with(|| one.cmp(other)));
    let mut dropped = 0;
    for pair in pairs.windows(2) {
        if let [one, next] = *pair
            && key_at(written, one) == key_at(written, next)
        {
            // Its key is not needed again: all comparisons with it are done.
            Edits::drop_pair(written, one);
            dropped += 1;
        }
    }
    pairs.sort_unstable();
    dropped
}

/// Reads the key that begins at `start`, as `Writer::string` writes it.
fn key_at(written: &[u8], start: u32) -> &[u8] {
    let rest = written.get(start as usize..).unwrap_or_default();
    let (length, text) = match rest {
        [tiny @ 0x80..=0x8F, text @ ..] => (usize::from(tiny & 0x0F), text),
        [0xD0, length, text @ ..] => (usize::from(*length), text),
        [0xD1, a, b, text @ ..] => (usize::from(u16::from_be_bytes([*a, *b])), text),
        [0xD2, a, b, c, d, text @ ..] => (u32::from_be_bytes([*a, *b, *c, *d]) as usize, text),
        _ => (0, rest),
    };
    text.get(..length).unwrap_or_default()
}

/// Converts to 32 bits, which are enough for any text within the limits.
fn position(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}
