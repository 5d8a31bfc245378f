//! Growing lists that may become large.
//!
//! A `Vec` that is full doubles and holds both copies meanwhile, which would make a body of many small values take
//! several times what they need. A list that is large already grows once, to the most that its text can come to.

/// Up to this many bytes, doubling costs nothing worth saving.
const LARGE: usize = 256 * 1024;

/// Appends `item`; `most` is the number of items that `list` can come to.
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
    fn a_wrong_guess_does_no_harm() {
        let mut list = Vec::new();
        (0..1_000_000_u32).for_each(|item| push(&mut list, item, || 100_000));
        assert_eq!(list.len(), 1_000_000);
    }
}
