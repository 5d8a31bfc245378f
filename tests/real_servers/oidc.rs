//! Tokens of a real OpenID provider at the gateway's edge: which are let in, which are not, and what callers are told;
//! keys that are rotated, and a provider that goes away.

mod forged;
mod grants;
mod keys;
mod outages;
mod people;
mod stand;
