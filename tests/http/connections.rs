//! How HTTP connections begin, go on and end: answers that come early, clients that close one half, heads and their
//! limits, idleness and age.
#![cfg(feature = "embedded")]
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

#[path = "connections/early.rs"]
mod early;
#[path = "connections/expect.rs"]
mod expect;
#[path = "connections/half_close.rs"]
mod half_close;
#[path = "connections/heads.rs"]
mod heads;
#[path = "connections/kept.rs"]
mod kept;
mod support;

const PATH: &str = "/db/neo4j/query/v2";
const GOOD: &str = r#"{"statement":"RETURN 1 AS a"}"#;
