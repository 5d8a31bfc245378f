//! Which identity may use which wire.
//!
//! Owns one deadpool per identity ("bucket") under one cap over all, the lifetime and liveness of idle wires, and
//! the cleaning of wires that were left in the middle of something. Promises that a wire serves one identity
//! only, and that none is lent that is not provably clean. Knows nothing of HTTP, JSON or Cypher.

mod lease;
mod manager;
mod registry;

pub use lease::Lease;
pub use registry::{Pool, PoolError, Settings, Status};
