//! One row of a result as a JSON object.

use bytes::{BufMut, BytesMut};

use super::error::RowError;
use super::row::{LONGEST_TEXT, begin, end};
use super::{text, value};
use crate::json::View;

/// The keys of the objects of one result: the names of its columns, each followed by a number where an earlier column
/// has the same name (`n`, `n_2`).
#[derive(Debug, Default)]
pub struct ObjectKeys {
    /// Each key as it stands in the object: quoted, with what comes before and after it.
    text: Vec<u8>,
    /// The offset in `text` at which each key ends.
    ends: Vec<usize>,
}

impl ObjectKeys {
    /// The keys for columns of these names.
    #[must_use]
    pub fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let (mut out, mut ends) = (BytesMut::new(), Vec::new());
        for name in distinct_names(names) {
            out.put_u8(if ends.is_empty() { b'{' } else { b',' });
            text::string(&mut out, &name);
            out.put_u8(b':');
            ends.push(out.len());
        }
        Self { text: out.to_vec(), ends }
    }

    /// The names of the members, as JSON strings.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.each().map(|key| key.get(1..key.len().saturating_sub(1)).unwrap_or_default())
    }

    fn each(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| self.text.get(start..end).unwrap_or_default())
    }
}

/// The names, all different: the second, third … column of the same name gets the next free number.
#[must_use]
pub fn distinct_names<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let names: Vec<&str> = names.collect();
    let mut taken: std::collections::HashSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut next: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
    names
        .iter()
        .map(|&name| {
            let number = next.entry(name).or_insert(1);
            if *number == 1 {
                *number = 2;
                return name.to_owned();
            }
            loop {
                let numbered = format!("{name}_{number}");
                *number += 1;
                if taken.insert(numbered.clone()) {
                    return numbered;
                }
            }
        })
        .collect()
}

/// Appends one row as `{"a":1,"b":2}`. `fields` is the list of a record in PackStream; it must have as many values as
/// there are keys.
///
/// # Errors
/// When a value is invalid or too long. Then `out` is unchanged.
pub fn object_row(out: &mut BytesMut, fields: &[u8], keys: &ObjectKeys) -> Result<(), RowError> {
    let start = out.len();
    let written = object(out, fields, keys);
    if written.is_err() {
        out.truncate(start);
    }
    written
}

fn object(out: &mut BytesMut, fields: &[u8], keys: &ObjectKeys) -> Result<(), RowError> {
    let mut reader = begin(fields, keys.ends.len())?;
    let limit = out.len().saturating_add(LONGEST_TEXT);
    for key in keys.each() {
        out.put_slice(key);
        value::value_within(out, &mut reader, View::Plain, limit)?;
    }
    out.put_slice(if keys.ends.is_empty() { b"{}" } else { b"}" });
    end(&reader)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_the_same_name_are_numbered() {
        for (names, expected) in [
            (&["a", "b"][..], &["a", "b"][..]),
            (&["a", "a", "a"], &["a", "a_2", "a_3"]),
            (&["a", "a_2", "a", "a_2"], &["a", "a_2", "a_3", "a_2_2"]),
            (&["a", "a", "a_2"], &["a", "a_3", "a_2"]),
        ] {
            assert_eq!(distinct_names(names.iter().copied()), expected, "{names:?}");
        }
    }

    #[test]
    fn a_row_is_an_object_in_column_order() {
        let keys = ObjectKeys::new(["b", "a \"x\"", "b"].into_iter());
        let mut out = BytesMut::from(".");
        object_row(&mut out, &[0x93, 1, 0xC0, 0x81, b'c'], &keys).unwrap();
        assert_eq!(out, r#".{"b":1,"a \"x\"":null,"b_2":"c"}"#);
        assert_eq!(keys.names().collect::<Vec<_>>(), [&b"\"b\""[..], b"\"a \\\"x\\\"\"", b"\"b_2\""]);
    }

    #[test]
    fn a_row_that_cannot_be_shown_leaves_nothing() {
        let keys = ObjectKeys::new(["a", "b"].into_iter());
        let mut out = BytesMut::from("kept");
        for fields in [&[0x92, 1, 0x81, 0xFF][..], &[0x91, 1], &[0x92, 1, 2, 3]] {
            assert!(object_row(&mut out, fields, &keys).is_err());
            assert_eq!(out, "kept");
        }
    }
}
