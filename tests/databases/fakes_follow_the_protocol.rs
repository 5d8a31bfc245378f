//! The fakes behave as the servers do: the recorded bytes of both, their closures and their traps.
//!
//! With `BOLTGATE_TEST_NEO4J_BOLT` naming a real Neo4j without authentication, and `BOLTGATE_TEST_NEO4J_AUTH_BOLT` one
//! with it, the same messages go to it and to the fake, and the answers must be alike.
#![allow(unreachable_pub, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

#[path = "support/bolt/mod.rs"]
mod bolt;
#[path = "fakes_follow_the_protocol/codec.rs"]
mod codec;
#[path = "fakes_follow_the_protocol/memgraph.rs"]
mod memgraph;
#[path = "fakes_follow_the_protocol/memgraph_front_end.rs"]
mod memgraph_front_end;
#[path = "fakes_follow_the_protocol/memgraph_logins.rs"]
mod memgraph_logins;
#[path = "fakes_follow_the_protocol/memgraph_statements.rs"]
mod memgraph_statements;
#[path = "fakes_follow_the_protocol/memgraph_traps.rs"]
mod memgraph_traps;
#[path = "fakes_follow_the_protocol/neo4j.rs"]
mod neo4j;
#[path = "fakes_follow_the_protocol/neo4j_logins.rs"]
mod neo4j_logins;
#[path = "fakes_follow_the_protocol/neo4j_session.rs"]
mod neo4j_session;
#[path = "fakes_follow_the_protocol/neo4j_statements.rs"]
mod neo4j_statements;
#[path = "fakes_follow_the_protocol/peer.rs"]
mod peer;
#[path = "fakes_follow_the_protocol/real_neo4j.rs"]
mod real_neo4j;
