//! Statements: what a caller requests, and how it is sent to the server.
//!
//! Owns the request's types, the inspection of a statement's text, and the differences between servers. Knows nothing
//! of results and transactions.

mod databases;
mod denied;
mod handed_on;
pub(super) mod inspect;
mod notifications;
mod parameters;
mod parts;
mod plan;
pub(super) mod reading;
mod request;
mod server_options;
mod tokens;

pub(super) use self::{
    databases::Target,
    parameters::{PARAMETERS, Replacement, accepted_by, validate_offloaded, validated, validated_parameters},
    plan::{Plan, database_of},
    server_options::ServerOptions,
};
pub use self::{
    databases::{Alias, Aliases},
    denied::{Denied, hides_characters},
    notifications::{Category, NotificationFilter, Severity},
    parameters::Parameters,
    parts::{is_blank, parameters_in, single_statement},
    request::{AccessMode, Options, Statement},
};
