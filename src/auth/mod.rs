//! Who is asking: from an HTTP credential to an [`Identity`].
//!
//! Owns the reading of `Authorization` and the identity's key. Promises that two different credentials never get
//! the same key, and that no secret is shown by `Debug`. Knows nothing of sockets and pools; whether a credential
//! is any good, the database decides.

mod authorization;
mod identity;

pub use authorization::{InvalidAuthorization, credentials};
pub use identity::{Identities, Identity, IdentityKey};
