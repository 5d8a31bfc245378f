//! Tokens that were verified a moment ago: cheap, and never good for longer or for anybody else.

use std::time::Duration;

use boltgate::auth::token::{ClaimPath, Settings, TokenError, Verifier};
use tokio::runtime::Builder;

use super::{
    ISSUER, PATIENCE, STALE, claims, from_now, issuer, refused, set_up_with,
    signer::{Signer, jwks},
    verifier, verifier_at, with,
};
use crate::support::identity_provider::IdentityProvider;

#[test]
fn verifies_a_cached_token_without_allocating() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let (provider, signer) = (runtime.block_on(IdentityProvider::start()), Signer::p256("k"));
    provider.publish(&[signer.jwk()]);
    let verifier = verifier_at(&provider);
    let token = signer.sign(&claims(provider.issuer()));
    let first = runtime.block_on(verifier.verify(&token)).unwrap();
    runtime.block_on(async {
        let allocations = allocations(&verifier, &token).await;
        assert_eq!(allocations, 0);
    });
    let again = runtime.block_on(verifier.verify(&token)).unwrap();
    assert!(std::sync::Arc::ptr_eq(&first, &again), "it is the same");
    assert_eq!(provider.asked().keys, 1);
}

/// Polls once: nothing that is at hand waits.
async fn allocations(verifier: &Verifier, token: &str) -> u64 {
    std::future::poll_fn(|context| {
        let info = allocation_counter::measure(|| {
            for _ in 0..10 {
                let verifying = std::pin::pin!(verifier.verify(token));
                assert!(verifying.poll(context).is_ready());
            }
        });
        std::task::Poll::Ready(info.count_total)
    })
    .await
}

/// A token of the same user with other rights is another token, down to the last letter of its signature.
#[tokio::test]
async fn caches_exactly_one_token_per_entry() {
    let signer = Signer::p256("k");
    let (_file, keys) = jwks(&[signer.jwk()]);
    let mut settings = issuer(ISSUER, keys);
    settings.user_claim = Some(ClaimPath::new("user"));
    let verifier = verifier(vec![settings]);
    let [reader, writer] = ["reader", "writer"].map(|user| signer.sign(&with(claims(ISSUER), "user", user)));
    for _ in 0..2 {
        for (token, user) in [(&reader, "reader"), (&writer, "writer")] {
            let verified = verifier.verify(token).await.unwrap();
            assert_eq!((verified.subject.as_deref(), verified.user.as_deref()), (Some("alice"), Some(user)));
        }
    }
    let (message, _) = reader.rsplit_once('.').unwrap();
    let (_, others) = writer.rsplit_once('.').unwrap();
    assert_eq!(refused(verifier.verify(&format!("{message}.{others}")).await), TokenError::Signature);
    let cut = &reader[..reader.len() - 4];
    assert!(matches!(refused(verifier.verify(cut).await), TokenError::Signature | TokenError::Malformed));
}

#[tokio::test]
async fn expires_cached_tokens() {
    let signer = Signer::p256("k");
    let (_file, keys) = jwks(&[signer.jwk()]);
    let settings = Settings { issuers: vec![issuer(ISSUER, keys)], leeway: Duration::ZERO, stale_keys: STALE };
    let verifier = set_up_with(settings).unwrap();
    let token = signer.sign(&with(claims(ISSUER), "exp", from_now(10)));
    assert!(verifier.verify(&token).await.is_ok());
    let ended = async {
        loop {
            match verifier.verify(&token).await {
                Ok(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                Err(problem) => break problem,
            }
        }
    };
    let problem = tokio::time::timeout(PATIENCE, ended).await.expect("it ends");
    assert_eq!(problem, TokenError::Expired);
}

#[tokio::test]
async fn does_not_cache_refusals() {
    let (provider, signer) = (IdentityProvider::start().await, Signer::p256("k"));
    let verifier = verifier_at(&provider);
    let token = signer.sign(&claims(provider.issuer()));
    provider.publish(&[Signer::p256("other").jwk()]);
    assert_eq!(refused(verifier.verify(&token).await), TokenError::UnknownKey);
    provider.publish(&[signer.jwk()]);
    super::pass(Duration::from_secs(31)).await;
    assert!(verifier.verify(&token).await.is_ok());
}

#[tokio::test]
async fn verifies_more_tokens_than_the_cache_holds() {
    let signer = Signer::ed25519("k");
    let (_file, keys) = jwks(&[signer.jwk()]);
    let verifier = verifier(vec![issuer(ISSUER, keys)]);
    let tokens: Vec<String> = (0..1000).map(|number| signer.sign(&with(claims(ISSUER), "jti", number))).collect();
    for token in tokens.iter().chain(&tokens) {
        assert!(verifier.verify(token).await.is_ok());
    }
}
