//! Explicit transactions: the registry of open ones, who may use them, and how a transaction completes. What operators
//! see of transactions of any kind.
//!
//! Promises that only its owner uses a transaction, one request at a time, and that an abandoned transaction
//! is rolled back. Knows nothing of statements and their results.

mod committed;
pub(super) mod completion;
mod guard;
mod handle;
mod listing;
mod permits;
mod registry;
mod store;
mod tombstones;

pub use self::{
    committed::Committed,
    handle::{
        HandleStyle, Transaction, TransactionHandle, TransactionSettings, instance_of, instance_of_decimal,
        unused_decimal_handle,
    },
    listing::{OpenTransaction, TransactionId, TransactionState},
};
pub(super) use self::{
    guard::TransactionGuard,
    registry::{Reservation, TransactionRegistry},
};
