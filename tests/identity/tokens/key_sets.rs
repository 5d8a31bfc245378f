//! Which key of an issuer, and what is no key.

use boltgate::auth::token::{Algorithm, KeySource, SetupError, TokenError, Verifier};
use serde_json::{Value, json};

use super::{
    ISSUER, claims, issuer, refused, set_up,
    signer::{OTHER_RSA, RSA, Signer, file, jwks},
    verifier,
};

/// With these keys, good and bad.
fn with_keys(keys: &[Value]) -> Verifier {
    let (_file, keys) = jwks(keys);
    verifier(vec![issuer(ISSUER, keys)])
}

fn bad_settings(keys: KeySource, algorithms: &[Algorithm]) -> SetupError {
    let mut settings = issuer(ISSUER, keys);
    settings.algorithms = algorithms.to_vec();
    set_up(vec![settings]).expect_err("must be refused")
}

#[tokio::test]
async fn selects_the_key_by_id() {
    let (one, other, stranger) = (Signer::p256("one"), Signer::p256("other"), Signer::p256("stranger"));
    let verifier = with_keys(&[one.jwk(), other.jwk()]);
    for signer in [&one, &other] {
        assert!(verifier.verify(&signer.sign(&claims(ISSUER))).await.is_ok(), "{}", signer.id);
    }
    assert_eq!(refused(verifier.verify(&stranger.sign(&claims(ISSUER))).await), TokenError::UnknownKey);
    let wrong_name = one.called("other");
    assert_eq!(refused(verifier.verify(&wrong_name.sign(&claims(ISSUER))).await), TokenError::Signature);
    let no_name = json!({ "alg": "ES256" });
    let ambiguous = other.sign_with(&no_name, &claims(ISSUER));
    assert_eq!(refused(verifier.verify(&ambiguous).await), TokenError::UnknownKey, "two keys would do");
}

#[tokio::test]
async fn accepts_a_token_without_key_id_when_one_key_fits() {
    let (p256, p384) = (Signer::p256("a"), Signer::p384("b"));
    let verifier = with_keys(&[p256.jwk(), p384.jwk(), RSA.jwk()]);
    for signer in [&p256, &p384, &RSA] {
        let token = signer.sign_with(&json!({ "alg": signer.algorithm }), &claims(ISSUER));
        assert!(verifier.verify(&token).await.is_ok(), "{}", signer.id);
    }
    let stranger = Signer::p256("a").sign_with(&json!({ "alg": "ES256" }), &claims(ISSUER));
    assert_eq!(refused(verifier.verify(&stranger).await), TokenError::Signature);
}

#[tokio::test]
async fn ignores_invalid_keys_among_valid_ones() {
    let (good, encrypting, wrapping) = (Signer::p256("good"), Signer::p384("encrypting"), Signer::ed25519("wrapping"));
    let verifier = with_keys(&[
        Value::Null,
        json!(7),
        json!({}),
        json!({ "kty": "what", "kid": "w" }),
        json!({ "kty": "oct", "kid": "o", "k": "c2VjcmV0" }),
        json!({ "kty": "RSA", "kid": "no-modulus", "e": "AQAB" }),
        json!({ "kty": "RSA", "kid": "no-base64", "n": "!!!", "e": "AQAB" }),
        json!({ "kty": "EC", "kid": "unknown-curve", "crv": "secp256k1", "x": "AA", "y": "AA" }),
        json!({ "kty": "EC", "kid": "p521", "crv": "P-521", "x": "AA", "y": "AA" }),
        json!({ "kty": "OKP", "kid": "x25519", "crv": "X25519", "x": "AA" }),
        json!({ "kty": "AKP", "kid": "post-quantum", "alg": "ML-DSA-44", "pub": "AA" }),
        encrypting.jwk_with(&json!({ "kid": "encrypting", "use": "enc" })),
        wrapping.jwk_with(&json!({ "kid": "wrapping", "key_ops": ["wrapKey"] })),
        RSA.jwk_with(&json!({ "kid": RSA.id, "alg": "RSA-OAEP" })),
        good.jwk_with(&json!({ "kid": "good", "alg": "ES256", "use": "sig", "key_ops": ["verify"], "x-own": {} })),
    ]);
    assert!(verifier.verify(&good.sign(&claims(ISSUER))).await.is_ok());
    for signer in [&encrypting, &wrapping, &RSA] {
        let problem = refused(verifier.verify(&signer.sign(&claims(ISSUER))).await);
        assert_eq!(problem, TokenError::UnknownKey, "{}", signer.id);
    }
}

