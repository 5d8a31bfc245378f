//! The reasons for which a caller is refused, in words that the caller may see.

use thiserror::Error;

use super::{forward::Unsendable, token::TokenError};

/// A credential that is refused before the database has seen it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The header is neither `Basic …` nor `Bearer …`. The message is Neo4j's own.
    #[error("Invalid authentication header.")]
    Malformed,
    /// A credential is required and missing. The message is Neo4j's own.
    #[error("No authentication header supplied.")]
    Missing,
    /// The operator does not accept credentials of this kind.
    #[error("This gateway does not accept {what} ({setting}){instead}.")]
    NotAccepted {
        /// The kind of credentials.
        what: &'static str,
        /// The setting that refuses them.
        setting: &'static str,
        /// What is accepted, as the end of the sentence.
        instead: &'static str,
    },
    /// The request names a scheme that it may not choose.
    #[error("The scheme in Boltgate-Auth-Scheme is not allowed for requests here (auth.request_schemes).")]
    SchemeNotAllowed,
    /// The token cannot be forwarded to the database.
    #[error("The token cannot be passed on: {0}.")]
    Unsendable(#[from] Unsendable),
    /// The token has expired, whichever issuer it is from.
    #[error("The token has expired.")]
    Expired,
    /// The token was not accepted from any issuer that the operator has configured.
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// The caller may not impersonate this user.
#[derive(Debug, Error)]
#[error("This caller may not act as '{0}' (auth.impersonation).")]
pub struct ImpersonationRefused(pub(super) String);
