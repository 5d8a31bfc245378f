//! The engine: its handles, its transactions, and one statement's way through it.
//!
//! Owns everything that calls `graphdblite` to run a statement, in this process or in one for each handle. Promises one
//! transaction per handle, and a bounded number of handles. Every call blocks. Knows nothing of Bolt messages.

pub(in crate::embedded) mod child;
pub(in crate::embedded) mod handle;
pub(in crate::embedded) mod local;
mod pool;
pub(in crate::embedded) mod query;
pub(in crate::embedded) mod serve;
mod side;
pub(in crate::embedded) mod store;
pub(in crate::embedded) mod transaction;
mod wire;

#[cfg(test)]
mod language;
