//! Tokens that would say more to the database than a token can: nothing is said to it at all.

use super::stand::{NamedBy, SCHEME, Stand};
use crate::support::{http::Response, query::refused};

const PAIRS: [(&str, &str); 1] = [("auth.bearer_scheme", "oidc-custom")];

/// What takes the pairs apart, and what no token has.
const BAD: [&str; 17] = [
    "a.b.c;id_token=x.y.z",
    "a.b.c;",
    ";a.b.c",
    "a;b",
    ";",
    "a.b.c=",
    "=a.b.c",
    "=",
    "a b",
    "a.b.c, d.e.f",
    "a,b",
    "a\tb",
    "a\"b",
    "a%3Bb",
    "a&b",
    "täken",
    "a{b}",
];

fn is_unsendable(response: &Response, which: &str) {
    let error = refused(response);
    assert_eq!((error.status, error.code.as_str()), (401, "Neo.ClientError.Security.Unauthorized"), "{response}");
    assert!(error.message.contains(which), "{response}");
    assert!(response.header("WWW-Authenticate").is_some(), "{response}");
}

#[tokio::test]
async fn rejects_unsendable_access_tokens() {
    let stand = Stand::start(NamedBy::AccessToken, &PAIRS).await;
    for token in BAD {
        is_unsendable(&stand.ask(token, &[]).await, "access token");
        is_unsendable(&stand.ask(token, &[("X-Id-Token", "d.e.f")]).await, "access token");
    }
    stand.nobody_came();
}

#[tokio::test]
async fn rejects_unsendable_id_tokens() {
    let stand = Stand::start(NamedBy::IdToken, &PAIRS).await;
    for token in BAD.into_iter().chain([""]) {
        is_unsendable(&stand.ask("a.b.c", &[("X-Id-Token", token)]).await, "ID token");
    }
    stand.nobody_came();
}

#[tokio::test]
async fn never_repeats_a_rejected_token() {
    let stand = Stand::start(NamedBy::IdToken, &PAIRS).await;
    let answers = [stand.ask("hush;hush", &[]).await, stand.ask("a.b.c", &[("X-Id-Token", "hush=hush")]).await];
    for answer in answers {
        assert!(!answer.to_string().contains("hush"), "{answer}");
    }
}

#[tokio::test]
async fn rejects_invalid_or_repeated_headers() {
    let stand = Stand::start(NamedBy::IdToken, &PAIRS).await;
    let twice = [("X-Id-Token", "d.e.f"), ("X-Id-Token", "d.e.f")];
    for answer in [
        stand.ask("", &[]).await,
        stand.ask("a\u{1}b", &[]).await,
        stand.ask("a\u{7f}b", &[]).await,
        stand.ask("a.b.c", &[("X-Id-Token", "a\u{1}b")]).await,
        stand.ask("a.b.c", &[("Authorization", "Bearer d.e.f")]).await,
        stand.ask("a.b.c", &twice).await,
    ] {
        assert_eq!(answer.status, 400, "{answer}");
    }
    stand.nobody_came();
}

#[tokio::test]
async fn applies_the_same_rules_to_a_requested_scheme() {
    let settings = [("auth.request_schemes", "oidc-okta,saml-entra-id")];
    let stand = Stand::start(NamedBy::AccessToken, &settings).await;
    for token in BAD {
        is_unsendable(&stand.ask(token, &[(SCHEME, "oidc-okta")]).await, "access token");
    }
    stand.nobody_came();
    // Where it is the whole of the credentials a token has nothing to break out of.
    stand.fake.control.set_token("saml-entra-id", "a=;b", "sam");
    let sam = stand.ask("a=;b", &[(SCHEME, "saml-entra-id")]).await;
    assert_eq!(super::stand::person(&sam).0, "sam");
    stand.is_content();
}
