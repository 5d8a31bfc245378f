//! Rows as an Arrow IPC stream: PackStream bytes in, record batches out.
//!
//! Owns how a Cypher value looks in Arrow, and how the type of a column is decided: from a sample of the first rows, or
//! by the request. Promises that only counts and bytes decide, never the clock; that a value which does not fit its
//! column is refused and never changed; and that no more is held than the sample or a batch. Knows nothing of HTTP,
//! routes or databases. No other room uses arrow-rs.

mod build;
mod declared;
mod misfit;
#[cfg(test)]
mod property_tests;
mod sample;
mod seen;
mod stream;
#[cfg(test)]
mod tests;
mod time;
mod types;

pub use declared::{Declared, MOST_SAMPLED, TYPE_NAMES};
pub use stream::Stream;
pub use types::Column;
