//! Batches: several statements in one transaction and one request, all of them applied or none.
//!
//! Owns what a batch is, how its statements are pipelined, and the sum of its counters. Promises that nothing is
//! applied unless COMMIT was sent. Knows nothing of JSON or HTTP.

mod counters;
mod execution;
mod parameter_sets;
mod request;

pub use self::{
    counters::Counters,
    execution::Script,
    parameter_sets::Runs,
    request::{Batch, BatchBegun, BatchEnd, BatchError, BatchSink, BatchStatement},
};
