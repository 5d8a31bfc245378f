//! The operator's settings for issuers.

use std::{path::PathBuf, time::Duration};

use jsonwebtoken::Algorithm;
use zeroize::Zeroizing;

use super::claims::ClaimPath;

/// The issuers whose tokens are accepted, and tolerances.
pub struct Settings {
    /// All issuers. No two have the same `iss`.
    pub issuers: Vec<IssuerSettings>,
    /// The tolerated difference between clocks, in whole seconds.
    pub leeway: Duration,
    /// How long expired keys remain valid if they cannot be renewed.
    pub stale_keys: Duration,
}

/// The settings of one issuer.
#[derive(Clone)]
pub struct IssuerSettings {
    /// The operator's name for the issuer.
    pub name: String,
    /// The exact value of the token's `iss`.
    pub issuer: String,
    /// The accepted values of the token's `aud`. `*` accepts any value, and none.
    pub audience: Vec<String>,
    /// The accepted signature algorithms.
    pub algorithms: Vec<Algorithm>,
    /// Where the issuer's keys are.
    pub keys: KeySource,
    /// A PEM file with the certificate authorities to trust for the issuer's addresses. `None` means those of the
    /// platform.
    pub ca_file: Option<PathBuf>,
    /// Whether the issuer's addresses may be `http://`.
    pub allow_http: bool,
    /// The claim that names the caller's user in the database.
    pub user_claim: Option<ClaimPath>,
}

/// Where an issuer's keys are.
#[derive(Clone)]
pub enum KeySource {
    /// At the address in its discovery document.
    Discovery,
    /// At this address.
    Url(String),
    /// In this file: PEM, or a JWKS document.
    File(PathBuf),
    /// A secret that is shared with the issuer.
    Secret(Zeroizing<String>),
}
