//! The process from the outside: listeners, connections, and how they end.
//!
//! Owns the accept loop, the deadlines of slow clients, and the order of a graceful stop. Promises that a stop
//! finishes what runs, within the time allowed, and rolls back what is open. Knows nothing of Cypher or JSON.

mod acceptor;
mod connection;
mod handle;
mod listener;
#[cfg(test)]
mod memory;
mod settings;
mod start;
mod tcp;
mod workers;

pub use handle::ServerHandle;
pub use start::{StartError, check, network_endpoint, start};
pub use workers::Workers;
