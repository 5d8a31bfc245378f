//! An auth module for OIDC that judges as Memgraph's reference module `oidc.py` does, errors of Python included.
//!
//! Owns: taking credentials apart, verifying tokens, the user's name and roles.
//! Promises: whatever raises there is a refusal here.
//! May not know: schemes, local users, which roles exist.

use std::collections::{BTreeMap, BTreeSet};

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, get_current_timestamp};
use serde_json::{Map, Value};

/// The configuration, which the reference module has from its environment.
///
/// Like that one it looks at no `iss`: whoever signs with one of the keys is the provider.
#[derive(Debug, Clone)]
pub struct Oidc {
    /// The provider's keys. A token names one of them with `kid`.
    pub keys: JwkSet,
    /// What `aud` has to hold.
    pub access_audience: String,
    pub id_audience: String,
    /// Where the user's name is: `id:CLAIM` (there has to be an ID token then) or `access:CLAIM`.
    pub username: String,
    /// The claim of the access token with the provider's roles: a string or a list.
    pub role_field: String,
    /// For a role of the provider, Memgraph's.
    pub role_mapping: BTreeMap<String, Vec<String>>,
}

impl Oidc {
    /// The reference module with its own defaults, the roles of the provider being Memgraph's.
    pub fn new<const N: usize>(keys: JwkSet, audience: &str, roles: [&str; N]) -> Oidc {
        Oidc {
            keys,
            access_audience: audience.to_owned(),
            id_audience: audience.to_owned(),
            username: "id:sub".to_owned(),
            role_field: "roles".to_owned(),
            role_mapping: roles.into_iter().map(|role| (role.to_owned(), vec![role.to_owned()])).collect(),
        }
    }

    /// The same with the user's name from a claim of the access token, so that no ID token is needed.
    pub fn named_by_access(self, claim: &str) -> Oidc {
        Oidc { username: format!("access:{claim}"), ..self }
    }

    /// The user's name and roles; `None` if the module refuses.
    pub(super) fn authenticate(&self, credentials: &str) -> Option<(String, Vec<String>)> {
        let tokens = pairs(credentials)?;
        let (kind, field) = self.username.split_once(':').filter(|(_, field)| !field.contains(':'))?;
        let access = self.verified(tokens.get("access_token")?, &self.access_audience)?;
        let named_by = match kind {
            "id" => self.verified(tokens.get("id_token")?, &self.id_audience)?,
            _ => access.clone(),
        };
        let roles = self.roles(access.get(&self.role_field)?)?;
        // A name that is no text is none to Memgraph.
        Some((named_by.get(field)?.as_str()?.to_owned(), roles))
    }

    fn roles(&self, given: &Value) -> Option<Vec<String>> {
        match given {
            Value::String(role) => self.role_mapping.get(role).cloned(),
            Value::Array(roles) => {
                let mapped = roles.iter().filter_map(|role| self.role_mapping.get(role.as_str()?));
                let all: BTreeSet<&String> = mapped.flatten().collect();
                (!all.is_empty()).then(|| all.into_iter().cloned().collect())
            }
            _ => Some(Vec::new()),
        }
    }

    /// The claims of a token with a good signature, the right audience, and time left.
    fn verified(&self, token: &str, audience: &str) -> Option<Map<String, Value>> {
        let header = decode_header(token).ok()?;
        if header.alg != Algorithm::RS256 {
            return None;
        }
        // A key without an id, anywhere in the document, is a KeyError.
        if self.keys.keys.iter().any(|key| key.common.key_id.is_none()) {
            return None;
        }
        let key = DecodingKey::from_jwk(self.keys.find(&header.kid?)?).ok()?;
        let mut rules = Validation::new(Algorithm::RS256);
        rules.set_required_spec_claims(&["exp", "aud"]);
        rules.set_audience(&[audience]);
        rules.validate_nbf = true;
        rules.leeway = 0;
        let claims: Map<String, Value> = decode(token, &key, &rules).ok()?.claims;
        let early = claims.get("iat").and_then(Value::as_u64).is_some_and(|iat| iat > get_current_timestamp());
        (!early).then_some(claims)
    }
}

/// `dict(t.split("=") for t in credentials.split(";"))`: each part must hold one `=`, the last one of a name wins, and
/// nothing is trimmed.
fn pairs(credentials: &str) -> Option<BTreeMap<&str, &str>> {
    // The line to the module is decoded as ASCII.
    if !credentials.is_ascii() {
        return None;
    }
    credentials.split(';').map(|part| part.split_once('=').filter(|(_, value)| !value.contains('='))).collect()
}
