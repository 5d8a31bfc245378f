//! Tokens of a real OpenID provider at the gateway's edge: which are let in, which are not, and what callers are told;
//! keys that turn, and a provider that goes away.
#![allow(unreachable_pub, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

#[path = "oidc/forged.rs"]
mod forged;
#[path = "oidc/grants.rs"]
mod grants;
#[path = "oidc/keys.rs"]
mod keys;
#[path = "oidc/outages.rs"]
mod outages;
#[path = "oidc/people.rs"]
mod people;
#[path = "oidc/stand.rs"]
mod stand;
