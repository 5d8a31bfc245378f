//! How long keys are good: renewed before they end, kept for a while when that fails, and fetched once for all.

use std::sync::Arc;

use boltgate::auth::token::{KeySource, Settings, TokenError, Verifier};
use futures_util::FutureExt;
use tokio::{task::JoinSet, time::Duration};

use super::{LEEWAY, STALE, claims, issuer, pass, refused, set_up_with, signer::Signer, until, verifier, verifier_at};
use crate::support::identity_provider::{Answer, Asked, IdentityProvider};

const SECOND: Duration = Duration::from_secs(1);
/// Of keys that came without a word on it.
const LIFETIME: Duration = Duration::from_secs(300);
/// Before something is due. The clock goes on while tests work, and a busy machine takes its time.
const EARLY: Duration = Duration::from_secs(20);
/// The pause after a fetch that failed.
const RETRY: Duration = Duration::from_secs(5);

struct World {
    provider: IdentityProvider,
    signer: Signer,
    token: String,
    verifier: Verifier,
}

impl World {
    /// Keys have not been fetched yet.
    async fn cold(cache_control: Option<&[u8]>) -> Self {
        let provider = IdentityProvider::start().await;
        let signer = Signer::p256("first");
        provider.publish(&[signer.jwk()]);
        if let Some(value) = cache_control {
            provider.cache_control(value);
        }
        let token = signer.sign(&claims(provider.issuer()));
        let verifier = verifier_at(&provider);
        Self { provider, signer, token, verifier }
    }

    /// They have.
    async fn warm(cache_control: Option<&[u8]>) -> Self {
        let world = Self::cold(cache_control).await;
        world.counts().await;
        assert_eq!(world.provider.asked().keys, 1);
        world
    }

    async fn counts(&self) {
        assert!(self.verifier.verify(&self.token).await.is_ok());
    }

    async fn asked(&self) -> usize {
        // Whatever was begun has time to arrive.
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.provider.asked().keys
    }
}

#[tokio::test]
async fn shares_one_fetch_among_waiters() {
    let world = Arc::new(World::cold(None).await);
    world.provider.hold();
    let mut waiting = JoinSet::new();
    for number in 0..100 {
        let world = Arc::clone(&world);
        waiting.spawn(async move {
            let mut claims = claims(world.provider.issuer());
            claims["jti"] = number.into();
            world.verifier.verify(&world.signer.sign(&claims)).await.map(|_| ())
        });
    }
    world.provider.asked_for_keys(1).await;
    world.provider.release();
    assert!(waiting.join_all().await.into_iter().all(|answer| answer.is_ok()));
    assert_eq!(world.asked().await, 1);
}

#[tokio::test]
async fn continues_a_fetch_when_a_caller_leaves() {
    let world = Arc::new(World::cold(None).await);
    world.provider.hold();
    let caller = tokio::spawn({
        let world = Arc::clone(&world);
        async move { world.verifier.verify(&world.token).await.map(|_| ()) }
    });
    world.provider.asked_for_keys(1).await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    world.provider.release();
    world.counts().await;
    assert_eq!(world.asked().await, 1, "it was the first caller's fetch that went on");
}

#[tokio::test]
async fn renews_keys_before_they_become_stale() {
    let world = World::warm(None).await;
    pass(LIFETIME * 3 / 4 - EARLY).await;
    world.counts().await;
    assert_eq!(world.asked().await, 1, "not before three quarters are over");
    pass(EARLY + SECOND).await;
    world.provider.hold();
    for _ in 0..20 {
        world.counts().await;
    }
    world.provider.asked_for_keys(2).await;
    world.counts().await;
    world.provider.release();
    assert_eq!(world.asked().await, 2, "once, and nobody waited for it");
    pass(LIFETIME / 2).await;
    world.counts().await;
    assert_eq!(world.asked().await, 2, "the new ones are as good as the old ones were");
}

#[tokio::test]
async fn repeats_discovery_with_the_keys() {
    let world = World::cold(None).await;
    let moved = IdentityProvider::start().await;
    moved.publish(&[world.signer.jwk()]);
    let name = world.provider.issuer();
    let verifier = verifier(vec![issuer(name, KeySource::Discovery)]);
    assert!(verifier.verify(&world.token).await.is_ok());
    world.provider.describe(name, &moved.keys_url());
    pass(LIFETIME * 3 / 4 + SECOND).await;
    assert!(verifier.verify(&world.token).await.is_ok());
    moved.asked_for_keys(1).await;
    assert_eq!(world.provider.asked(), Asked { discovery: 2, keys: 1 });
}

