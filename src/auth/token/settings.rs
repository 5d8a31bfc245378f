//! What the operator says of issuers.

use std::{path::PathBuf, time::Duration};

use jsonwebtoken::Algorithm;
use zeroize::Zeroizing;

use super::claims::ClaimPath;

/// Whose tokens count, and with what patience.
pub struct Settings {
    /// All of them. No two have the same `iss`.
    pub issuers: Vec<IssuerSettings>,
    /// By how much clocks may differ; whole seconds count.
    pub leeway: Duration,
    /// How long keys are good beyond their lifetime, when they cannot be renewed.
    pub stale_keys: Duration,
}

/// What the operator says of one issuer.
#[derive(Clone)]
pub struct IssuerSettings {
    /// The operator's name for it.
    pub name: String,
    /// Exactly the token's `iss`.
    pub issuer: String,
    /// The token's `aud` must hold one of them; `*` stands for any, and for none.
    pub audience: Vec<String>,
    /// The algorithms of its signatures.
    pub algorithms: Vec<Algorithm>,
    /// Where its keys are.
    pub keys: KeySource,
    /// PEM file with the authorities to trust for its addresses; the platform's without one.
    pub ca_file: Option<PathBuf>,
    /// Whether its addresses may be `http://`.
    pub allow_http: bool,
    /// The claim that names the person's user in the database.
    pub user_claim: Option<ClaimPath>,
}

/// Where an issuer's keys are.
#[derive(Clone)]
pub enum KeySource {
    /// Where its discovery document says.
    Discovery,
    /// At this address.
    Url(String),
    /// In this file: PEM, or a JWKS document.
    File(PathBuf),
    /// Here: a key that is shared with it.
    Secret(Zeroizing<String>),
}
