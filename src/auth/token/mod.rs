//! Tokens (JWT, RFC 7519) and their issuers: which tokens are accepted, and what they say.
//!
//! Owns the checks on a token, the issuers' keys, and the fetching of these keys over the network. Promises that
//! nothing in a token decides how it is checked: the operator chooses issuers, keys and algorithms. Knows nothing of
//! who sends a token or why.

mod claims;
mod error;
mod fetch;
mod keys;
mod remote;
mod self_test;
mod settings;
mod verifier;

pub(in crate::auth) use claims::claims_in;
pub use claims::{ClaimPath, unverified_expiry};
pub use error::{SetupError, TokenError};
pub use jsonwebtoken::Algorithm;
pub use settings::{IssuerSettings, KeySource, Settings};
pub use verifier::{Verified, Verifier};
