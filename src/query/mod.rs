//! Executes requests on the database: statements, batches, explicit transactions, with deadlines and retries.
//!
//! Owns the order of Bolt requests and the meaning of their replies, the open transactions, the running statements, and
//! the error type that callers see. Promises that a caller who stops listening costs the database nothing for long:
//! whatever is dropped half-way is cancelled, and its connection is recovered. Knows nothing of axum, headers, statuses
//! or JSON; rows leave as PackStream bytes, into a [`RowSink`].

mod batch;
mod bookmark;
mod call;
mod deadline;
mod engine;
mod error;
mod offload;
mod reply;
mod report;
mod result;
mod retry;
mod running;
mod settings;
mod slow;
mod statement;
mod transaction;

pub use batch::{
    Batch, BatchEnd, BatchError, BatchExecution, BatchSink, BatchStatement, Counters, MissingNode, ParameterSets,
    StartedBatch,
};
pub use bookmark::is_placeholder;
pub use call::Call;
pub use engine::{Ending, Engine, Excerpt};
pub use error::{Error, Kind};
pub use offload::{OFFLOAD_ABOVE, offload};
pub use result::{Discarded, Flow, Progress, ResultEnd, ResultLimits, RowRefused, RowSink, Rows, StartedStatement};
pub use retry::{Attempted, Retry};
pub use running::{RunningStatement, StatementKind, StatementState};
pub use settings::Settings;
pub use statement::{
    AccessMode, Alias, Aliases, Category, Denied, NotificationFilter, Options, Parameters, Severity, Statement,
    hides_characters, inspect::may_commit_in_batches as commits_in_batches, is_blank, parameters_in, single_statement,
};
pub use transaction::{
    Committed, HandleStyle, OpenTransaction, Transaction, TransactionHandle, TransactionId, TransactionSettings,
    TransactionState, instance_of, instance_of_decimal, unused_decimal_handle,
};
