//! The process from the outside: listeners, connections, and the graceful stop. Puts the other rooms together.
//!
//! Owns accepting, TLS of clients, the timeouts of slow clients, and the order of a graceful stop. Promises that a stop lets requests
//! finish within the time allowed and rolls back open transactions. Knows nothing of Cypher or JSON.

mod acceptor;
mod admin_thread;
mod bound;
mod check;
mod connection;
mod descriptors;
mod handle;
mod listener;
mod local;
#[cfg(test)]
mod memory;
mod named;
mod reload;
mod settings;
mod start;
mod start_error;
mod tcp;
#[cfg(test)]
mod tests;
mod tls;
mod unix;
mod workers;

pub use check::{check, check_named};
pub use descriptors::{Shortage, provide_descriptors};
pub use handle::ServerHandle;
pub use local::LocalGateway;
pub use reload::{ReloadError, Reloader};
pub use start::{named_queries, network_endpoint, start};
pub use start_error::StartError;
pub use tls::TlsFileError;
pub use workers::Workers;
