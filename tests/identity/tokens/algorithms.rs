//! Algorithms are the operator's choice, and the key's: never the token's.

use boltgate::auth::token::{
    Algorithm::{self, ES256, ES384, EdDSA, HS256, PS256, RS256},
    IssuerSettings, TokenError,
};
use serde_json::json;

use super::{
    ISSUER, claims, issuer, refused,
    signer::{OTHER_RSA, RSA, Signer, encode, file, jwks},
    verifier,
};
use crate::support::identity_provider::IdentityProvider;

/// An issuer with the keys of `signers`.
fn of(signers: &[&Signer], algorithms: &[Algorithm]) -> (tempfile::NamedTempFile, IssuerSettings) {
    let keys: Vec<_> = signers.iter().map(|signer| signer.jwk()).collect();
    let (file, keys) = jwks(&keys);
    let mut settings = issuer(ISSUER, keys);
    settings.algorithms = algorithms.to_vec();
    (file, settings)
}

/// A token by `signer`, whatever its header says.
fn signed(signer: &Signer, algorithm: Algorithm) -> String {
    let header = json!({ "alg": algorithm, "kid": signer.id });
    let message = format!("{}.{}", encode(header.to_string()), encode(claims(ISSUER).to_string()));
    signer.sign_encoded(&message, algorithm)
}

#[tokio::test]
async fn verifies_each_kind_of_key() {
    let signers = [Signer::p256("p256"), Signer::p384("p384"), Signer::ed25519("ed")];
    let all: Vec<&Signer> = signers.iter().chain([&*RSA]).collect();
    let (_file, settings) = of(&all, &[RS256, PS256, ES256, ES384, EdDSA]);
    let verifier = verifier(vec![settings]);
    for signer in &all {
        assert!(verifier.verify(&signer.sign(&claims(ISSUER))).await.is_ok(), "{}", signer.id);
    }
    assert!(verifier.verify(&signed(&RSA, PS256)).await.is_ok(), "one key, two algorithms");
    assert!(verifier.verify(&signed(&RSA, Algorithm::RS512)).await.is_err(), "and no third");
}

#[tokio::test]
async fn rejects_unlisted_algorithms() {
    let p256 = Signer::p256("p256");
    let (_file, settings) = of(&[&RSA, &p256], &[RS256]);
    let verifier = verifier(vec![settings]);
    assert!(verifier.verify(&signed(&RSA, RS256)).await.is_ok());
    for token in [signed(&RSA, PS256), signed(&RSA, Algorithm::RS384), signed(&p256, ES256)] {
        assert_eq!(refused(verifier.verify(&token).await), TokenError::Algorithm);
    }
}

#[tokio::test]
async fn rejects_unsigned_tokens() {
    let (_file, settings) = of(&[&RSA], &[RS256]);
    let verifier = verifier(vec![settings]);
    let signature = signed(&RSA, RS256).rsplit('.').next().unwrap().to_owned();
    for alg in ["none", "None", "NONE", "nOnE", "", "rs256", "RS256 ", "ES512", "HS1", "RSA-OAEP"] {
        for signature in ["", "AA", &signature] {
            let header = encode(json!({ "alg": alg, "kid": RSA.id }).to_string());
            let token = format!("{header}.{}.{signature}", encode(claims(ISSUER).to_string()));
            let problem = refused(verifier.verify(&token).await);
            assert!(matches!(problem, TokenError::Malformed | TokenError::Algorithm), "{alg}: {problem}");
        }
    }
}

/// The oldest trick: what everybody may see, the public key, taken for a shared secret.
#[tokio::test]
async fn rejects_a_public_key_used_as_a_secret() {
    let p256 = Signer::p256("p256");
    for (signer, own) in [(&*RSA, RS256), (&p256, ES256)] {
        let (_jwks, by_jwks) = of(&[signer], &[own]);
        let (_pem, keys) = file(&signer.pem);
        let by_pem = IssuerSettings { keys, ..by_jwks.clone() };
        for settings in [by_jwks, by_pem] {
            let verifier = verifier(vec![settings]);
            assert!(verifier.verify(&signer.sign(&claims(ISSUER))).await.is_ok());
            let jwk = signer.jwk().to_string();
            let der = pem_to_der(&signer.pem);
            // HMAC pads keys with zeros, so the last one signs as an empty secret does, which jsonwebtoken does not take.
            for secret in [signer.pem.as_bytes(), signer.pem.trim().as_bytes(), jwk.as_bytes(), &der, b"\0"] {
                let forger = Signer::secret(secret, HS256).called(&signer.id);
                assert_eq!(refused(verifier.verify(&forger.sign(&claims(ISSUER))).await), TokenError::Algorithm);
                // As though it were signed as it should be.
                let header = json!({ "alg": own, "kid": signer.id });
                let bent = forger.sign_with(&header, &claims(ISSUER));
                assert_eq!(refused(verifier.verify(&bent).await), TokenError::Signature);
            }
        }
    }
}

