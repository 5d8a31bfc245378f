//! Tokens that the provider never gave, or not for this gateway: none of them reaches the database.

use serde_json::{Value, json};

use super::stand::{AUDIENCE, EXPIRED, Stand, UNAUTHORIZED, message, seconds_from_now};
use crate::support::oidc_provider::Signer;

/// Tokens with one flaw each, what a caller is told about it, and under which code.
fn flawed() -> Vec<(Signer, Value, Value, &'static str, &'static str)> {
    let good = json!({ "aud": AUDIENCE });
    let with = |claim: &str, value: Value| json!({ "aud": AUDIENCE, claim: value });
    let (past, future) = (seconds_from_now(-5), seconds_from_now(600));
    let same = json!({});
    vec![
        (Signer::Provider, json!({ "aud": "https://other.example" }), same.clone(), UNAUTHORIZED, message::AUDIENCE),
        (Signer::Provider, json!({ "aud": ["a", "b"] }), same.clone(), UNAUTHORIZED, message::AUDIENCE),
        (Signer::Provider, json!({}), same.clone(), UNAUTHORIZED, message::NO_AUDIENCE),
        (Signer::Provider, with("exp", json!(past)), same.clone(), EXPIRED, message::EXPIRED),
        (Signer::Provider, with("exp", Value::Null), same.clone(), UNAUTHORIZED, message::NO_EXPIRY),
        (Signer::Provider, with("nbf", json!(future)), same.clone(), UNAUTHORIZED, message::NOT_YET),
        (Signer::Provider, with("iss", json!("http://127.0.0.1:1")), same.clone(), UNAUTHORIZED, message::ISSUER),
        (Signer::Provider, with("iss", Value::Null), same.clone(), UNAUTHORIZED, message::ISSUER),
        (Signer::Nobody, good.clone(), same.clone(), UNAUTHORIZED, message::ALGORITHM),
        (Signer::PublicKey, good.clone(), same.clone(), UNAUTHORIZED, message::ALGORITHM),
        (Signer::Stranger, good.clone(), same, UNAUTHORIZED, message::SIGNATURE),
        (Signer::Stranger, good, json!({ "kid": "nobody's" }), UNAUTHORIZED, message::KEY),
    ]
}

#[tokio::test]
async fn rejects_flawed_tokens_before_the_database() {
    let Some(stand) = Stand::start().await else { return };
    for (signer, claims, header, code, message) in flawed() {
        let token = stand.provider.mint_with_header(signer, &claims, &header).await;
        println!("{signer:?} {claims} {header}");
        stand.turns_away(&token, code, message).await;
    }
    assert_eq!(stand.fake.control.counts().accepted, 0, "nobody has come as far as the database");
    // The very same token without a flaw, so that each was turned away for its own.
    let good = stand.provider.mint(Signer::Provider, &json!({ "aud": [AUDIENCE, "https://other.example"] })).await;
    stand.lets_in(&good).await;
}

#[tokio::test]
async fn rejects_modified_tokens() {
    let Some(stand) = Stand::start().await else { return };
    let alice = stand.provider.mint(Signer::Provider, &json!({ "aud": AUDIENCE })).await;
    let root = stand.provider.mint(Signer::Provider, &json!({ "aud": AUDIENCE, "sub": "root" })).await;
    stand.lets_in(&alice).await;
    let parts = |token: &str| token.split('.').map(str::to_owned).collect::<Vec<_>>();
    let (of_alice, of_root) = (parts(&alice), parts(&root));
    let mixed = [&of_alice[0], &of_root[1], &of_alice[2]].map(String::as_str).join(".");
    stand.turns_away(&mixed, UNAUTHORIZED, message::SIGNATURE).await;
    let unsigned = format!("{}.{}.", of_alice[0], of_alice[1]);
    stand.turns_away(&unsigned, UNAUTHORIZED, message::SIGNATURE).await;
}

#[tokio::test]
async fn rejects_text_that_is_not_a_token() {
    let Some(stand) = Stand::start().await else { return };
    for text in ["x", "a.b", "a.b.c", "..", "e30.e30.e30", "a.b.c.d.e"] {
        stand.turns_away(text, UNAUTHORIZED, message::MALFORMED).await;
    }
    assert_eq!(stand.fake.control.counts().accepted, 0);
}
