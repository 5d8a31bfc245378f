//! Several issuers: each vouches for its own tokens only.

use boltgate::auth::token::{ClaimPath, KeySource, TokenError};
use serde_json::{Value, json};

use super::{
    ISSUER, claims, issuer, refused,
    signer::{Signer, jwks},
    verifier, with, without,
};
use crate::support::identity_provider::{Asked, IdentityProvider};

const OTHER: &str = "https://other.example";

#[tokio::test]
async fn rejects_tokens_signed_by_another_issuer() {
    // They share an id, so that only the keys differ.
    let (one, other) = (Signer::p256("k"), Signer::p256("k"));
    let ((_one, one_keys), (_other, other_keys)) = (jwks(&[one.jwk()]), jwks(&[other.jwk()]));
    let verifier = verifier(vec![issuer(ISSUER, one_keys), issuer(OTHER, other_keys)]);
    for (place, (signer, iss)) in [(&one, ISSUER), (&other, OTHER)].into_iter().enumerate() {
        assert_eq!(verifier.verify(&signer.sign(&claims(iss))).await.unwrap().issuer, place);
    }
    for (signer, iss) in [(&one, OTHER), (&other, ISSUER)] {
        assert_eq!(refused(verifier.verify(&signer.sign(&claims(iss))).await), TokenError::Signature);
    }
}

#[tokio::test]
async fn compares_issuers_exactly() {
    let signer = Signer::p256("k");
    let (_file, keys) = jwks(&[signer.jwk()]);
    let verifier = verifier(vec![issuer(ISSUER, keys)]);
    for iss in ["", "https://id.example/", "https://ID.example", "https://id.exampl", "https://id.example.org", " "] {
        let answer = verifier.verify(&signer.sign(&claims(iss))).await;
        assert_eq!(answer.err(), Some(TokenError::UnknownIssuer), "{iss}");
    }
    for iss in [Value::Null, json!(1), json!([ISSUER]), json!({ "a": ISSUER })] {
        let answer = verifier.verify(&signer.sign(&with(claims(ISSUER), "iss", iss.clone()))).await;
        assert_eq!(answer.err(), Some(TokenError::UnknownIssuer), "{iss}");
    }
    let nobodys = signer.sign(&without(claims(ISSUER), "iss"));
    assert_eq!(refused(verifier.verify(&nobodys).await), TokenError::UnknownIssuer);
}

#[tokio::test]
async fn applies_settings_per_issuer() {
    let signer = Signer::p256("k");
    let ((_one, one_keys), (_other, other_keys)) = (jwks(&[signer.jwk()]), jwks(&[signer.jwk()]));
    let mut one = issuer(ISSUER, one_keys);
    one.user_claim = Some(ClaimPath::new("upn"));
    let mut other = issuer(OTHER, other_keys);
    other.audience = vec!["elsewhere".into()];
    let verifier = verifier(vec![one, other]);
    let upn = with(claims(ISSUER), "upn", "anna");
    assert_eq!(verifier.verify(&signer.sign(&upn)).await.unwrap().user.as_deref(), Some("anna"));
    let no_upn = with(claims(OTHER), "aud", "elsewhere");
    assert_eq!(verifier.verify(&signer.sign(&no_upn)).await.unwrap().user, None);
    assert_eq!(refused(verifier.verify(&signer.sign(&claims(OTHER))).await), TokenError::Audience);
}

#[tokio::test]
async fn fetches_nothing_from_other_issuers() {
    let (one, other) = (IdentityProvider::start().await, IdentityProvider::start().await);
    let signer = Signer::p256("k");
    [&one, &other].iter().for_each(|provider| provider.publish(&[signer.jwk()]));
    let at = |provider: &IdentityProvider| issuer(provider.issuer(), KeySource::Url(provider.keys_url()));
    let verifier = verifier(vec![at(&one), at(&other)]);
    let unknown = Signer::p256("unknown").sign(&claims(one.issuer()));
    assert_eq!(refused(verifier.verify(&unknown).await), TokenError::UnknownKey);
    assert_eq!(other.asked(), Asked::default());
    let nobodys = signer.sign(&claims("https://nobody.example"));
    assert_eq!(refused(verifier.verify(&nobodys).await), TokenError::UnknownIssuer);
    assert_eq!(other.asked(), Asked::default());
    assert!(verifier.verify(&signer.sign(&claims(other.issuer()))).await.is_ok());
    assert_eq!(other.asked(), Asked { discovery: 0, keys: 1 });
}

#[tokio::test]
async fn keeps_verifying_when_another_issuer_is_down() {
    let provider = IdentityProvider::start().await;
    let signer = Signer::p256("k");
    let (_file, keys) = jwks(&[signer.jwk()]);
    let verifier = verifier(vec![issuer(provider.issuer(), KeySource::Discovery), issuer(ISSUER, keys)]);
    let gone = provider.issuer().to_owned();
    drop(provider);
    verifier.warm_up();
    assert!(refused(verifier.verify(&signer.sign(&claims(&gone))).await).is_unavailable());
    assert_eq!(verifier.verify(&signer.sign(&claims(ISSUER))).await.unwrap().issuer, 1);
}
