//! Explicit transactions: the registry of open ones, who may use them, and how a transaction completes.
//!
//! Promises that a transaction is used by its owner only, by one request at a time, and that it is rolled back when
//! nobody uses it any more. Knows nothing of statements' results.

mod committed;
pub(super) mod completion;
mod guard;
mod handle;
mod permits;
mod registry;
mod store;
mod tombstones;

pub use self::{
    committed::Committed,
    handle::{Transaction, TransactionHandle, TransactionSettings},
};
pub(super) use self::{
    guard::TransactionGuard,
    registry::{Reservation, TransactionRegistry},
};
