//! Which identity may use which connection.
//!
//! Owns the idle connections of each identity (a "bucket") under one cap over all identities, the fair order of waiting
//! callers, the login lane for unverified callers, the age of logins, the lifetime and liveness of idle connections,
//! and the cleaning of connections that a caller abandoned. Promises that a connection serves only the identity that it
//! is logged in as, that only a clean connection is lent, and that every wait is bounded. Knows nothing of HTTP, JSON
//! or Cypher.
//!
//! deadpool stores the idle connections: one unmanaged pool for each identity and runtime (`buckets.rs`).

mod buckets;
mod checkout;
mod cleaning;
mod error;
mod events;
mod figures;
mod freshness;
mod lease;
mod lending;
mod login_lane;
mod logins;
mod opening;
mod permits;
mod pooled;
mod recovering;
mod registry;
mod settings;
mod shared;
mod slots;
mod verify;
mod waiting;

pub use error::PoolError;
pub use figures::{CallerFigures, Figures};
pub use lease::Lease;
pub use registry::{Pool, Status};
pub use settings::Settings;
