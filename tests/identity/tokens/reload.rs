//! Settings of issuers that change while the gateway runs.

use std::sync::Arc;

use boltgate::{
    auth::token::{IssuerSettings, KeySource, Settings, TokenError, Verifier},
    telemetry::event_log::EventLog,
};

use super::{LEEWAY, STALE, claims, issuer, refused, signer::Signer, verifier_at};
use crate::support::identity_provider::{Answer, IdentityProvider};

struct World {
    provider: IdentityProvider,
    token: String,
    verifier: Verifier,
}

impl World {
    /// The keys have been fetched, and cannot be fetched again.
    async fn new() -> Self {
        let (provider, signer) = (IdentityProvider::start().await, Signer::p256("first"));
        provider.publish(&[signer.jwk()]);
        let token = signer.sign(&claims(provider.issuer()));
        let verifier = verifier_at(&provider);
        assert!(verifier.verify(&token).await.is_ok());
        provider.answer_keys(Answer::Status(500));
        Self { provider, token, verifier }
    }

    fn issuer(&self) -> IssuerSettings {
        issuer(self.provider.issuer(), KeySource::Url(self.provider.keys_url()))
    }

    fn renewed(&self, issuers: Vec<IssuerSettings>) -> Verifier {
        let settings = Settings { issuers, leeway: LEEWAY, stale_keys: STALE };
        self.verifier.renewed(settings, Arc::new(EventLog)).expect("the settings are good")
    }
}

#[tokio::test]
async fn keeps_keys_that_cannot_be_fetched_again() {
    let world = World::new().await;
    let other = IssuerSettings { name: "other".into(), ..issuer("https://other.example", KeySource::Discovery) };
    let renewed = world.renewed(vec![other, IssuerSettings { name: "renamed".into(), ..world.issuer() }]);
    renewed.warm_up();
    world.provider.asked_for_keys(2).await;
    assert_eq!(renewed.verify(&world.token).await.expect("the keys are good still").issuer, 1);
}

#[tokio::test]
async fn holds_tokens_to_the_new_settings() {
    let world = World::new().await;
    let strict = world.renewed(vec![IssuerSettings { audience: vec!["another".into()], ..world.issuer() }]);
    assert_eq!(refused(strict.verify(&world.token).await), TokenError::Audience);
    let elsewhere = KeySource::Url(format!("{}?v=2", world.provider.keys_url()));
    let elsewhere = world.renewed(vec![IssuerSettings { keys: elsewhere, ..world.issuer() }]);
    assert_eq!(refused(elsewhere.verify(&world.token).await), TokenError::KeysUnavailable);
    assert_eq!(refused(world.renewed(Vec::new()).verify(&world.token).await), TokenError::UnknownIssuer);
}
