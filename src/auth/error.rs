//! Why a caller is not let in, in words that may be shown to it.

use thiserror::Error;

use super::{forward::Unsendable, token::TokenError};

/// A credential that is not taken, before the database has seen it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// Neither `Basic …` nor `Bearer …`.
    #[error("Invalid authentication header.")]
    Malformed,
    /// There is no credential, and there has to be one.
    #[error("No authentication header supplied.")]
    Missing,
    /// The operator takes no credentials of this kind.
    #[error("This gateway does not take {0}.")]
    NotTaken(&'static str),
    /// The request names a scheme that it may not choose.
    #[error("The header Boltgate-Auth-Scheme names a scheme that requests may not choose here (auth.request_schemes).")]
    SchemeNotAllowed,
    /// The database could not be told.
    #[error("The token cannot be passed on: {0}.")]
    Unsendable(#[from] Unsendable),
    /// The token is past its time, whoever issued it.
    #[error("The token has expired.")]
    Expired,
    /// No issuer that the operator has named stands for the token.
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// The caller may not act as somebody.
#[derive(Debug, Error)]
#[error("This caller may not act as '{0}' (auth.impersonation).")]
pub struct ImpersonationRefused(pub(super) String);
