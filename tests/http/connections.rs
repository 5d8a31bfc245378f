//! How HTTP connections begin, go on and end: answers that come early, clients that close one half, heads and their
//! limits, idleness and age.
#![cfg(feature = "embedded")]

mod early;
mod expect;
mod half_close;
mod heads;
mod kept;

const PATH: &str = "/db/neo4j/query/v2";
const GOOD: &str = r#"{"statement":"RETURN 1 AS a"}"#;
