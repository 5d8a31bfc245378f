//! What the database has undone is carried out once in the end, whatever undid it and however often; everything else
//! is left to the caller.
//!
//! Runs against the fakes of Neo4j and Memgraph, whose statements fail as ordered.
#![allow(unreachable_pub, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

#[path = "retries/once.rs"]
mod once;
#[path = "retries/patience.rs"]
mod patience;
#[path = "retries/stand.rs"]
mod stand;
#[path = "retries/undone.rs"]
mod undone;
#[path = "retries/words.rs"]
mod words;
