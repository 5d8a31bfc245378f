//! Tokens whose key is not there: perhaps the issuer has a new one, perhaps somebody makes them up by the thousand.

use std::sync::Arc;

use boltgate::auth::token::{TokenError, Verifier};
use tokio::{task::JoinSet, time::Duration};

use super::{claims, pass, refused, signer::Signer, verifier_at};
use crate::support::identity_provider::{Answer, IdentityProvider};

const SECOND: Duration = Duration::from_secs(1);
/// Between two fetches for the sake of a key that is not there.
const COOL_DOWN: Duration = Duration::from_secs(30);

struct World {
    provider: IdentityProvider,
    first: Signer,
    verifier: Verifier,
}

impl World {
    /// The first key is known.
    async fn new() -> Self {
        let provider = IdentityProvider::start().await;
        let first = Signer::p256("first");
        provider.publish(&[first.jwk()]);
        let verifier = verifier_at(&provider);
        let world = Self { provider, first, verifier };
        assert_eq!(world.answer(&world.first).await, None);
        assert_eq!(world.provider.asked().keys, 1);
        world
    }

    async fn answer(&self, signer: &Signer) -> Option<TokenError> {
        self.verifier.verify(&signer.sign(&claims(self.provider.issuer()))).await.err()
    }
}

#[tokio::test]
async fn accepts_a_new_key_at_once() {
    let world = World::new().await;
    let second = Signer::p256("second");
    world.provider.publish(&[world.first.jwk(), second.jwk()]);
    assert_eq!(world.answer(&second).await, None);
    assert_eq!(world.answer(&world.first).await, None);
    assert_eq!(world.provider.asked().keys, 2);
}

#[tokio::test]
async fn fetches_once_for_many_unknown_keys() {
    let world = Arc::new(World::new().await);
    // Keys take their time to make, and the pause between fetches is not to be over before all have been tried.
    let made_up: Vec<_> = (0..250).map(|number| Signer::p256(&format!("made-up-{number}"))).collect();
    let mut tokens = made_up.iter().map(|signer| signer.sign(&claims(world.provider.issuer()))).collect::<Vec<_>>();
    let later = tokens.split_off(200);
    let mut all = JoinSet::new();
    for token in tokens {
        let world = Arc::clone(&world);
        all.spawn(async move { world.verifier.verify(&token).await.err() });
    }
    assert!(all.join_all().await.into_iter().all(|answer| answer == Some(TokenError::UnknownKey)));
    assert_eq!(world.provider.asked().keys, 2, "one for all");
    for token in later {
        assert_eq!(world.verifier.verify(&token).await.err(), Some(TokenError::UnknownKey));
    }
    assert_eq!(world.provider.asked().keys, 2, "and no other for now");
    assert_eq!(world.answer(&world.first).await, None, "who has a good token notices nothing");
}

#[tokio::test]
async fn does_not_wait_during_the_cooldown() {
    let world = World::new().await;
    let made_up = Signer::p256("made-up");
    assert_eq!(world.answer(&made_up).await, Some(TokenError::UnknownKey));
    // Would hang if anybody asked.
    world.provider.hold();
    pass(COOL_DOWN - 20 * SECOND).await;
    assert_eq!(world.answer(&made_up).await, Some(TokenError::UnknownKey));
    assert_eq!(world.provider.asked().keys, 2);
    world.provider.release();
    world.provider.publish(&[made_up.jwk()]);
    pass(21 * SECOND).await;
    assert_eq!(world.answer(&made_up).await, None, "afterwards its key is looked for again");
    assert_eq!(world.provider.asked().keys, 3);
}

/// Who only misuses a name learns nothing and moves nothing.
#[tokio::test]
async fn does_not_fetch_for_known_keys() {
    let world = World::new().await;
    let forger = Signer::p256("first");
    assert_eq!(world.answer(&forger).await, Some(TokenError::Signature));
    let unsigned = refused(world.verifier.verify("eyJhbGciOiJub25lIn0.e30.").await);
    assert!(matches!(unsigned, TokenError::Malformed | TokenError::Algorithm | TokenError::UnknownIssuer));
    assert_eq!(world.provider.asked().keys, 1);
}

/// Nobody can say whose a key is while its issuer does not answer.
#[tokio::test]
async fn reports_unavailable_keys_when_the_issuer_is_down() {
    let world = World::new().await;
    let second = Signer::p256("second");
    world.provider.publish(&[world.first.jwk(), second.jwk()]);
    world.provider.answer_keys(Answer::Status(500));
    assert_eq!(world.answer(&second).await, Some(TokenError::KeysUnavailable));
    assert_eq!(world.answer(&second).await, Some(TokenError::KeysUnavailable));
    assert_eq!(world.answer(&world.first).await, None);
    assert_eq!(world.provider.asked().keys, 2);
    world.provider.answer_keys(Answer::Document);
    pass(COOL_DOWN).await;
    assert_eq!(world.answer(&second).await, None);
}

#[tokio::test]
async fn serves_all_waiters_for_a_new_key() {
    let world = Arc::new(World::new().await);
    let second = Arc::new(Signer::p256("second"));
    world.provider.publish(&[second.jwk()]);
    world.provider.hold();
    let mut all = JoinSet::new();
    for _ in 0..50 {
        let (world, second) = (Arc::clone(&world), Arc::clone(&second));
        all.spawn(async move { world.answer(&second).await });
    }
    world.provider.asked_for_keys(2).await;
    world.provider.release();
    assert!(all.join_all().await.into_iter().all(|answer| answer.is_none()));
    assert_eq!(world.provider.asked().keys, 2);
    assert_eq!(world.answer(&world.first).await, Some(TokenError::UnknownKey), "the first one is withdrawn");
}
