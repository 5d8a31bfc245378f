//! The Query API in front of Memgraph: what its users do, what its protocol punishes, and what it has that Neo4j has
//! not, over a fake of versions before, in and after those that glue failures to rows.
#![allow(unreachable_pub, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

#[path = "memgraph/cancelled.rs"]
mod cancelled;
#[path = "memgraph/commits.rs"]
mod commits;
#[path = "memgraph/errors.rs"]
mod errors;
#[path = "memgraph/identities.rs"]
mod identities;
// A gateway without sockets, so that time can pass by itself.
#[allow(dead_code, reason = "it has more than is needed here")]
#[path = "cancel/stand.rs"]
mod in_memory;
#[path = "memgraph/mixed.rs"]
mod mixed;
#[path = "memgraph/names.rs"]
mod names;
#[path = "memgraph/parameters.rs"]
mod parameters;
#[path = "memgraph/reading.rs"]
mod reading;
#[path = "memgraph/session_limits.rs"]
mod session_limits;
#[path = "memgraph/sessions.rs"]
mod sessions;
#[path = "memgraph/slow_readers.rs"]
mod slow_readers;
#[path = "memgraph/stand.rs"]
mod stand;
#[path = "memgraph/statements.rs"]
mod statements;
#[path = "memgraph/stubborn.rs"]
mod stubborn;
#[path = "memgraph/termination.rs"]
mod termination;
