//! The database is not there, comes back, goes away, or is something else: what callers are told, and that they need
//! nobody to restart the gateway.

mod absent;
mod address;
mod frozen;
mod lost;
mod silent;

// A gateway without sockets, so that time can pass by itself.
use super::cancel::stand as in_memory;
