//! Tokens (JWT, RFC 7519) and their issuers: which of them count, and what they say.
//!
//! Owns the checks on a token, the issuers' keys, and how these are had from the network. Promises that nothing in a
//! token decides how it is checked: issuer, keys and algorithms are the operator's choice. Knows nothing of who sends
//! a token and what for.

mod claims;
mod error;
mod fetch;
mod keys;
mod remote;
mod self_test;
mod settings;
mod verifier;

pub use claims::{ClaimPath, unverified_expiry};
pub use error::{SetupError, TokenError};
pub use jsonwebtoken::Algorithm;
pub use settings::{IssuerSettings, KeySource, Settings};
pub use verifier::{Verified, Verifier};
