//! Authentication: from an HTTP credential to an [`Identity`].
//!
//! Owns the parsing of `Authorization`, the operator's policy for each kind of credential, the verification of tokens,
//! the form in which tokens are forwarded, impersonation rules, and rules that say who may do something. Promises that two different credentials never get
//! the same key, that nothing in a token can break out of the form in which it is forwarded, and that `Debug` shows no
//! secret. Knows nothing of Bolt's sockets or of pools. Whether a login is valid is for the database to decide.

mod authenticator;
mod authorization;
mod challenge;
mod error;
mod forward;
mod identity;
mod impersonation;
pub mod token;
mod who;

pub use authenticator::{Authenticator, CredentialHeaders, Inbound, Policy, ServiceAccount, Settings};
pub use challenge::{Accepted, Challenge};
pub use error::{Error, ImpersonationRefused};
pub use forward::{Form, Unsendable};
pub use identity::{ByIdentity, CallerLabel, Identity, IdentityKey};
pub use impersonation::{Impersonation, Rule};
pub use who::WhoRules;
