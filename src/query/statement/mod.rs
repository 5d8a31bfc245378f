//! Statements: what a caller asks for, and how it is sent to the server at hand.
//!
//! Owns the request's types, what has to be known of a statement's text, and the differences between servers. Knows
//! nothing of results and transactions.

mod databases;
pub(super) mod inspect;
mod plan;
mod request;
mod tokens;

pub(super) use self::plan::{
    Plan, ServerOptions, Validated, accepted_by, database_of, validate_offloaded, validated, validated_parameters,
};
pub use self::{
    databases::{Alias, Aliases},
    request::{AccessMode, Category, NotificationFilter, Options, Parameters, Severity, Statement},
};
