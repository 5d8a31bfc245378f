//! What is shown of tokens and keys to operators and callers: nothing that is of use to anybody.

use boltgate::auth::token::{Algorithm, KeySource, TokenError};
use serde_json::json;
use tokio::time::Duration;
use zeroize::Zeroizing;

use super::{
    ISSUER, LOG, claims, from_now, issuer, pass, refused,
    signer::{RSA, Signer, encode},
    until, verifier, with, without,
};
use crate::support::identity_provider::{Answer, IdentityProvider};

const SECRET: &str = "hunter2-hunter2-hunter2-hunter2-hunter2";

#[tokio::test]
async fn never_shows_tokens_or_keys() {
    let (provider, signer) = (IdentityProvider::start().await, Signer::p256("k"));
    provider.publish(&[signer.jwk()]);
    let mut with_secret = issuer(ISSUER, KeySource::Secret(Zeroizing::new(SECRET.into())));
    with_secret.algorithms = vec![Algorithm::HS256];
    let verifier = verifier(vec![issuer(provider.issuer(), KeySource::Discovery), with_secret]);
    let shared = Signer::secret(SECRET.as_bytes(), Algorithm::HS256);
    let good = claims(provider.issuer());
    let tokens = [
        signer.sign(&good),
        shared.sign(&claims(ISSUER)),
        signer.sign(&with(good.clone(), "exp", 1)),
        signer.sign(&with(good.clone(), "nbf", from_now(9999))),
        signer.sign(&with(good.clone(), "aud", "their-secret-audience")),
        signer.sign(&with(good.clone(), "iss", "https://their-secret-issuer.example")),
        signer.sign(&without(good.clone(), "exp")),
        Signer::p256("their-secret-key").sign(&good),
        Signer::p256("k").sign(&good),
        RSA.sign_with(&json!({ "alg": "RS512", "kid": "k" }), &good),
        format!("{}.{}.x", encode("{\"alg\":\"none\"}"), encode(good.to_string())),
        "their-secret-opaque-token".into(),
    ];
    let mut shown = format!("{verifier:?}");
    for token in &tokens {
        if let Err(problem) = verifier.verify(token).await {
            shown += &format!("\n{problem} {problem:?}");
        }
    }
    provider.answer_keys(Answer::Body(b"{\"keys\":\"their-secret-body\"}".to_vec()));
    pass(Duration::from_secs(290)).await;
    assert!(verifier.verify(&tokens[0]).await.is_ok());
    until("a failure is logged", async || !LOG.lines(&provider.keys_url()).is_empty()).await;

    let logged = LOG.text();
    assert!(LOG.lines("keys=1").iter().any(|line| line.contains("issuer=\"corp\"")), "{logged}");
    for text in [&shown, &logged] {
        let parts = tokens.iter().flat_map(|token| token.split('.')).filter(|part| part.len() > 8);
        for secret in parts.chain([SECRET, "their-secret", signer.jwk()["x"].as_str().unwrap()]) {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

#[tokio::test]
async fn logs_why_keys_are_missing() {
    let (provider, signer) = (IdentityProvider::start().await, Signer::p256("k"));
    for (answer, reason) in [
        (Answer::Status(502), "502"),
        (Answer::Redirect("https://their-secret.example".into()), "redirect"),
        (Answer::Endless, "262144"),
        (Answer::Body(b"[]".to_vec()), "document"),
    ] {
        provider.answer_keys(answer.clone());
        let verifier = verifier(vec![issuer(provider.issuer(), KeySource::Discovery)]);
        assert!(refused(verifier.verify(&signer.sign(&claims(provider.issuer()))).await).is_unavailable());
        let lines = LOG.lines(&provider.keys_url());
        let line = lines.last().expect("something is logged");
        assert!(line.contains("WARN") && line.contains("corp"), "{line}");
        assert!(line.contains(reason) && !line.contains("their-secret"), "{answer:?}: {line}");
    }
}

#[test]
fn distinguishes_all_problems() {
    let everything = [
        TokenError::Malformed,
        TokenError::UnknownIssuer,
        TokenError::Algorithm,
        TokenError::UnknownKey,
        TokenError::Signature,
        TokenError::Audience,
        TokenError::Expired,
        TokenError::NotYetValid,
        TokenError::KeysUnavailable,
    ];
    let texts: std::collections::HashSet<String> = everything.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), everything.len(), "each has words of its own");
    assert_eq!(everything.iter().filter(|problem| problem.is_expired()).count(), 1);
    assert_eq!(everything.iter().filter(|problem| problem.is_unavailable()).count(), 1);
}
