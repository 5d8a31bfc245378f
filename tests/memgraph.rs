//! The Query API in front of Memgraph: what its users do, what its protocol punishes, and what it has that Neo4j has
//! not, over a fake of versions before, in and after those that glue failures to rows.
#![allow(unreachable_pub, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

#[path = "memgraph/errors.rs"]
mod errors;
#[path = "memgraph/identities.rs"]
mod identities;
#[path = "memgraph/parameters.rs"]
mod parameters;
#[path = "memgraph/sessions.rs"]
mod sessions;
#[path = "memgraph/stand.rs"]
mod stand;
#[path = "memgraph/statements.rs"]
mod statements;
