//! Which identity may use which wire.
//!
//! Owns one deadpool per identity and runtime ("bucket") under one cap over all, the fair order of those who wait, the age of
//! logins, the lifetime and liveness of idle wires, and the cleaning of wires that were left in the middle of
//! something. Promises that a wire serves the identity that it has logged in as and no other, and that none is lent
//! that is not provably clean. Knows nothing of HTTP, JSON or Cypher.

mod buckets;
mod lease;
mod logins;
mod manager;
mod registry;
mod trust;
mod turns;

pub use lease::Lease;
pub use registry::{Pool, PoolError, Settings, Status};
