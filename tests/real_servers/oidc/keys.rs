//! Keys that are rotated while the gateway runs, and tokens that name unknown keys.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use tokio::task::JoinSet;

use super::stand::{AUDIENCE, Stand, UNAUTHORIZED, ask, is_turned_away, message};
use crate::support::oidc_provider::{OidcProvider, OldKeys};

#[tokio::test]
async fn finds_a_new_key_with_one_fetch() {
    let Some(stand) = Stand::start().await else { return };
    let old = stand.provider.token(AUDIENCE).await;
    stand.lets_in(&old).await;
    let before = stand.provider.fetches().await;
    stand.provider.rotate(OldKeys::Stay).await;
    let new = stand.provider.token(AUDIENCE).await;
    stand.becomes(&new, 202).await;
    stand.lets_in(&old).await;
    let after = stand.provider.fetches().await;
    assert_eq!(after.keys, before.keys + 1);
    // Turned again so soon, it is not asked again so soon.
    stand.provider.rotate(OldKeys::Stay).await;
    let newer = stand.provider.token(AUDIENCE).await;
    stand.turns_away(&newer, UNAUTHORIZED, message::KEY).await;
    assert_eq!(stand.provider.fetches().await, after);
    stand.becomes(&newer, 202).await;
}

#[tokio::test]
async fn forgets_a_dropped_key() {
    let Some(stand) = Stand::start().await else { return };
    let old = stand.provider.token(AUDIENCE).await;
    stand.lets_in(&old).await;
    stand.provider.rotate(OldKeys::Go).await;
    // Nobody has asked for the new one yet.
    stand.lets_in(&old).await;
    let new = stand.provider.token(AUDIENCE).await;
    stand.becomes(&new, 202).await;
    stand.turns_away(&old, UNAUTHORIZED, message::KEY).await;
    stand.lets_in(&new).await;
}

#[tokio::test]
async fn notices_a_dropped_key_without_use_of_the_new_one() {
    let Some(provider) = OidcProvider::find().await else { return };
    // So short that the gateway's own least counts: the longest wait of these tests.
    provider.publish_for(1).await;
    let stand = Stand::of(provider, &[]).await;
    let old = stand.provider.token(AUDIENCE).await;
    stand.lets_in(&old).await;
    stand.provider.rotate(OldKeys::Go).await;
    is_turned_away(&stand.becomes(&old, 401).await, UNAUTHORIZED, message::KEY);
    let fetches = stand.provider.fetches().await;
    stand.lets_in(&stand.provider.token(AUDIENCE).await).await;
    assert_eq!(stand.provider.fetches().await, fetches, "its key was there already");
}

#[tokio::test]
async fn shields_the_provider_from_unknown_keys() {
    let Some(stand) = Stand::start().await else { return };
    let token = stand.provider.token(AUDIENCE).await;
    stand.lets_in(&token).await;
    let before = stand.provider.fetches().await;
    let (_, rest) = token.split_once('.').expect("a token has parts");
    let mut requests = JoinSet::new();
    let gateway = Arc::new(stand.gateway);
    for number in 0..200 {
        let header = json!({ "alg": "RS256", "typ": "at+jwt", "kid": format!("made up {number}") });
        let bearer = format!("Bearer {}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()));
        let gateway = Arc::clone(&gateway);
        requests.spawn(async move { ask(&gateway, &[("Authorization", &bearer)]).await });
    }
    let answers = requests.join_all().await;
    assert_eq!(answers.len(), 200);
    for answer in &answers {
        is_turned_away(answer, UNAUTHORIZED, message::KEY);
    }
    let after = stand.provider.fetches().await;
    assert!(after.keys <= before.keys + 1 && after.discovery <= before.discovery + 1, "{before:?} {after:?}");
    assert_eq!(ask(&gateway, &[("Authorization", &format!("Bearer {token}"))]).await.status, 202);
}