#[tokio::test]
async fn accepts_pem_key_files() {
    for signer in [&Signer::p256("a"), &Signer::p384("b"), &Signer::ed25519("c"), &RSA] {
        let (_file, keys) = file(&signer.pem);
        let mut settings = issuer(ISSUER, keys);
        settings.algorithms = vec![signer.algorithm];
        let verifier = verifier(vec![settings]);
        let nameless = json!({ "alg": signer.algorithm });
        assert!(verifier.verify(&signer.sign_with(&nameless, &claims(ISSUER))).await.is_ok(), "{}", signer.id);
        assert!(verifier.verify(&signer.sign(&claims(ISSUER))).await.is_ok(), "the file gives the key no id");
        if signer.algorithm == Algorithm::RS256 {
            let forged = OTHER_RSA.sign(&claims(ISSUER));
            assert_eq!(refused(verifier.verify(&forged).await), TokenError::Signature);
        }
    }
}

#[test]
fn rejects_key_files_without_a_usable_key_at_start() {
    let p256 = Signer::p256("a");
    let empty = jwks(&[]);
    let unfit = jwks(&[p256.jwk()]);
    for (file, keys) in [file(""), file("{}"), file("no key"), file("-----BEGIN PUBLIC KEY-----\n"), empty, unfit] {
        let problem = bad_settings(keys, &[Algorithm::RS256]).to_string();
        assert!(problem.contains("auth.issuers.corp"), "{problem}");
        assert!(problem.contains(file.path().to_str().unwrap()), "{problem}");
    }
    let (_file, unfit) = file(&p256.pem);
    assert!(bad_settings(unfit, &[Algorithm::EdDSA]).to_string().contains("auth.issuers.corp"));
    let gone = bad_settings(KeySource::File("/no/such/file".into()), &[Algorithm::RS256]).to_string();
    assert!(gone.contains("auth.issuers.corp") && gone.contains("/no/such/file"), "{gone}");
}

/// Nobody should see it, and it verifies nothing.
#[test]
fn rejects_private_keys_in_files_at_start() {
    let (_file, private) = file(include_str!("keys/rsa.pem"));
    let problem = bad_settings(private, &[Algorithm::RS256]).to_string();
    assert!(problem.contains("auth.issuers.corp") && problem.contains("private"), "{problem}");
}

#[test]
fn rejects_unsuitable_curves_in_files() {
    let (_file, p384) = file(Signer::p384("a").pem);
    assert!(bad_settings(p384, &[Algorithm::ES256]).to_string().contains("auth.issuers.corp"));
}

#[tokio::test]
async fn tolerates_a_key_without_an_id() {
    let (named, nameless, new) = (Signer::p256("named"), Signer::p256("nameless"), Signer::p256("new"));
    let bare = nameless.jwk_with(&json!({ "use": "sig" }));
    for keys in [[bare.clone(), named.jwk()], [named.jwk(), bare]] {
        let verifier = with_keys(&keys);
        assert!(verifier.verify(&named.sign(&claims(ISSUER))).await.is_ok());
        assert_eq!(refused(verifier.verify(&new.sign(&claims(ISSUER))).await), TokenError::UnknownKey);
    }
}
