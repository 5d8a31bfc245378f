//! Signers of tokens: a key, its id, and its published forms.

use std::{io::Write, sync::LazyLock};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use boltgate::auth::token::{Algorithm, KeySource};
use jsonwebtoken::{EncodingKey, crypto, jwk::Jwk};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

/// Two keys for tests, made with `openssl genpkey -algorithm RSA`; they open nothing anywhere.
pub(crate) static RSA: LazyLock<Signer> =
    LazyLock::new(|| Signer::rsa("rsa-1", include_str!("keys/rsa.pem"), include_str!("keys/rsa-public.pem")));
pub(crate) static OTHER_RSA: LazyLock<Signer> = LazyLock::new(|| {
    Signer::rsa("rsa-2", include_str!("keys/other-rsa.pem"), include_str!("keys/other-rsa-public.pem"))
});

pub(crate) struct Signer {
    pub(crate) id: String,
    pub(crate) algorithm: Algorithm,
    key: EncodingKey,
    /// Without its id.
    public: Value,
    /// The public key as PEM.
    pub(crate) pem: String,
}

impl Signer {
    /// ES256.
    pub(crate) fn p256(id: &str) -> Self {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        Self::ec(id, &pair, "P-256", Algorithm::ES256)
    }

    /// ES384.
    pub(crate) fn p384(id: &str) -> Self {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        Self::ec(id, &pair, "P-384", Algorithm::ES384)
    }

    fn ec(id: &str, pair: &KeyPair, curve: &str, algorithm: Algorithm) -> Self {
        // 4, x, y.
        let point = &pair.public_key_raw()[1..];
        let (x, y) = point.split_at(point.len() / 2);
        Self {
            id: id.into(),
            algorithm,
            key: EncodingKey::from_ec_der(pair.serialized_der()),
            public: json!({ "kty": "EC", "crv": curve, "x": encode(x), "y": encode(y) }),
            pem: pair.public_key_pem(),
        }
    }

    /// EdDSA.
    pub(crate) fn ed25519(id: &str) -> Self {
        let pair = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        Self {
            id: id.into(),
            algorithm: Algorithm::EdDSA,
            key: EncodingKey::from_ed_der(pair.serialized_der()),
            public: json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key_raw()) }),
            pem: pair.public_key_pem(),
        }
    }

    /// RS256.
    fn rsa(id: &str, private: &str, pem: &str) -> Self {
        let key = EncodingKey::from_rsa_pem(private.as_bytes()).unwrap();
        let algorithm = Algorithm::RS256;
        let mut public = serde_json::to_value(Jwk::from_encoding_key(&key, algorithm).unwrap()).unwrap();
        public.as_object_mut().unwrap().remove("alg");
        Self { id: id.into(), algorithm, key, public, pem: pem.into() }
    }

    /// HS256, 384 or 512.
    pub(crate) fn secret(secret: &[u8], algorithm: Algorithm) -> Self {
        Self {
            id: "secret".into(),
            algorithm,
            key: EncodingKey::from_secret(secret).expect("it is not empty"),
            public: json!({ "kty": "oct", "k": encode(secret) }),
            pem: String::new(),
        }
    }

    /// This key under another's id.
    pub(crate) fn called(mut self, id: &str) -> Self {
        self.id = id.into();
        self
    }

    /// As it stands in a JWKS document.
    pub(crate) fn jwk(&self) -> Value {
        self.jwk_with(&json!({ "kid": self.id, "use": "sig" }))
    }

    /// With these members and no others but those of the key itself.
    pub(crate) fn jwk_with(&self, members: &Value) -> Value {
        let mut jwk = self.public.clone();
        jwk.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        jwk
    }

    /// A token in the usual form.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_with(&json!({ "alg": self.algorithm, "kid": self.id, "typ": "JWT" }), claims)
    }

    /// A token with any header, signed by the signer's algorithm whatever the header says.
    pub(crate) fn sign_with(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    /// A token of any texts.
    pub(crate) fn sign_text(&self, header: &str, claims: &str) -> String {
        self.sign_encoded(&format!("{}.{}", encode(header), encode(claims)), self.algorithm)
    }

    /// Signs what is encoded already, by any algorithm that the key is good for.
    pub(crate) fn sign_encoded(&self, message: &str, algorithm: Algorithm) -> String {
        let signature = crypto::sign(message.as_bytes(), &self.key, algorithm).unwrap();
        format!("{message}.{signature}")
    }
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A file with `content`. It goes when it is dropped.
pub(crate) fn file(content: impl AsRef<[u8]>) -> (NamedTempFile, KeySource) {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(content.as_ref()).unwrap();
    let source = KeySource::File(file.path().to_owned());
    (file, source)
}

/// A file with these keys as a JWKS document.
pub(crate) fn jwks(keys: &[Value]) -> (NamedTempFile, KeySource) {
    file(json!({ "keys": keys }).to_string())
}
