//! People who come in with the tokens of their provider.

use serde_json::json;

use super::stand::{NamedBy, OIDC_SCHEMES, Stand, person};
use crate::{
    logins::stand::most_refusals,
    support::bolt::{control::Logons, fake_memgraph::Options},
};

const ONCE: Logons = Logons { accepted: 1, refused: 0 };

#[tokio::test]
async fn serves_users_named_by_their_access_token() {
    for scheme in OIDC_SCHEMES {
        let stand = Stand::start(NamedBy::AccessToken, &[("auth.bearer_scheme", scheme)]).await;
        let ann = stand.issuer.token("ann", &json!({}));
        let bob = stand.issuer.token("bob", &json!({ "roles": ["writer", "reader"] }));
        for _ in 0..3 {
            assert_eq!(person(&stand.ask(&ann, &[]).await), ("ann".into(), json!(["reader"])));
            assert_eq!(person(&stand.ask(&bob, &[]).await), ("bob".into(), json!(["reader", "writer"])));
        }
        for token in [ann, bob] {
            assert_eq!(stand.logons(scheme, &format!("access_token={token}")), ONCE, "one login serves them all");
        }
        assert_eq!(stand.fake.control.counts().accepted, 2);
        stand.is_content();
    }
}

#[tokio::test]
async fn serves_users_named_by_their_id_token() {
    for scheme in OIDC_SCHEMES {
        let stand = Stand::start(NamedBy::IdToken, &[("auth.bearer_scheme", scheme)]).await;
        let access = stand.issuer.token("app", &json!({}));
        let people = ["ann", "bob"].map(|name| (name, stand.issuer.token(name, &json!({ "roles": null }))));
        for (name, id_token) in people.iter().chain(&people) {
            let answer = stand.ask(&access, &[("X-Id-Token", id_token)]).await;
            assert_eq!(person(&answer).0, *name, "the same access token, another person");
        }
        for (_, id_token) in &people {
            assert_eq!(stand.logons(scheme, &format!("access_token={access};id_token={id_token}")), ONCE);
        }
        let without = stand.ask(&access, &[]).await;
        assert_eq!(without.status, 401, "whoever was let in with an ID token is nobody without it: {without}");
        stand.is_content();
    }
}

#[tokio::test]
async fn serves_users_of_every_version_of_memgraph() {
    for options in [Options::old(), Options::default(), Options::newest(), Options::only(4, 3)] {
        let settings = [("auth.bearer_scheme", "oidc-custom")];
        let stand = Stand::start_with(options, NamedBy::AccessToken, &settings).await;
        let token = stand.issuer.token("ann", &json!({}));
        assert_eq!(person(&stand.ask(&token, &[]).await).0, "ann");
        stand.is_content();
    }
}

#[tokio::test]
async fn serves_users_of_other_schemes() {
    for (scheme, token) in [("saml-entra-id", "PHNhbWxwOlJlc3BvbnNlLz4+Cg=="), ("kerberos", "YIIG/w==")] {
        let stand = Stand::start(NamedBy::IdToken, &[("auth.bearer_scheme", scheme)]).await;
        stand.fake.control.set_token(scheme, token, "ann");
        for _ in 0..2 {
            assert_eq!(person(&stand.ask(token, &[]).await).0, "ann");
        }
        assert_eq!(stand.logons(scheme, token), ONCE);
        assert_eq!(stand.ask(token.trim_end_matches('='), &[]).await.status, 401, "another token");
        stand.is_content();
    }
}

#[tokio::test]
async fn isolates_concurrent_users_from_a_forged_token() {
    let options = Options { login_delay: std::time::Duration::from_millis(20), ..Options::default() };
    let settings = [("auth.bearer_scheme", "oidc-custom")];
    let stand = Stand::start_with(options, NamedBy::AccessToken, &settings).await;
    let names = ["ann", "bob", "cat", "dan"];
    let tokens = names.map(|name| stand.issuer.token(name, &json!({})));
    let forged = stand.issuer.forged("ann", &json!({}));
    let begun = std::time::Instant::now();
    let asked = (0..40).map(async |nth: usize| (nth, stand.ask(&tokens[nth % 4], &[]).await));
    let bad = (0..10).map(async |_| stand.ask(&forged, &[]).await);
    let (answers, refusals) = tokio::join!(futures_util::future::join_all(asked), futures_util::future::join_all(bad));
    for (nth, answer) in answers {
        assert_eq!(person(&answer).0, names[nth % 4]);
    }
    assert!(refusals.iter().all(|answer| answer.status == 401), "{refusals:?}");
    // They all came while the first of them waited for the database, or soon after: one answer is for all.
    let Logons { accepted, refused } = stand.logons("oidc-custom", &format!("access_token={forged}"));
    assert!(accepted == 0 && (1..=most_refusals(begun)).contains(&refused), "{accepted} accepted, {refused} refused");
    stand.is_content();
}
