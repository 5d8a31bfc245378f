//! Tokens as the provider gives them.

use serde_json::json;

use super::stand::{
    AUDIENCE, EXPIRED, SERVICE, Stand, UNAUTHORIZED, ask, gateway_for, is_turned_away, memgraph, message, who,
};
use crate::support::{
    bolt::fake_neo4j::{FakeNeo4j, Options},
    gateway,
    oidc_provider::OidcProvider,
};

#[tokio::test]
async fn accepts_a_programs_token() {
    let Some(stand) = Stand::start().await else { return };
    let token = stand.provider.token(AUDIENCE).await;
    for _ in 0..20 {
        stand.lets_in(&token).await;
    }
    let fetches = stand.provider.fetches().await;
    assert_eq!((fetches.discovery, fetches.keys), (1, 1), "keys are asked for once");
    // One for somebody else, by the same client.
    let other = stand.provider.token("https://other.example").await;
    stand.turns_away(&other, UNAUTHORIZED, message::AUDIENCE).await;
}

#[tokio::test]
async fn fetches_keys_without_discovery() {
    let Some(provider) = OidcProvider::find().await else { return };
    let fake = memgraph().await;
    let jwks_url = provider.jwks_url();
    let changes = [&SERVICE[..], &[("auth.issuers.test.jwks_url", &jwks_url)]].concat();
    let gateway = gateway_for(&provider, &fake.uri(), &changes).await;
    let bearer = format!("Bearer {}", provider.token(AUDIENCE).await);
    assert_eq!(who(&ask(&gateway, &[("Authorization", &bearer)]).await)["principal"], json!("gateway"));
    assert_eq!(provider.fetches().await.discovery, 0);
}

#[tokio::test]
async fn accepts_a_token_until_it_expires() {
    let Some(stand) = Stand::start().await else { return };
    let token = stand.provider.short_token(AUDIENCE).await;
    // It lives for a second, which may be over by now; what matters is how it ends.
    let answer = stand.becomes(&token, 401).await;
    is_turned_away(&answer, EXPIRED, message::EXPIRED);
    let runs = stand.fake.control.count("RUN");
    stand.turns_away(&token, EXPIRED, message::EXPIRED).await;
    assert_eq!(stand.fake.control.count("RUN"), runs, "the database is not asked any more");
}

#[tokio::test]
async fn closes_the_connection_of_an_expired_forwarded_token() {
    let Some(provider) = OidcProvider::find().await else { return };
    let fake = FakeNeo4j::start_with(Options { enterprise: true, ..Options::default() }).await;
    // The second is how often the pool looks after what is idle.
    let gateway =
        gateway_for(&provider, &fake.uri(), &[("auth.leeway", "10s"), ("database.liveness_after", "1s")]).await;
    let token = provider.short_token(AUDIENCE).await;
    fake.control.set_token("bearer", &token, "service");
    let bearer = format!("Bearer {token}");
    let headers = [("Content-Type", "application/json"), ("Authorization", bearer.as_str())];
    let query = || gateway.send("POST", "/db/neo4j/query/v2", &headers, "{\"statement\": \"WHOAMI\"}");
    assert_eq!(who(&query().await)["principal"], json!("service"));
    fake.control.wait_for("the end of the connection", |counts| counts.open == 0).await;
    let logons = fake.control.counts().logons;
    is_turned_away(&query().await, EXPIRED, message::EXPIRED);
    assert_eq!(fake.control.counts().logons, logons, "the database is not asked any more");
}

#[tokio::test]
async fn separates_two_issuers() {
    let (Some(one), Some(other)) = (OidcProvider::find().await, OidcProvider::find().await) else { return };
    let fake = memgraph().await;
    let issuers = [one.issuer(), other.issuer()];
    let changes = [
        ("auth.issuers.one.issuer", issuers[0].as_str()),
        ("auth.issuers.one.audience", "https://one.example"),
        ("auth.issuers.one.allow_http", "true"),
        ("auth.issuers.other.issuer", &issuers[1]),
        ("auth.issuers.other.audience", "https://other.example"),
        ("auth.issuers.other.allow_http", "true"),
    ];
    let gateway = gateway::start_for_with(&fake.uri(), &[&SERVICE[..], &changes].concat()).await;
    for (provider, audience, good) in [
        (&one, "https://one.example", true),
        (&other, "https://other.example", true),
        (&one, "https://other.example", false),
        (&other, "https://one.example", false),
    ] {
        let bearer = format!("Bearer {}", provider.token(audience).await);
        let answer = ask(&gateway, &[("Authorization", &bearer)]).await;
        if good {
            assert_eq!(who(&answer)["principal"], json!("gateway"));
        } else {
            is_turned_away(&answer, UNAUTHORIZED, message::AUDIENCE);
        }
    }
}
