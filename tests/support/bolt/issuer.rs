//! Somebody who issues JWTs, for the auth modules of a fake and for those who verify tokens before it.
//!
//! Owns: two RSA keys, which are in this repository for everybody to see and open nothing.
//! Promises: what it signs with its own key is good for whoever trusts [`Issuer::keys`].
//! May not know: who takes the tokens, discovery, HTTP.

use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

/// The id of the key that signs.
pub const KEY_ID: &str = "own";

/// What its tokens say where a test does not care.
pub const ISSUER: &str = "https://issuer.example";
pub const AUDIENCE: &str = "memgraph";

/// An identity provider, as far as its tokens go.
pub struct Issuer {
    own: EncodingKey,
    another: EncodingKey,
}

impl Default for Issuer {
    fn default() -> Self {
        let key = |pem: &[u8]| EncodingKey::from_rsa_pem(pem).expect("a test's key is a key");
        Issuer { own: key(include_bytes!("issuer/own.pem")), another: key(include_bytes!("issuer/another.pem")) }
    }
}

impl Issuer {
    /// Its public keys, as a JWKS document.
    pub fn keys(&self) -> JwkSet {
        let mut key = Jwk::from_encoding_key(&self.own, Algorithm::RS256).expect("an RSA key has a public half");
        key.common.key_id = Some(KEY_ID.to_owned());
        key.common.public_key_use = Some(PublicKeyUse::Signature);
        JwkSet { keys: vec![key] }
    }

    /// A good token for `subject`: `iss`, `aud`, an `exp` in an hour; `claims` are put over them, null takes one away.
    pub fn token(&self, subject: &str, claims: &Value) -> String {
        let header = Header { kid: Some(KEY_ID.to_owned()), ..Header::new(Algorithm::RS256) };
        self.sign(&header, &self.claims(subject, claims))
    }

    /// A token signed by somebody else in its name.
    pub fn forged(&self, subject: &str, claims: &Value) -> String {
        let header = Header { kid: Some(KEY_ID.to_owned()), ..Header::new(Algorithm::RS256) };
        encode(&header, &self.claims(subject, claims), &self.another).expect("claims can be signed")
    }

    /// Signs anything, with the key that fits the header's algorithm: its own, or for HS256 a secret that everybody
    /// knows, since it is what the public key says.
    pub fn sign(&self, header: &Header, claims: &Value) -> String {
        let key = match header.alg {
            Algorithm::HS256 => {
                &EncodingKey::from_secret(json!(self.keys()).to_string().as_bytes()).expect("it is not empty")
            }
            _ => &self.own,
        };
        encode(header, claims, key).expect("claims can be signed")
    }

    /// The claims of [`Issuer::token`].
    pub fn claims(&self, subject: &str, changes: &Value) -> Value {
        let now = seconds_from_now(0);
        let mut claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": subject, "iat": now, "exp": now + 3600,
            "roles": ["reader"],
        });
        let all = claims.as_object_mut().expect("claims are an object");
        for (name, value) in changes.as_object().into_iter().flatten() {
            if value.is_null() {
                all.remove(name);
            } else {
                all.insert(name.clone(), value.clone());
            }
        }
        claims
    }
}

/// For `exp`, `nbf`, `iat`.
pub fn seconds_from_now(seconds: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs();
    i64::try_from(now).expect("it is before the end of time") + seconds
}
