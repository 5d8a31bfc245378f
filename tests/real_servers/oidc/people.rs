//! People who have logged in with a browser, as the database sees them.

use serde_json::json;

use super::stand::{AUDIENCE, Stand, UNAUTHORIZED, ask, gateway_for, message as told, who};
use crate::support::{
    bolt::{
        control::Control,
        fake_memgraph::FakeMemgraph,
        fake_neo4j::{FakeNeo4j, Options},
        message,
        value::{Value, map, v},
    },
    oidc_provider::{OidcProvider, Signer},
    query::refused,
};

#[tokio::test]
async fn impersonates_the_user_named_by_a_claim() {
    let Some(stand) = Stand::start_with(&[("auth.issuers.test.user_claim", "/realm/user")]).await else { return };
    for user in ["alice", "bob", "alice"] {
        let token = stand.provider.person(user, AUDIENCE).await.access;
        for _ in 0..3 {
            assert_eq!(who(&stand.ask(&token).await), json!({ "principal": "gateway", "imp_user": user }));
        }
    }
    assert_eq!(stand.fake.control.counts().accepted, 1, "all of them share a connection");
    assert_eq!(stand.fake.violations(), [""; 0]);
}

#[tokio::test]
async fn refuses_tokens_without_the_claim() {
    let Some(stand) = Stand::start_with(&[("auth.issuers.test.user_claim", "/realm/user")]).await else { return };
    let program = stand.provider.token(AUDIENCE).await;
    stand.turns_away(&program, UNAUTHORIZED, told::NO_USER).await;
    for claim in
        [json!(null), json!({ "user": "" }), json!({ "user": 7 }), json!({ "user": ["alice"] }), json!("alice")]
    {
        let token = stand.provider.mint(Signer::Provider, &json!({ "aud": AUDIENCE, "realm": claim })).await;
        stand.turns_away(&token, UNAUTHORIZED, told::NO_USER).await;
    }
    assert_eq!(stand.fake.control.counts().accepted, 0);
}

#[tokio::test]
async fn rejects_impersonation_of_another_user() {
    let Some(stand) = Stand::start_with(&[("auth.issuers.test.user_claim", "/realm/user")]).await else { return };
    let bearer = format!("Bearer {}", stand.provider.person("alice", AUDIENCE).await.access);
    let headers = [("Content-Type", "application/json"), ("Authorization", bearer.as_str())];
    let ask_as = async |user: &str| {
        let body = json!({ "statement": "WHOAMI", "impersonatedUser": user }).to_string();
        stand.gateway.send("POST", "/db/memgraph/query/v2", &headers, &body).await
    };
    assert_eq!(who(&ask_as("alice").await)["imp_user"], json!("alice"));
    for other in ["bob", "gateway"] {
        let error = refused(&ask_as(other).await);
        assert_eq!((error.status, error.code.as_str()), (400, "Neo.ClientError.Security.Forbidden"));
        assert_eq!(error.message, format!("This caller may not act as '{other}' (auth.impersonation)."));
    }
}

#[tokio::test]
async fn reads_a_flat_claim() {
    let Some(stand) = Stand::start_with(&[("auth.issuers.test.user_claim", "preferred_username")]).await else {
        return;
    };
    let token = stand.provider.person("alice", AUDIENCE).await.access;
    assert_eq!(who(&stand.ask(&token).await), json!({ "principal": "gateway", "imp_user": "alice" }));
}

/// The LOGON with these two entries, in this order, and no others.
fn login(scheme: &str, credentials: &str) -> Value {
    message::logon(map([("scheme", v(scheme)), ("credentials", v(credentials))]))
}

/// Every LOGON that has arrived.
fn logins(control: &Control) -> Vec<Value> {
    control.seen().into_iter().filter(|seen| seen.name() == "LOGON").map(|seen| seen.message).collect()
}

#[tokio::test]
async fn sends_both_tokens_to_memgraph() {
    let Some(provider) = OidcProvider::find().await else { return };
    let fake = FakeMemgraph::start().await;
    let gateway = gateway_for(&provider, &fake.uri(), &[("auth.bearer_scheme", "oidc-custom")]).await;
    let alice = provider.person("alice", AUDIENCE).await;
    let both = format!("access_token={};id_token={}", alice.access, alice.id);
    fake.control.set_token("oidc-custom", &both, "alice");
    let bearer = format!("Bearer {}", alice.access);
    let headers = [("Authorization", bearer.as_str()), ("X-Id-Token", &alice.id), ("Realm", "ignored")];
    assert_eq!(who(&ask(&gateway, &headers).await)["principal"], json!("alice"));

    let alone = format!("access_token={}", alice.access);
    fake.control.set_token("oidc-custom", &alone, "alice without id");
    assert_eq!(who(&ask(&gateway, &headers[..1]).await)["principal"], json!("alice without id"));

    assert_eq!(logins(&fake.control), [login("oidc-custom", &both), login("oidc-custom", &alone)]);
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn sends_the_token_unchanged_to_neo4j() {
    let Some(provider) = OidcProvider::find().await else { return };
    let fake = FakeNeo4j::start_with(Options { enterprise: true, ..Options::default() }).await;
    let gateway = gateway_for(&provider, &fake.uri(), &[]).await;
    let alice = provider.person("alice", AUDIENCE).await;
    fake.control.set_token("bearer", &alice.access, "alice");
    let bearer = format!("Bearer {}", alice.access);
    let headers = [("Content-Type", "application/json"), ("Authorization", bearer.as_str()), ("X-Id-Token", &alice.id)];
    let answer = gateway.send("POST", "/db/neo4j/query/v2", &headers, "{\"statement\": \"WHOAMI\"}").await;
    assert_eq!(who(&answer), json!({ "principal": "alice", "imp_user": null }));
    assert_eq!(logins(&fake.control), [login("bearer", &alice.access)]);
}
