//! Any query string, and any body, as the parameters of a named query: what is accepted is a map that can be read.
#![no_main]

use std::{path::Path, sync::LazyLock};

use boltgate::{
    bolt::packstream::Reader,
    json::{TypedVersion, View, input::Limits},
    named::Queries,
};
use libfuzzer_sys::fuzz_target;

static QUERIES: LazyLock<Queries> = LazyLock::new(|| {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../config/named"));
    Queries::load(folder).expect("the queries that come along are good")
});

fuzz_target!(|text: &str| {
    for query in QUERIES.all() {
        let given = [
            query.parameters_from_query_string(text).ok(),
            query.parameters_from_json(text, View::Plain, Limits::default()).ok(),
            query.parameters_from_json(text, View::Typed(TypedVersion::V1_2), Limits::default()).ok(),
        ];
        for map in given.into_iter().flatten() {
            let mut reader = Reader::new(&map);
            reader.skip().expect("a whole value");
            assert!(reader.rest().is_empty(), "and nothing else");
        }
    }
});
