//! What a request means: statements, results, explicit transactions, deadlines.
//!
//! Owns the order in which Bolt requests are sent and what their answers amount to, the open transactions, and
//! the error that every caller gets. Promises that a caller who stops listening costs the database nothing
//! for long: whatever is dropped half-way is cancelled and its wire recovered. Knows nothing of axum, headers,
//! status codes or JSON text; rows leave as PackStream bytes, into a [`RowSink`].

mod bookmark;
mod deadline;
mod engine;
mod error;
mod inspect;
mod plan;
mod reply;
mod rows;
mod statement;
mod transactions;

pub use engine::{Engine, Settings};
pub use error::{Error, Kind};
pub use rows::{End, Flow, Progress, RowRefused, RowSink, Rows};
pub use statement::{AccessMode, Category, NotificationFilter, Options, Severity, Statement};
pub use transactions::{Handle, Settings as TransactionSettings, Transaction};
