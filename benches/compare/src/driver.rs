//! The driver neo4rs, set up as the other contenders are.

use anyhow::Result;
use neo4rs::{ConfigBuilder, Graph};

/// Most connections to the database, as in Boltgate and the official drivers.
const CONNECTIONS: usize = 100;

/// Rows fetched at a time, as in the official drivers.
const FETCH_SIZE: usize = 1000;

/// A pool of connections to the database `neo4j` at `host:port`.
///
/// # Errors
/// When the address is no address.
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
