//! Which identity may use which connection.
//!
//! Owns the idle connections of each identity ("bucket") under one cap over all, the fair order of those who wait, the way
//! in for strangers, the age of logins, the lifetime and liveness of idle connections, and the cleaning of those that were
//! left in the middle of something. Promises that a connection serves the identity that it has logged in as and no other,
//! that none is lent that is not provably clean, and that every wait has an end. Knows nothing of HTTP, JSON or Cypher.

mod buckets;
mod checkout;
mod cleaning;
mod error;
mod events;
mod freshness;
mod lease;
mod lending;
mod login_lane;
mod logins;
mod opening;
mod permits;
mod pooled;
mod registry;
mod settings;
mod shared;
mod slots;
mod verify;

pub use error::PoolError;
pub use lease::Lease;
pub use registry::{Pool, Status};
pub use settings::Settings;
