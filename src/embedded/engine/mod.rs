//! The engine: its handles, its transactions, and one statement's way through it.
//!
//! Owns everything that calls `graphdblite` to run a statement. Promises one transaction per handle, and a bounded number of
//! handles. Every call blocks. Knows nothing of Bolt messages.

pub(in crate::embedded) mod local;
pub(in crate::embedded) mod query;
mod side;
pub(in crate::embedded) mod store;
pub(in crate::embedded) mod transaction;

#[cfg(test)]
mod language;
