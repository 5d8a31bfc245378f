//! What the database has undone is carried out once in the end, whatever undid it and however often; everything else
//! is left to the caller.
//!
//! Runs against the fakes of Neo4j and Memgraph, whose statements fail as ordered.

mod messages;
mod once;
mod patience;
mod stand;
mod undone;
