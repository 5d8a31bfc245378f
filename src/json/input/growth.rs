//! Lists whose growth is bounded by the text that they are made from.
//!
//! A full `Vec` doubles and briefly holds both copies, so a body of many small values would take several times what
//! they need. A list that is already large grows only once, to the largest size that its text allows.

/// The size in bytes up to which doubling is cheap enough.
const LARGE: usize = 256 * 1024;

/// Appends `item`. `most` returns the number of items that `list` can have.
pub(super) fn push<T>(list: &mut Vec<T>, item: T, most: impl FnOnce() -> usize) {
    if list.len() == list.capacity() {
        reserve(list, 1, most);
    }
    list.push(item);
}

/// Makes room for `more` items.
#[cold]
pub(super) fn reserve<T>(list: &mut Vec<T>, more: usize, most: impl FnOnce() -> usize) {
    let needed = list.len() + more;
    let most = if needed * size_of::<T>() >= LARGE { most() } else { 0 };
    if most > needed { list.reserve_exact(most - list.len()) } else { list.reserve(more) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_list_grows_once() {
        let mut list = Vec::new();
        let mut sizes = Vec::new();
        for item in 0..1_000_000_u32 {
            push(&mut list, item, || 1_000_000);
            if sizes.last() != Some(&list.capacity()) {
                sizes.push(list.capacity());
            }
        }
        assert_eq!(sizes.last_chunk::<2>(), Some(&[LARGE / 4, 1_000_000]));
    }

    #[test]
    fn a_bound_that_is_too_low_is_harmless() {
        let mut list = Vec::new();
        (0..1_000_000_u32).for_each(|item| push(&mut list, item, || 100_000));
        assert_eq!(list.len(), 1_000_000);
    }
}
