//! Batches: several statements in one transaction and one request, all of them applied or none.
//!
//! Owns what a batch is, how its statements are pipelined, and the sum of its counters. Promises that nothing is
//! applied unless COMMIT was sent. Knows nothing of JSON or HTTP.

mod counters;
mod execution;
mod parameter_sets;
mod pipeline;
mod request;

pub use self::{
    counters::Counters,
    execution::BatchExecution,
    parameter_sets::ParameterSets,
    request::{Batch, BatchEnd, BatchError, BatchSink, BatchStatement},
};
