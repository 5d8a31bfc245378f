//! `/db/{db}/named`: the named queries that a caller may call, and their calls.
//!
//! Promises that queries that are unknown, forbidden, or not for this database get the same answer, and that a caller
//! whom the database does not accept learns only that.

mod cached;
mod call;
mod describe;
mod faults;
mod list;
mod run;

pub(super) use call::call;
pub(super) use describe::described;
pub use describe::openapi_with;
pub(super) use list::list;
#[cfg(feature = "mcp")]
pub(super) use run::{options, told_of};
