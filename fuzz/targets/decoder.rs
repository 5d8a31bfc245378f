//! Any bytes as sent by a database: the fields of a RECORD, and the parts of a summary.
#![no_main]

use boltgate::{
    bolt::{Summary, packstream::Reader},
    json::{
        TypedVersion, View,
        output::{self, RowError},
    },
};
use boltgate_fuzz::is_json;
use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;

const VIEWS: [View; 4] =
    [View::Plain, View::Typed(TypedVersion::V1_0), View::Typed(TypedVersion::V1_1), View::Typed(TypedVersion::V1_2)];

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    VIEWS.into_iter().for_each(|view| row(bytes, view));
    summary(bytes);
});

/// Reads tokens and whole values. Each step consumes at least one byte, so both loops end.
fn read(bytes: &[u8]) {
    let mut tokens = Reader::new(bytes);
    while !tokens.rest().is_empty() && tokens.token().is_ok() {}
    let mut values = Reader::new(bytes);
    while !values.rest().is_empty() && values.raw().is_ok_and(|value| !value.is_empty()) {}
}

fn row(bytes: &[u8], view: View) {
    let columns = Reader::new(bytes).expect_list().unwrap_or(1);
    let mut out = BytesMut::new();
    match output::row(&mut out, bytes, columns, view) {
        // Closed before the column that the view cannot represent.
        Ok(()) | Err(RowError::Unsupported { nested: false, .. }) => {
            assert!(is_json(&out), "{view:?}: {out:?}");
        }
        Err(_) => assert!(out.is_empty(), "half a row is left: {out:?}"),
    }
}

fn summary(bytes: &[u8]) {
    let _ = Summary::parse(bytes);
    whole(|out| output::counters(out, Some(bytes)).is_ok());
    whole(|out| output::notifications(out, Some(bytes), None) == Ok(true));
    whole(|out| output::notifications(out, None, Some(bytes)) == Ok(true));
    for view in VIEWS {
        whole(|out| output::plan(out, bytes, view) == Ok(true));
        whole(|out| output::profile(out, bytes, view) == Ok(true));
    }
}

/// The output is one complete JSON value, or empty.
fn whole(write: impl FnOnce(&mut BytesMut) -> bool) {
    let mut out = BytesMut::new();
    if write(&mut out) {
        assert!(is_json(&out), "{out:?}");
    } else {
        assert!(out.is_empty(), "half a value is left: {out:?}");
    }
}
