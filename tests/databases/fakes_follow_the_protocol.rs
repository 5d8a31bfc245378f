//! The fakes behave as the servers do: the recorded bytes of both, their closures and their traps.
//!
//! With `BOLTGATE_TEST_NEO4J_BOLT` naming a real Neo4j without authentication, and `BOLTGATE_TEST_NEO4J_AUTH_BOLT` one
//! with it, the same messages go to it and to the fake, and the answers must be alike.

mod codec;
mod memgraph;
mod memgraph_front_end;
mod memgraph_logins;
mod memgraph_statements;
mod memgraph_traps;
mod neo4j;
mod neo4j_logins;
mod neo4j_session;
mod neo4j_statements;
mod peer;
