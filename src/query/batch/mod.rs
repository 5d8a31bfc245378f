//! Batches: several statements in one request and one transaction, of their own or an open one; they succeed together or
//! not at all.
//!
//! Owns the types of a batch, the pipelining of its statements, and the sum of its counters. Promises that COMMIT is
//! sent only after all statements have succeeded. Knows nothing of JSON or HTTP.

mod counters;
mod execution;
mod look_up;
mod parameter_sets;
mod pipeline;
mod request;
mod scope;

pub(super) use self::scope::BatchScope;
pub use self::{
    counters::Counters,
    execution::{BatchExecution, StartedBatch},
    parameter_sets::ParameterSets,
    request::{Batch, BatchEnd, BatchError, BatchSink, BatchStatement, MissingNode},
};
