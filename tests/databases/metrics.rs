//! The metrics: what the text says, and that every number is what happened.

mod counted;
mod load;
mod pool;
mod refusals;
mod text;
