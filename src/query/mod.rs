//! What a request means: statements, results, explicit transactions, deadlines.
//!
//! Owns the order in which Bolt requests are sent and what their answers amount to, the open transactions, and
//! the error that every caller gets. Promises that a caller who stops listening costs the database nothing
//! for long: whatever is dropped half-way is cancelled and its wire recovered. Knows nothing of axum, headers,
//! status codes or JSON text; rows leave as PackStream bytes, into a [`RowSink`].

mod batch;
mod bookmark;
mod deadline;
mod engine;
mod error;
mod offload;
mod reply;
mod result;
mod retry;
mod running;
mod settings;
mod statement;
mod transaction;

pub use batch::{Batch, BatchEnd, BatchError, BatchExecution, BatchSink, BatchStatement, Counters, ParameterSets};
pub use engine::{Engine, StartedBatch};
pub use error::{Error, Kind};
pub use offload::{OFFLOAD_ABOVE, offload};
pub use result::{Flow, Progress, ResultEnd, RowRefused, RowSink, Rows, StartedStatement};
pub use retry::{Attempted, Retry};
pub use running::{RunningStatement, StatementState};
pub use settings::Settings;
pub use statement::{
    AccessMode, Alias, Aliases, Category, NotificationFilter, Options, Parameters, Severity, Statement,
};
pub use transaction::{Committed, Transaction, TransactionHandle, TransactionSettings};
