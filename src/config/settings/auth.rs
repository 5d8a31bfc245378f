//! Owns the settings of `[auth]`: who may come in, and how the database is told.
//!
//! Promises the same as the other sections. May not know how tokens are verified.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use crate::config::values::{Age, HeaderName, ImpersonationRule, Scheme, Secret, TimeSpan, optional};

/// `[auth]`: who may come in, and how the database is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Auth {
    /// Requests without credentials.
    pub anonymous: Inbound,
    /// User and password.
    pub basic: Inbound,
    /// Tokens.
    pub bearer: Inbound,
    /// The Bolt scheme under which tokens are passed on.
    pub bearer_scheme: Scheme,
    /// The form in which they are.
    pub bearer_credentials: BearerCredentials,
    /// Schemes that a request may choose.
    pub request_schemes: Vec<Scheme>,
    /// The header that holds an ID token.
    pub id_token_header: HeaderName,
    /// By how much clocks may differ.
    pub leeway: Age,
    /// For how long keys that could not be renewed are still good.
    pub stale_keys: TimeSpan,
    /// Who may act as whom.
    pub impersonation: Impersonation,
    /// The rules for [`Impersonation::List`].
    pub impersonation_list: Vec<ImpersonationRule>,
    /// The gateway's own account.
    pub service_account: ServiceAccount,
    /// Whose tokens are taken, by the operator's names for them.
    pub issuers: BTreeMap<String, Issuer>,
}

/// `[auth.service_account]`: the gateway's own account.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ServiceAccount {
    /// Its name; empty for a login without credentials.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// Whether everything on it is sent as reading.
    pub read_only: bool,
}

/// `[auth.issuers.NAME]`: an issuer of tokens.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Issuer {
    /// Exactly the token's `iss`.
    pub issuer: String,
    /// The token's `aud` must hold one of them; `*` stands for any.
    pub audience: Vec<String>,
    /// Algorithms; none: those that fit the kind of keys.
    pub algorithms: Vec<Algorithm>,
    /// Where the keys are, instead of where OIDC discovery finds them.
    pub jwks_url: String,
    /// The keys: PEM or a JWKS document.
    #[serde(with = "optional")]
    pub key_file: Option<PathBuf>,
    /// A key shared with the issuer, for HS256, HS384 and HS512.
    pub secret: Secret,
    /// PEM file with the authorities to trust for the issuer's addresses; `None` means the system's.
    #[serde(with = "optional")]
    pub ca_file: Option<PathBuf>,
    /// Whether its addresses may be `http://`.
    pub allow_http: bool,
    /// The Bolt scheme for its tokens; `None` for [`Auth::bearer_scheme`].
    #[serde(with = "optional")]
    pub scheme: Option<Scheme>,
    /// The claim that names the person's user in the database: a name, or a JSON pointer.
    pub user_claim: String,
}

/// What becomes of credentials of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Inbound {
    /// They are passed on.
    Forward,
    /// The gateway logs in with its own account.
    Service,
    /// They are refused.
    Refuse,
}

/// The form of tokens that are passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BearerCredentials {
    /// By the scheme.
    Auto,
    /// The token as it is.
    Token,
    /// `access_token=…;id_token=…`.
    Pairs,
}

/// Who may act as whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Impersonation {
    /// Nobody.
    Off,
    /// Everybody as the user of its own token.
    Own,
    /// As the rules say.
    List,
    /// Whoever logs in as itself, if the database allows it.
    Database,
    /// Anybody.
    Any,
}

/// An algorithm of signatures, by its name in RFC 7518 and RFC 8037.
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
    /// Whether signing and verifying take the same key.
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
