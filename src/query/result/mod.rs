//! Results: how rows are fetched from the database, where they go, and how a result ends.
//!
//! Promises backpressure: the next batch of rows is requested only when the sink has taken the one before. Knows rows
//! as PackStream bytes only, not how a sink encodes them.

mod fetch_size;
mod limits;
mod progress;
mod rows;
mod scope;
mod sink;
mod slow_reader;

pub(super) use self::{
    fetch_size::{FetchSize, pull_first},
    limits::RowLimit,
    rows::MIN_HELD_BACK,
    scope::TransactionScope,
    slow_reader::slow_reader_timeout,
};
pub use self::{
    limits::ResultLimits,
    progress::{Progress, ResultEnd},
    rows::{Rows, StartedStatement},
    sink::{Discarded, Flow, RowRefused, RowSink},
};
