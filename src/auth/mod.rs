//! Who is asking: from an HTTP credential to an [`Identity`].
//!
//! Owns the reading of `Authorization`, the operator's choice of what becomes of it, the verifying of tokens, the
//! form in which they are passed on, and who may act as whom. Promises that two different credentials never get the
//! same key, that nothing in a token breaks out of the form it is put in, and that no secret is shown by `Debug`.
//! Knows nothing of Bolt's sockets and of pools; whether a login is any good, the database decides.

mod authenticator;
mod authorization;
mod error;
mod forward;
mod identity;
mod impersonation;
pub mod token;

pub use authenticator::{Authenticator, Inbound, Policy, Presented, ServiceAccount, Settings};
pub use error::{Error, ImpersonationRefused};
pub use forward::{Form, Unsendable};
pub use identity::{ByIdentity, Identity, IdentityKey};
pub use impersonation::{Impersonation, Rule};
