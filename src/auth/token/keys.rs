//! An issuer's keys, each with the algorithms that it may be used with.

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;

use super::error::TokenError;

/// The keys with which an issuer's tokens are verified.
pub(super) struct KeySet(Vec<Key>);

pub(super) struct Key {
    id: Option<String>,
    /// The algorithms that the operator allows, the type of key supports, and the key's own attributes permit.
    algorithms: Vec<Algorithm>,
    pub(super) decoding: DecodingKey,
}

impl KeySet {
    /// Reads the keys of a JWKS document (RFC 7517) that can be used with one of `allowed`. Leaves out keys that are
    /// unusable or unreadable. Returns `None` if the document is not a JWKS document.
    pub(super) fn from_jwks(document: &[u8], allowed: &[Algorithm]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Document {
            keys: Vec<Value>,
        }
        let Document { keys } = serde_json::from_slice(document).ok()?;
        Some(Self(keys.into_iter().filter_map(|key| Key::from_jwk(key, allowed)).collect()))
    }

    /// Reads the public key in a PEM file.
    pub(super) fn from_pem(pem: &[u8], allowed: &[Algorithm]) -> Self {
        type Read = fn(&[u8]) -> jsonwebtoken::errors::Result<DecodingKey>;
        let kinds: [Read; 3] = [DecodingKey::from_rsa_pem, DecodingKey::from_ec_pem, DecodingKey::from_ed_pem];
        let key = |read: Read| {
            // The JWK of a key includes its curve.
            let jwk = Jwk::from_decoding_key(&read(pem).ok()?, None).ok()?;
            Key::from_jwk(serde_json::to_value(jwk).ok()?, allowed)
        };
        Self(kinds.into_iter().filter_map(key).collect())
    }

    /// Returns a set with one shared secret, or an empty set if the secret is empty.
    pub(super) fn from_secret(secret: &str, allowed: &[Algorithm]) -> Self {
        let key = |decoding| Key { id: None, algorithms: common(allowed, HMAC), decoding };
        Self(DecodingKey::from_secret(secret.as_bytes()).into_iter().map(key).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Finds the key for a token with this `id` and `algorithm` in its header.
    ///
    /// # Errors
    /// Returns [`TokenError::UnknownKey`] or [`TokenError::Algorithm`].
    pub(super) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Result<&Key, TokenError> {
        let fits = |key: &&Key| key.algorithms.contains(&algorithm);
        // If no key has an id, as in a PEM file, each key matches any id.
        let have_names = self.0.iter().any(|key| key.id.is_some());
        let named = |key: &&Key| id.is_none() || !have_names || key.id.as_deref() == id;
        let mut fitting = self.0.iter().filter(named).filter(fits);
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            (Some(key), Some(_)) if id.is_some() && have_names => Ok(key),
            (None, _) if self.0.iter().any(|key| id.is_some() && key.id.as_deref() == id) => Err(TokenError::Algorithm),
            _ => Err(TokenError::UnknownKey),
        }
    }
}

const RSA: &[Algorithm] =
    &[Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::PS256, Algorithm::PS384, Algorithm::PS512];
const HMAC: &[Algorithm] = &[Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];

fn common(allowed: &[Algorithm], fitting: &[Algorithm]) -> Vec<Algorithm> {
    allowed.iter().copied().filter(|algorithm| fitting.contains(algorithm)).collect()
}

impl Key {
    fn from_jwk(jwk: Value, allowed: &[Algorithm]) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(jwk).ok()?;
        let common_parameters = &jwk.common;
        if matches!(common_parameters.public_key_use, Some(PublicKeyUse::Encryption)) {
            return None;
        }
        let operations = common_parameters.key_operations.as_ref();
        if operations.is_some_and(|operations| !operations.contains(&KeyOperations::Verify)) {
            return None;
        }
        let fitting: &[Algorithm] = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => RSA,
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => &[Algorithm::ES256],
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P384 => &[Algorithm::ES384],
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => &[Algorithm::EdDSA],
            // A symmetric key that is published is not a secret.
            _ => return None,
        };
        let mut algorithms = common(allowed, fitting);
        if let Some(only) = common_parameters.key_algorithm {
            algorithms.retain(|&algorithm| KeyAlgorithm::from(algorithm) == only);
        }
        if algorithms.is_empty() {
            return None;
        }
        Some(Self { id: common_parameters.key_id.clone(), algorithms, decoding: DecodingKey::from_jwk(&jwk).ok()? })
    }
}
