//! The names of a result's columns.

use bytes::BytesMut;

use crate::{
    bolt::{Columns, packstream::Reader},
    json::output,
};

/// Writes all names as a list of strings.
pub(super) fn names(out: &mut BytesMut, columns: &Columns) {
    out.extend_from_slice(b"[");
    for (column, name) in each(columns).enumerate() {
        if column > 0 {
            out.extend_from_slice(b",");
        }
        output::string(out, name);
    }
    out.extend_from_slice(b"]");
}

/// The name of one column.
pub(super) fn name(columns: &Columns, column: usize) -> &str {
    each(columns).nth(column).unwrap_or_default()
}

/// All names in order. The list was checked when it was received: it holds strings.
pub(in crate::http) fn each(columns: &Columns) -> impl Iterator<Item = &str> {
    let mut reader = Reader::new(&columns.list);
    let count = reader.expect_list().unwrap_or(0);
    (0..count).map_while(move |_| reader.expect_string().ok())
}
