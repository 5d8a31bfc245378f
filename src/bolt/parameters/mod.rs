//! Fits parameters to one server: what it cannot take is refused here, before a byte is sent.
//!
//! Promises that nothing passes that would make a server close the connection or change a value in silence, that
//! nothing is copied where nothing changes, and no recursion. Knows nothing of how the parameters were written.
//!
//! Source for Memgraph: its Bolt decoder, tried out piece by piece (5.2).

mod accepts;
mod temporal;
mod validate;

pub use accepts::{Accepts, InvalidParameter};
pub use validate::validate_parameters;

#[cfg(test)]
mod tests;
