//! The Query API in front of Memgraph: what its users do, what its protocol punishes, and what it has that Neo4j has
//! not, over a fake of versions before, in and after those that glue failures to rows.

#[cfg(feature = "mcp")]
mod agents;
mod cancelled;
mod commits;
mod errors;
mod identities;
mod mixed;
mod names;
mod parameters;
mod reading;
mod session_limits;
mod sessions;
mod slow_readers;
mod stand;
mod statements;
mod stubborn;
mod termination;

// A gateway without sockets, so that time can pass by itself.
use super::cancel::stand as in_memory;
