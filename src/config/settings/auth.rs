//! Owns the settings of `[auth]`, and their defaults.
//!
//! May not know how tokens are verified.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use crate::config::values::{Age, HeaderName, ImpersonationRule, Realm, Scheme, Secret, TimeSpan, optional};

/// `[auth]`: how callers are authenticated, and what the database is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Auth {
    /// How requests without credentials are handled.
    pub anonymous: Inbound,
    /// How users and passwords are handled.
    pub basic: Inbound,
    /// How tokens are handled.
    pub bearer: Inbound,
    /// The realm in the challenge to callers that are not accepted.
    pub realm: Realm,
    /// The Bolt scheme under which tokens are forwarded.
    pub bearer_scheme: Scheme,
    /// The form in which tokens are forwarded.
    pub bearer_credentials: BearerCredentials,
    /// The schemes that a request may choose.
    pub request_schemes: Vec<Scheme>,
    /// The header that holds an ID token.
    pub id_token_header: HeaderName,
    /// How much clocks may differ.
    pub leeway: Age,
    /// How long keys are valid beyond their lifetime when they cannot be renewed.
    pub stale_keys: TimeSpan,
    /// Which callers may impersonate which users.
    pub impersonation: Impersonation,
    /// The rules for [`Impersonation::List`].
    pub impersonation_list: Vec<ImpersonationRule>,
    /// The gateway's own account.
    pub service_account: ServiceAccount,
    /// The issuers whose tokens are accepted, by the names that the operator gives them.
    pub issuers: BTreeMap<String, Issuer>,
}

/// `[auth.service_account]`: the gateway's own account.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ServiceAccount {
    /// The user name; empty for a login without credentials.
    pub user: String,
    /// The password.
    pub password: Secret,
    /// Whether all statements on this account run in read mode.
    pub read_only: bool,
}

/// `[auth.issuers.NAME]`: an issuer of tokens.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Issuer {
    /// The exact `iss` of the tokens.
    pub issuer: String,
    /// The audiences, one of which must be in the token's `aud`; `*` stands for any.
    pub audience: Vec<String>,
    /// The allowed algorithms; empty for those that suit the kind of keys.
    pub algorithms: Vec<Algorithm>,
    /// The URL of the keys; empty if OIDC discovery finds them.
    pub jwks_url: String,
    /// A file with the keys: PEM, or a JWKS document.
    #[serde(with = "optional")]
    pub key_file: Option<PathBuf>,
    /// The key that is shared with the issuer, for HS256, HS384 and HS512.
    pub secret: Secret,
    /// A PEM file with the certificate authorities to trust for the issuer's URLs; `None` for the system's.
    #[serde(with = "optional")]
    pub ca_file: Option<PathBuf>,
    /// Whether the issuer's URLs may be `http://`.
    pub allow_http: bool,
    /// The Bolt scheme of the issuer's tokens; `None` for [`Auth::bearer_scheme`].
    #[serde(with = "optional")]
    pub scheme: Option<Scheme>,
    /// The claim that holds the caller's user in the database: its name, or a JSON pointer to it.
    pub user_claim: String,
}

/// How credentials of one kind are handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Inbound {
    /// They are forwarded to the database.
    Forward,
    /// The gateway logs in with its own account.
    Service,
    /// They are refused.
    Refuse,
}

/// The form in which tokens are forwarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BearerCredentials {
    /// The form that the scheme implies.
    Auto,
    /// The token itself.
    Token,
    /// `access_token=…;id_token=…`.
    Pairs,
}

/// Which callers may impersonate which users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Impersonation {
    /// Nobody may impersonate.
    Off,
    /// Every caller may impersonate the user of its own token.
    Own,
    /// The rules decide.
    List,
    /// Callers that log in themselves may impersonate if the database allows it.
    Database,
    /// Everybody may impersonate anybody.
    Any,
}

/// A signature algorithm, by its name in RFC 7518 and RFC 8037.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the RFCs")]
pub enum Algorithm {
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    EdDSA,
    HS256,
    HS384,
    HS512,
}

impl Algorithm {
    /// Whether signing and verifying use the same key.
    pub fn is_symmetric(self) -> bool {
        matches!(self, Self::HS256 | Self::HS384 | Self::HS512)
    }
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            anonymous: Inbound::Forward,
            basic: Inbound::Forward,
            bearer: Inbound::Forward,
            realm: Realm::constant("boltgate"),
            bearer_scheme: Scheme::constant("bearer"),
            bearer_credentials: BearerCredentials::Auto,
            request_schemes: Vec::new(),
            id_token_header: HeaderName::constant("X-Id-Token"),
            leeway: Age::constant(Duration::from_secs(30)),
            stale_keys: TimeSpan::constant(Duration::from_secs(60 * 60)),
            impersonation: Impersonation::Database,
            impersonation_list: Vec::new(),
            service_account: ServiceAccount::default(),
            issuers: BTreeMap::new(),
        }
    }
}
