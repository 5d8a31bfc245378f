//! The process from the outside: listeners, connections, and how they end.
//!
//! Owns the accept loop, the deadlines of slow clients, and the order of a graceful stop. Promises that a stop
//! finishes what runs, within the time allowed, and rolls back what is open. Knows nothing of Cypher or JSON.

mod accept;
mod activity;
mod callers;
mod connection;
mod departure;
mod exchange;
mod linger;
mod pace;
mod peers;
mod socket;
mod stall;
mod start;
mod streams;
mod upload;
mod workers;

pub use start::{Running, StartError, check, network_endpoint, start};
pub use workers::Workers;