fn pem_to_der(pem: &str) -> Vec<u8> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(lines).unwrap()
}

/// A secret that stands in a public document is none, whatever the operator allows.
#[tokio::test]
async fn ignores_secrets_among_public_keys() {
    let secret = Signer::secret(b"a secret that is long enough to be one", HS256);
    let (_file, settings) = of(&[&secret, &RSA], &[RS256]);
    let verifier = verifier(vec![settings]);
    assert_eq!(refused(verifier.verify(&secret.sign(&claims(ISSUER))).await), TokenError::Algorithm);
    assert!(verifier.verify(&RSA.sign(&claims(ISSUER))).await.is_ok());
}

#[tokio::test]
async fn uses_a_key_only_with_its_algorithm() {
    let members = json!({ "kid": RSA.id, "alg": "RS256" });
    let (_file, keys) = jwks(&[RSA.jwk_with(&members)]);
    let verifier = verifier(vec![issuer(ISSUER, keys)]);
    assert!(verifier.verify(&signed(&RSA, RS256)).await.is_ok());
    assert_eq!(refused(verifier.verify(&signed(&RSA, PS256)).await), TokenError::Algorithm);
}

#[tokio::test]
async fn requires_the_curve_of_the_algorithm() {
    let (p256, p384, ed) = (Signer::p256("a"), Signer::p384("b"), Signer::ed25519("c"));
    let (_file, settings) = of(&[&p256, &p384, &ed], &[RS256, ES256, ES384, EdDSA]);
    let verifier = verifier(vec![settings]);
    for (signer, wrong) in [(&p256, ES384), (&p256, EdDSA), (&p384, ES256), (&ed, ES256), (&ed, RS256)] {
        let header = json!({ "alg": wrong, "kid": signer.id });
        let problem = refused(verifier.verify(&signer.sign_with(&header, &claims(ISSUER))).await);
        assert_eq!(problem, TokenError::Algorithm, "{} as {wrong:?}", signer.id);
    }
}

/// Keys that a token contains or refers to may be an attacker's.
#[tokio::test]
async fn never_uses_keys_in_a_token() {
    let theirs = IdentityProvider::start().await;
    theirs.publish(&[OTHER_RSA.jwk()]);
    let (_file, settings) = of(&[&RSA], &[RS256]);
    let verifier = verifier(vec![settings]);
    for brought in [
        json!({ "jwk": OTHER_RSA.jwk() }),
        json!({ "jku": theirs.keys_url() }),
        json!({ "x5u": theirs.keys_url() }),
        json!({ "x5c": [pem_to_der(&OTHER_RSA.pem).iter().map(|byte| format!("{byte:02x}")).collect::<String>()] }),
    ] {
        let mut header = json!({ "alg": "RS256", "kid": RSA.id });
        header.as_object_mut().unwrap().extend(brought.as_object().unwrap().clone());
        let forged = OTHER_RSA.sign_with(&header, &claims(ISSUER));
        assert_eq!(refused(verifier.verify(&forged).await), TokenError::Signature, "{header}");
        assert!(verifier.verify(&RSA.sign_with(&header, &claims(ISSUER))).await.is_ok(), "it is passed over: {header}");
        header["kid"] = OTHER_RSA.id.clone().into();
        let forged = OTHER_RSA.sign_with(&header, &claims(ISSUER));
        assert_eq!(refused(verifier.verify(&forged).await), TokenError::UnknownKey, "{header}");
    }
    assert_eq!(theirs.asked().keys, 0);
}
