//! Why a token is not taken, in words for its holder; and why the settings of issuers cannot be used, for the operator.

use std::{io, path::PathBuf};

use thiserror::Error;

use crate::tls::TlsConfigError;

/// A token that does not count. No message holds any part of the token.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TokenError {
    /// It cannot be read.
    #[error("The token is no JWT that this gateway can read.")]
    Malformed,
    /// Nobody would send one as long as this.
    #[error("The token is longer than {limit} bytes.")]
    TooLong {
        /// The most.
        limit: usize,
    },
    /// Its `iss` is nobody's.
    #[error("The token's issuer is none of those whose tokens this gateway takes.")]
    UnknownIssuer,
    /// Its `alg` is not one that the operator has named for the issuer, or not one for the key.
    #[error("The token's algorithm is none that its issuer uses here.")]
    Algorithm,
    /// Its `kid` is not among the issuer's keys, or there is none and several keys would do.
    #[error("The token was signed with a key that its issuer does not show.")]
    UnknownKey,
    /// Somebody else has made or changed it.
    #[error("The token's signature is not its issuer's.")]
    Signature,
    /// Its `aud` names others.
    #[error("The token is meant for another audience.")]
    Audience,
    /// Its `exp` has passed.
    #[error("The token has expired.")]
    Expired,
    /// Its `nbf` has not been reached.
    #[error("The token is not valid yet.")]
    NotYetValid,
    /// A claim is missing, or holds what cannot be used.
    #[error("The token has no claim `{0}` that can be used.")]
    Claim(String),
    /// The issuer cannot be reached, and there are no keys of it that are still good.
    #[error("The keys of the token's issuer cannot be had at the moment; try again later.")]
    KeysUnavailable,
}

impl TokenError {
    /// Whether a fresh token would do.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        matches!(self, Self::Expired)
    }

    /// Whether nothing is known of the token, since the keys are missing.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::KeysUnavailable)
    }
}

/// Settings of issuers that cannot be put into force.
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
        /// What the system said.
        source: io::Error,
    },
    /// The file holds no key that fits the algorithms.
    #[error(
        "auth.issuers.{name}.key_file: {} holds no public key (PEM or JWKS) for the algorithms of this issuer",
        path.display()
    )]
    NoKeys {
        /// The issuer.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// The file holds what nobody but the issuer may have.
    #[error("auth.issuers.{name}.key_file: {} holds a private key; tokens are verified with the public one", path.display())]
    PrivateKey {
        /// The issuer.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// What is to tell good signatures from bad ones does not.
    #[error("this program cannot verify signatures on this system")]
    Signatures,
    /// An address that cannot be asked.
    #[error("auth.issuers.{name}: {address} is no address that keys can be fetched from: {reason}")]
    Address {
        /// The issuer.
        name: String,
        /// The address.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No TLS.
    #[error("auth.issuers.{name}.ca_file: {source}")]
    Tls {
        /// The issuer.
        name: String,
        /// What is wrong.
        source: TlsConfigError,
    },
    /// No random numbers.
    #[error("the system has no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}
