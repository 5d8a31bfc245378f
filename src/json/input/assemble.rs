//! Assembles one PackStream map while its JSON is read: sizes and repeated keys are known only later.
//!
//! Owns the collections that are open. Promises linear work but for the sorting of large maps' keys, however
//! collections are nested, and memory within a small multiple of the text: what is written stays where it is until the
//! end, where at most one pass puts in the long heads and leaves out what a later key replaced. Knows nothing of JSON.
//! Positions have 32 bits: a map takes less than 4 GiB.

use super::edits::Edits;
use super::room;
use crate::bolt::packstream::{Writer, close_collection, open_collection};
use crate::value_path::{self, Step};

/// Pairs up to which comparing every key with every other is cheaper than sorting them.
const FEW: usize = 8;
/// Room for a scalar and what opens a collection, in bytes: no zone's name is so long.
const SCALAR: usize = 128;

/// The text that a map is made of, and how many bytes of PackStream such a text can come to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    pub(super) most: fn(&str) -> usize,
    /// It is refused before it comes to more than this.
    pub(super) limit: usize,
}

impl Source<'_> {
    fn most(&self) -> usize {
        // What is not filled may still have to be there.
        (self.most)(self.text).min(self.limit.max(self.text.len())) + 2 * SCALAR
    }

    /// Members that the text can hold: the shortest one is `"":0,`.
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
    /// Where the pairs of all open maps begin, behind `base`, those of the innermost last.
    pairs: Vec<u32>,
    edits: Edits,
}

/// A collection that has not ended; `start` is what `open_collection` gave.
#[derive(Debug)]
enum Open {
    List { start: usize, items: usize },
    Map { start: usize, first_pair: usize },
}

impl<'a, 'o> Assembly<'a, 'o> {
    /// Opens the outermost map; messages call it `root`.
    pub(super) fn begin(root: &'static str, source: Source<'a>, out: &'o mut Vec<u8>) -> Self {
        let base = out.len();
        let (open, pairs, edits) = (Vec::new(), Vec::new(), Edits::default());
        let mut assembly = Self { root, source, out, base, open, pairs, edits };
        assembly.begin_map();
        assembly
    }

    /// Bytes of PackStream so far.
    pub(super) fn len(&self) -> usize {
        self.out.len() - self.base
    }

    /// Announces the next value of the innermost collection.
    pub(super) fn item(&mut self) {
        if let Some(Open::List { items, .. }) = self.open.last_mut() {
            *items += 1;
        }
        self.reserve(SCALAR);
    }

    /// Writes the key of the next value of the innermost collection, which is a map.
    pub(super) fn key(&mut self, key: &str) {
        self.reserve(key.len() + SCALAR);
        let (start, source) = (position(self.len()), self.source);
        room::push(&mut self.pairs, start, || source.members());
        self.writer().string(key);
    }

    /// For values that are no collections.
    pub(super) fn writer(&mut self) -> Writer<'_> {
        Writer::new(self.out)
    }

    /// A string of any length.
    pub(super) fn string(&mut self, text: &str) {
        self.reserve(text.len() + SCALAR);
        self.writer().string(text);
    }

    /// For a value of up to `bytes` bytes and its head.
    pub(super) fn writer_of(&mut self, bytes: usize) -> Writer<'_> {
        self.reserve(bytes + SCALAR);
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
            self.edits.apply(self.out, self.base);
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
            room::reserve(self.out, more, || base + source.most());
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

    /// Drops the pairs of the innermost map whose key comes again, and gives their number.
    fn replace_repeated(&mut self, first_pair: usize) -> usize {
        let written = self.out.get_mut(self.base..).unwrap_or_default();
        let pairs = self.pairs.get_mut(first_pair..).unwrap_or_default();
        let dropped = if pairs.len() <= FEW { drop_few(written, pairs) } else { drop_many(written, pairs) };
        if dropped > 0 {
            self.edits.cut_dropped(written, pairs, self.source.text.len());
        }
        dropped
    }
}

/// Marks each of a few pairs whose key comes again.
fn drop_few(written: &mut [u8], pairs: &[u32]) -> usize {
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

/// The same for many: pairs with the same key stand side by side meanwhile, in their order.
fn drop_many(written: &mut [u8], pairs: &mut [u32]) -> usize {
    pairs
        .sort_unstable_by(|one, other| key_at(written, *one).cmp(key_at(written, *other)).then_with(|| one.cmp(other)));
    let mut dropped = 0;
    for pair in pairs.windows(2) {
        if let [one, next] = *pair
            && key_at(written, one) == key_at(written, next)
        {
            // Never looked at again: whatever stands before it has been compared with it already.
            Edits::drop_pair(written, one);
            dropped += 1;
        }
    }
    pairs.sort_unstable();
    dropped
}

/// The text of the key that begins at `start`, as `Writer::string` writes it.
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

/// The same in 32 bits, which are enough for any text within the limits.
fn position(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}
