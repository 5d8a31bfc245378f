//! Named queries: statements in files that the operator has written, with typed and bounded parameters.
//!
//! Owns the files and their headers, the check of parameters from a query string or from JSON, and their description as
//! JSON Schema. Promises that nothing a caller sends becomes part of a statement's text, that every value has the type
//! and the bounds of the header before it reaches the database, and that all faulty parameters are reported at once, in
//! the header's order. Knows nothing of HTTP, routes or databases.

mod check;
mod convert;
mod file;
mod folder;
mod header;
mod json;
mod parameter;
mod query;
mod query_string;
mod returns;
mod schema;
#[cfg(test)]
mod tests;
mod types;

pub use check::{Code, Fault};
pub use file::FileError;
pub use folder::TOOLS;
pub use json::Unreadable;
pub use query::{Access, Queries, Query, RunAs, Scope, Shape};
pub use schema::ParametersSchema;
