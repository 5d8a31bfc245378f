//! What a request means: statements, results, explicit transactions, deadlines.
//!
//! Owns the order in which Bolt requests are sent and what their answers amount to, the open transactions, and
//! the error that every caller gets. Promises that a caller who stops listening costs the database nothing
//! for long: whatever is dropped half-way is cancelled and its wire recovered. Knows nothing of axum, headers,
//! status codes or JSON text; rows leave as PackStream bytes, into a [`RowSink`].

mod batch;
mod bookmark;
mod classify;
mod committed;
mod counters;
mod databases;
mod deadline;
mod elsewhere;
mod ending;
mod engine;
mod error;
mod explicit;
mod inspect;
mod places;
mod plan;
mod reading;
mod reply;
mod retry;
mod rows;
mod running;
mod runs;
mod script;
mod sink;
mod statement;
mod tokens;
mod tombstones;
mod transactions;
mod window;

pub use batch::{Batch, BatchBegun, BatchEnd, BatchError, BatchSink, BatchStatement};
pub use committed::Committed;
pub use counters::Counters;
pub use databases::{Alias, Aliases};
pub use elsewhere::{LARGE, elsewhere};
pub use engine::{Attempted, Engine, Settings};
pub use error::{Error, Kind};
pub use retry::Retry;
pub use rows::{Begun, End, Progress, Rows};
pub use running::{RunningStatement, State};
pub use runs::Runs;
pub use script::Script;
pub use sink::{Flow, RowRefused, RowSink};
pub use statement::{AccessMode, Category, NotificationFilter, Options, Parameters, Severity, Statement};
pub use transactions::{Handle, Settings as TransactionSettings, Transaction};