/// The lifetime is the provider's choice, between a minute and a day.
#[tokio::test]
async fn honours_the_providers_max_age() {
    for (cache_control, seconds) in [
        (&b"max-age=600"[..], 600),
        (b"public, Max-Age=\"900\", must-revalidate", 900),
        (b"max-age=1", 60),
        (b"max-age=0, no-cache", 60),
        (b"max-age=31536000", 24 * 3600),
        (b"max-age=18446744073709551615", 24 * 3600),
        (b"no-store", 300),
        (b"max-age", 300),
        (b"max-age=", 300),
        (b"max-age=-5", 300),
        (b"max-age=soon", 300),
        (b"s-maxage=5; \"", 300),
        (b"=,,=\xFF\xFE", 300),
        (b"", 300),
    ] {
        let world = World::warm(Some(cache_control)).await;
        let lifetime = Duration::from_secs(seconds);
        let shown = String::from_utf8_lossy(cache_control);
        pass(lifetime * 3 / 4 - EARLY).await;
        world.counts().await;
        assert_eq!(world.asked().await, 1, "{shown}: too early");
        pass(EARLY + SECOND).await;
        world.counts().await;
        world.provider.asked_for_keys(2).await;
    }
}

#[tokio::test]
async fn keeps_unrenewable_keys_for_a_while() {
    let world = World::warm(None).await;
    world.provider.answer_keys(Answer::Status(500));
    pass(LIFETIME * 3 / 4 + SECOND).await;
    for _ in 0..10 {
        world.counts().await;
    }
    world.provider.asked_for_keys(2).await;
    assert_eq!(world.asked().await, 2, "one attempt, not one for every token");
    pass(LIFETIME / 4 + STALE - EARLY).await;
    world.counts().await;
    pass(EARLY + SECOND).await;
    let problem = refused(world.verifier.verify(&world.token).await);
    assert!(problem.is_unavailable(), "{problem}");
    world.provider.answer_keys(Answer::Document);
    pass(RETRY).await;
    world.counts().await;
}

/// The worst of failures is silence: nobody who has a good token is to wait for its end.
#[tokio::test]
async fn uses_old_keys_while_the_issuer_is_silent() {
    let world = World::warm(None).await;
    world.provider.hold();
    pass(LIFETIME * 3 / 4 + SECOND).await;
    world.counts().await;
    world.provider.asked_for_keys(2).await;
    for round in 3..6 {
        // The fetch under way is given up, and after a pause the next one is due.
        pass(LIFETIME).await;
        assert_eq!(world.asked().await, round - 1);
        pass(RETRY).await;
        let answer = world.verifier.verify(&world.token).now_or_never();
        assert!(answer.expect("nobody waits").is_ok());
        world.provider.asked_for_keys(round).await;
        let answer = world.verifier.verify(&world.token).now_or_never();
        assert!(answer.expect("nobody waits while it is under way").is_ok());
    }
    world.provider.release();
    world.counts().await;
}

/// Nothing has changed for valid tokens, so none is verified again.
#[tokio::test]
async fn keeps_cached_tokens_when_keys_are_unchanged() {
    let world = World::warm(None).await;
    let before = world.verifier.verify(&world.token).await.unwrap();
    pass(LIFETIME * 3 / 4 + SECOND).await;
    world.counts().await;
    world.provider.asked_for_keys(2).await;
    assert_eq!(world.asked().await, 2);
    pass(LIFETIME / 2).await;
    let after = world.verifier.verify(&world.token).await.unwrap();
    assert!(Arc::ptr_eq(&before, &after), "it is still remembered");
}

#[tokio::test]
async fn allows_zero_tolerance_for_stale_keys() {
    let world = World::cold(None).await;
    let issuers = vec![issuer(world.provider.issuer(), KeySource::Url(world.provider.keys_url()))];
    let verifier = set_up_with(Settings { issuers, leeway: LEEWAY, stale_keys: Duration::ZERO }).unwrap();
    assert!(verifier.verify(&world.token).await.is_ok());
    world.provider.answer_keys(Answer::Status(500));
    pass(LIFETIME - EARLY).await;
    assert!(verifier.verify(&world.token).await.is_ok());
    pass(EARLY + SECOND).await;
    assert!(refused(verifier.verify(&world.token).await).is_unavailable());
}

/// A night without requests: nobody has renewed the keys, and nobody uses the old ones when new ones are available.
#[tokio::test]
async fn renews_idle_keys_before_use() {
    let world = World::warm(None).await;
    world.provider.publish(&[Signer::p256("second").jwk()]);
    pass(LIFETIME + SECOND).await;
    assert_eq!(refused(world.verifier.verify(&world.token).await), TokenError::UnknownKey);
    let (second, day) = (World::warm(None).await, Duration::from_secs(24 * 3600));
    pass(day).await;
    second.counts().await;
    assert_eq!(second.asked().await, 2);
}

/// Cached tokens too lose their validity with the key.
#[tokio::test]
async fn forgets_cached_tokens_of_a_withdrawn_key() {
    let world = World::warm(None).await;
    let second = Signer::p256("second");
    world.provider.publish(&[second.jwk()]);
    pass(LIFETIME * 3 / 4 + SECOND).await;
    world.counts().await;
    until("the token is refused", async || world.verifier.verify(&world.token).await.is_err()).await;
    assert_eq!(refused(world.verifier.verify(&world.token).await), TokenError::UnknownKey);
    assert!(world.verifier.verify(&second.sign(&claims(world.provider.issuer()))).await.is_ok());
}
