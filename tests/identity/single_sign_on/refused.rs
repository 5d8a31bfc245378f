//! Logins that the database's module refuses, or that come too late to be asked about.

use serde_json::json;

use super::stand::{NamedBy, Stand, person};
use crate::support::{
    bolt::{
        control::{Logons, User},
        issuer::seconds_from_now,
    },
    http::Response,
    query::{Refused, refused},
};

const SETTINGS: [(&str, &str); 1] = [("auth.bearer_scheme", "oidc-custom")];

/// Refused by the database, in words that say nothing of why.
fn is_not_let_in(response: &Response) {
    let code = "Neo.ClientError.Security.Unauthorized".to_owned();
    assert_eq!(refused(response), Refused { status: 401, code, message: "Invalid credential.".to_owned() });
    assert!(response.header("WWW-Authenticate").is_some(), "{response}");
}

#[tokio::test]
async fn tries_each_refused_token_once() {
    let stand = Stand::start(NamedBy::AccessToken, &SETTINGS).await;
    stand.fake.control.set_user("local", User::default());
    let token = |claims| stand.issuer.token("ann", &claims);
    let bad = [
        stand.issuer.forged("ann", &json!({})),
        token(json!({ "aud": "neo4j" })),
        token(json!({ "nbf": seconds_from_now(3600) })),
        token(json!({ "roles": ["unknown"] })),
        token(json!({ "sub": null })),
        stand.issuer.token("local", &json!({})),
        "opaque".to_owned(),
    ];
    for (nth, token) in bad.iter().enumerate() {
        is_not_let_in(&stand.ask(token, &[]).await);
        let counts = stand.fake.control.counts();
        assert_eq!((counts.accepted, counts.failed_logons), (nth + 1, nth + 1), "nothing is retried");
        let once = Logons { accepted: 0, refused: 1 };
        assert_eq!(stand.logons("oidc-custom", &format!("access_token={token}")), once);
    }
    assert_eq!(stand.fake.control.count("RUN"), 0);
    let good = token(json!({}));
    assert_eq!(person(&stand.ask(&good, &[]).await).0, "ann", "and nobody else suffers");
    stand.fake.control.wait_for("the end of all refused ones", |counts| counts.open == 1).await;
    stand.is_content();
}

#[tokio::test]
async fn refuses_a_missing_id_token() {
    let stand = Stand::start(NamedBy::IdToken, &SETTINGS).await;
    let (access, id) = (stand.issuer.token("app", &json!({})), stand.issuer.token("ann", &json!({})));
    is_not_let_in(&stand.ask(&access, &[]).await);
    is_not_let_in(&stand.ask(&access, &[("X-Id-Token", &stand.issuer.forged("ann", &json!({})))]).await);
    assert_eq!(person(&stand.ask(&access, &[("X-Id-Token", &id)]).await).0, "ann");
    stand.is_content();
}

#[tokio::test]
async fn refuses_an_unmapped_scheme() {
    let stand = Stand::start(NamedBy::AccessToken, &[]).await;
    is_not_let_in(&stand.ask(&stand.issuer.token("ann", &json!({})), &[]).await);
    assert_eq!(stand.fake.control.counts().failed_logons, 1);
    stand.is_content();
}

fn has_expired(response: &Response) {
    let error = refused(response);
    assert_eq!((error.status, error.code.as_str()), (401, "Neo.ClientError.Security.TokenExpired"), "{response}");
    assert!(response.header("WWW-Authenticate").is_some_and(|value| value.contains("invalid_token")), "{response}");
}

#[tokio::test]
async fn never_sends_expired_tokens() {
    let settings = [SETTINGS[0], ("auth.leeway", "60s")];
    let stand = Stand::start(NamedBy::IdToken, &settings).await;
    let until = |seconds: i64| stand.issuer.token("ann", &json!({ "exp": seconds_from_now(seconds) }));
    has_expired(&stand.ask(&until(-120), &[("X-Id-Token", &until(600))]).await);
    has_expired(&stand.ask(&until(600), &[("X-Id-Token", &until(-120))]).await);
    has_expired(&stand.ask(&until(-120), &[]).await);
    stand.nobody_came();
    // Within the leeway it is for the database to say.
    is_not_let_in(&stand.ask(&until(-20), &[("X-Id-Token", &until(600))]).await);
    assert_eq!(stand.fake.control.counts().failed_logons, 1);
    stand.is_content();
}

#[tokio::test]
async fn closes_the_connection_of_an_expired_token() {
    let settings = [SETTINGS[0], ("auth.leeway", "0s"), ("database.liveness_after", "1s")];
    let stand = Stand::start(NamedBy::AccessToken, &settings).await;
    let end = seconds_from_now(10);
    let token = stand.issuer.token("ann", &json!({ "exp": end }));
    assert_eq!(person(&stand.ask(&token, &[]).await).0, "ann");
    stand.fake.control.wait_for("the end of its connection", |counts| counts.open == 0).await;
    assert!(seconds_from_now(0) >= end, "not before its time");
    has_expired(&stand.ask(&token, &[]).await);
    assert_eq!((stand.shown().len(), stand.fake.control.count("RUN")), (1, 1));
    stand.is_content();
}
