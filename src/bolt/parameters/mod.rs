//! Validating parameters for one server: values that it does not accept are refused before a byte is sent.
//!
//! Promises that no value passes that makes a server close the connection or that the server would silently change,
//! that nothing is copied unless it has to be rewritten, and that nothing recurses. Knows nothing of how the parameters
//! were written.
//!
//! The rules for Memgraph come from its Bolt decoder (5.2), and each was tried out.

mod accepts;
mod temporal;
mod validate;

pub use accepts::{Accepts, InvalidParameter};
pub use validate::validate_parameters;

#[cfg(test)]
mod tests;
