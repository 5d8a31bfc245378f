//! The driver neo4rs, configured like the other contenders.

use anyhow::Result;
use neo4rs::{ConfigBuilder, Graph};

/// The maximum number of connections to the database, as in Boltgate and the official drivers.
const CONNECTIONS: usize = 100;

/// The number of rows per fetch, as in the official drivers.
const FETCH_SIZE: usize = 1000;

/// Returns a pool of connections to the database `neo4j` at `host:port`.
///
/// # Errors
/// Returns an error if `address` is not an address.
pub fn connect(address: &str, user: &str, password: &str) -> Result<Graph> {
    let config = ConfigBuilder::default()
        .uri(format!("bolt://{address}"))
        .user(user)
        .password(password)
        .db("neo4j")
        .max_connections(CONNECTIONS)
        .fetch_size(FETCH_SIZE)
        .build()?;
    Ok(Graph::connect(config)?)
}
