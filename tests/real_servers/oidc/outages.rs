//! A provider that does not answer.

use super::stand::{AUDIENCE, Stand, message};
use crate::support::{
    http::Response,
    oidc_provider::{OidcProvider, OldKeys},
    query::refused,
};

#[track_caller]
fn has_to_wait(answer: &Response) {
    let error = refused(answer);
    let told = (error.status, error.code.as_str(), error.message.as_str());
    assert_eq!(told, (503, "Neo.TransientError.General.DatabaseUnavailable", message::UNAVAILABLE));
    assert_eq!(answer.header("Retry-After"), Some("1"));
    assert_eq!(answer.header("WWW-Authenticate"), None);
}

#[tokio::test]
async fn serves_once_the_provider_starts_later() {
    let Some(provider) = OidcProvider::find().await else { return };
    let token = provider.token(AUDIENCE).await;
    provider.publish(false).await;
    let stand = Stand::of(provider, &[]).await;
    for _ in 0..3 {
        has_to_wait(&stand.ask(&token).await);
    }
    assert_eq!(stand.fake.control.counts().accepted, 0);
    stand.provider.publish(true).await;
    stand.becomes(&token, 202).await;
}

#[tokio::test]
async fn keeps_serving_when_the_provider_goes_down() {
    let Some(stand) = Stand::start().await else { return };
    let token = stand.provider.token(AUDIENCE).await;
    stand.lets_in(&token).await;
    stand.provider.publish(false).await;
    for _ in 0..20 {
        stand.lets_in(&token).await;
    }
    stand.provider.rotate(OldKeys::Stay).await;
    let new = stand.provider.token(AUDIENCE).await;
    // Nobody can say whether the new key is the provider's.
    has_to_wait(&stand.ask(&new).await);
    stand.lets_in(&token).await;
    stand.provider.publish(true).await;
    stand.becomes(&new, 202).await;
}
