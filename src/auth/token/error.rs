//! The reasons for which a token is refused, in words for its holder, and errors in the settings of issuers, for the
//! operator.

use std::{io, path::PathBuf};

use thiserror::Error;

use crate::tls::TlsConfigError;

/// A token that is refused. No message contains any part of the token.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The token cannot be parsed.
    #[error("The token is not a JWT that this gateway can read.")]
    Malformed,
    /// No legitimate token is that long.
    #[error("The token is longer than {limit} bytes.")]
    TooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// No configured issuer has this `iss`.
    #[error("This gateway does not accept tokens from the token's issuer.")]
    UnknownIssuer,
    /// The operator has not allowed this `alg` for the issuer, or the key does not support it.
    #[error("The token's algorithm is not allowed for its issuer.")]
    Algorithm,
    /// The issuer has no key with this `kid`, or the token has no `kid` and several keys would fit.
    #[error("The token was signed with a key that its issuer does not publish.")]
    UnknownKey,
    /// The token was forged or changed.
    #[error("The token's signature is not valid.")]
    Signature,
    /// The `aud` claim names other audiences.
    #[error("The token is meant for another audience.")]
    Audience,
    /// The time in `exp` has passed.
    #[error("The token has expired.")]
    Expired,
    /// The time in `nbf` is in the future.
    #[error("The token is not valid yet.")]
    NotYetValid,
    /// A claim is missing or cannot be used.
    #[error("The token's claim `{0}` is missing or cannot be used.")]
    Claim(String),
    /// The issuer cannot be reached, and none of its keys is still valid.
    #[error("The keys of the token's issuer are not available at the moment; try again later.")]
    KeysUnavailable,
}

impl TokenError {
    /// Whether a fresh token would help.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        matches!(self, Self::Expired)
    }

    /// Whether the token could not be checked because the issuer's keys are missing.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::KeysUnavailable)
    }
}

/// An error in the settings of issuers.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The file with an issuer's keys cannot be read.
    #[error("auth.issuers.{name}.key_file: cannot read {}: {source}", path.display())]
    Read {
        /// The issuer.
        name: String,
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The file contains no key for the issuer's algorithms.
    #[error(
        "auth.issuers.{name}.key_file: {} contains no public key (PEM or JWKS) for the algorithms of this issuer",
        path.display()
    )]
    NoKeys {
        /// The issuer.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// The file contains a key that only the issuer should have.
    #[error("auth.issuers.{name}.key_file: {} contains a private key; name a file with the public key instead", path.display())]
    PrivateKey {
        /// The issuer.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// The self-test of signature verification has failed.
    #[error("the verification of signatures does not work on this system")]
    Signatures,
    /// The address cannot be used.
    #[error("auth.issuers.{name}: cannot fetch keys from {address}: {reason}")]
    Address {
        /// The issuer.
        name: String,
        /// The address.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The certificates for TLS cannot be used.
    #[error("auth.issuers.{name}.ca_file: {source}")]
    Tls {
        /// The issuer.
        name: String,
        /// What is wrong.
        source: TlsConfigError,
    },
    /// The system cannot provide random numbers.
    #[error("cannot get random numbers from the system: {0}")]
    Random(#[from] getrandom::Error),
}

impl SetupError {
    /// The key of the issuer's section that is to blame.
    #[must_use]
    pub fn setting(&self) -> &'static str {
        match self {
            Self::Read { .. } | Self::NoKeys { .. } | Self::PrivateKey { .. } => "key_file",
            Self::Tls { .. } => "ca_file",
            Self::Address { .. } | Self::Signatures | Self::Random(_) => "issuer",
        }
    }
}
