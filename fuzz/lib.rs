//! What the fuzz targets share: the checks of their output.
//!
//! Promises to panic with a description if bytes are not what they have to be. Knows nothing of targets.

use std::collections::HashSet;

use boltgate::{
    bolt::{
        parameters::{Accepts, validate_parameters},
        packstream::{Reader, Token},
    },
    json::input::{Lexer, Limits, Token as Json, encoding},
};
use serde::{Deserialize as _, de::IgnoredAny};

/// A server that accepts everything: Neo4j, Bolt 6.1.
pub const NEO4J: Accepts = Accepts {
    utc: true,
    bytes: true,
    zoned_time: true,
    vector: true,
    uuid: true,
    memgraph_temporals: false,
    max_depth: 1000,
    max_elements: usize::MAX,
};
/// Neo4j with Bolt 4.2, where date-times are rewritten.
pub const OLD: Accepts = Accepts { utc: false, vector: false, uuid: false, ..NEO4J };
/// The server with the fewest types and the narrowest ranges.
pub const MEMGRAPH: Accepts = Accepts {
    bytes: false,
    zoned_time: false,
    memgraph_temporals: true,
    max_depth: 128,
    max_elements: 1_000_000,
    ..OLD
};

/// Whether `text` is one JSON value and nothing else.
#[must_use]
pub fn is_json(text: &[u8]) -> bool {
    let mut json = serde_json::Deserializer::from_slice(text);
    std::str::from_utf8(text).is_ok() && IgnoredAny::deserialize(&mut json).is_ok() && json.end().is_ok()
}

/// Whether `text` begins with a JSON value.
fn begins_with_json(text: &str) -> bool {
    IgnoredAny::deserialize(&mut serde_json::Deserializer::from_str(text)).is_ok()
}

/// Reads `body` like the body of a request, up to its first brace, and lets `read` take the object from there. Accepted
/// input must be JSON and must become valid parameters.
pub fn parameters<E>(body: &[u8], read: impl FnOnce(&mut Lexer<'_>, &mut Vec<u8>) -> Result<(), E>) {
    let Ok(text) = encoding::decode(body) else {
        return;
    };
    let mut lexer = Lexer::new(&text, Limits::default());
    if lexer.token() != Ok(Json::ObjectStart) {
        return;
    }
    let mut out = Vec::new();
    if read(&mut lexer, &mut out).is_err() {
        return;
    }
    assert!(begins_with_json(&text), "accepted what is no JSON: {text:?}");
    assert_is_map(&out);
    for accepts in [&NEO4J, &OLD, &MEMGRAPH] {
        if let Ok(validated) = validate_parameters("parameters", &out, accepts) {
            assert_is_map(&validated);
        }
    }
}

/// The open collections while a value is traversed.
enum Open<'a> {
    Items(usize),
    Pairs(usize, HashSet<&'a str>),
}

/// Panics unless `bytes` are exactly one map in which no key occurs twice, at any depth.
pub fn assert_is_map(bytes: &[u8]) {
    let mut reader = Reader::new(bytes);
    let pairs = reader.expect_map().expect("parameters are a map");
    let mut open = vec![Open::Pairs(pairs, HashSet::new())];
    while let Some(innermost) = open.last_mut() {
        let left = match innermost {
            Open::Items(left) => left,
            Open::Pairs(left, keys) => {
                if *left > 0 {
                    let key = reader.expect_string().expect("a key is a string");
                    assert!(keys.insert(key), "the key {key:?} stands twice");
                }
                left
            }
        };
        if *left == 0 {
            open.pop();
            continue;
        }
        *left -= 1;
        match reader.token().expect("a value is PackStream") {
            Token::List(items) | Token::Struct(_, items) => open.push(Open::Items(items)),
            Token::Map(pairs) => open.push(Open::Pairs(pairs, HashSet::new())),
            _ => {}
        }
    }
    assert!(reader.rest().is_empty(), "bytes behind the parameters");
}
