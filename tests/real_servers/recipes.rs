//! The recipes of docs/authentication.md: their settings are those of a gateway that starts, and their requests work.
//!
//! What stands in the document is run, with the addresses of test servers put in. Recipes with tokens need a real
//! OpenID provider (`tests/servers/oidc-provider`); all of them need `curl`.

mod recipe;

use serde_json::{Value, json};

use crate::support::{
    bolt::{
        fake_memgraph::FakeMemgraph,
        fake_neo4j::{FakeNeo4j, Options},
    },
    oidc_provider::{OidcProvider, Signer},
    servers::variable,
};
use recipe::{Recipe, Served};

const SECRET: (&str, &str) = ("BOLTGATE_AUTH__SERVICE_ACCOUNT__PASSWORD", "password");

/// The recipes for Memgraph's single sign-on differ in names only.
async fn single_sign_on(title: &str, scheme: &str, audience: &str, with_id_token: bool) {
    let Some(provider) = OidcProvider::find().await else { return };
    let access = provider.mint(Signer::Provider, &json!({ "aud": audience })).await;
    let id = provider.mint(Signer::Provider, &json!({ "aud": "a client" })).await;
    let fake = FakeMemgraph::start().await;
    let credentials =
        if with_id_token { format!("access_token={access};id_token={id}") } else { format!("access_token={access}") };
    fake.control.set_token(scheme, &credentials, "alice");
    let served = Recipe::find(title).serve(&fake.uri(), Some(&provider.issuer()), &[]);
    let tokens = [("ACCESS_TOKEN", access.as_str()), ("ID_TOKEN", id.as_str())];
    let Some(answer) = served.curl(&tokens) else { return };
    assert_eq!(answer["data"]["values"], json!([[1]]), "{answer}");
    assert_eq!(principal(&served, &tokens), json!("alice"));

    let forged = provider.mint(Signer::Stranger, &json!({ "aud": audience })).await;
    let answer = served.curl(&[("ACCESS_TOKEN", forged.as_str()), ("ID_TOKEN", id.as_str())]).unwrap();
    assert_eq!(answer["errors"][0]["code"], "Neo.ClientError.Security.Unauthorized");
    assert_eq!(fake.control.counts().failed_logons, 0, "a forged token does not reach the database");
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn memgraph_with_entra_id() {
    single_sign_on("Memgraph with Entra ID", "oidc-entra-id", "CLIENT-ID", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memgraph_with_okta() {
    single_sign_on("Memgraph with Okta", "oidc-okta", "api://default", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memgraph_with_another_oidc_provider() {
    single_sign_on("Memgraph with another OIDC provider", "oidc-custom", "memgraph", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn service_account_and_claim_mapping() {
    let Some(provider) = OidcProvider::find().await else { return };
    let token = provider.mint(Signer::Provider, &json!({ "aud": "graph", "realm": { "user": "alice" } })).await;
    let fake = FakeNeo4j::start_with(Options { enterprise: true, ..Options::default() }).await;
    fake.control.set_user(
        "gateway",
        crate::support::bolt::control::User { password: "password".into(), admin: true, ..Default::default() },
    );
    let recipe = Recipe::find("Service account and claim mapping");
    let served = recipe.serve(&fake.uri(), Some(&provider.issuer()), &[SECRET]);
    let tokens = [("ACCESS_TOKEN", token.as_str())];
    let Some(answer) = served.curl(&tokens) else { return };
    assert_eq!(answer["data"]["values"], json!([[1]]), "{answer}");
    let who = served.curl_with(whoami, &tokens).unwrap();
    assert_eq!(json!([who["data"]["values"][0][0], who["data"]["values"][0][1]]), json!(["gateway", "alice"]));
}

/// Neo4j Community has no privileges, so that only the access mode stands between the public and the data.
#[tokio::test(flavor = "multi_thread")]
async fn public_read_only_site_in_front_of_neo4j() {
    let Some(uri) = variable("BOLTGATE_TEST_NEO4J_AUTH_BOLT") else { return };
    // On Community any user will do, since all may do everything.
    let account = [("BOLTGATE_AUTH__SERVICE_ACCOUNT__USER", "neo4j"), (SECRET.0, "password1")];
    let served = Recipe::find("Public read-only site").serve(&uri, None, &account);
    let Some(answer) = served.curl(&[]) else { return };
    assert_eq!(answer["data"]["values"], json!([[1]]));
    let refused =
        served.curl_with(|line| line.replace("RETURN 1 AS n", "CREATE (:Public) RETURN 1 AS n"), &[]).unwrap();
    assert_eq!(refused["errors"][0]["code"], "Neo.ClientError.Statement.AccessMode", "{refused}");
    let create_user = "CREATE USER intruder SET PASSWORD $x";
    let system = |line: &str| line.replace("/db/neo4j/", "/db/system/").replace("RETURN 1 AS n", create_user);
    let refused = served.curl_with(system, &[]).unwrap();
    assert!(refused.get("errors").is_some(), "{refused}");
}

fn whoami(line: &str) -> String {
    line.replace("RETURN 1 AS n", "WHOAMI")
}

/// Whom the database takes the request for.
fn principal(served: &Served, variables: &[(&str, &str)]) -> Value {
    served.curl_with(whoami, variables).expect("curl is there")["data"]["values"][0][0].clone()
}

mod without_servers {
    use super::*;

    #[test]
    fn runs_every_recipe() {
        let run = [
            "No authentication",
            "User and password",
            "Memgraph with Entra ID",
            "Memgraph with Okta",
            "Memgraph with another OIDC provider",
            "Neo4j with bearer tokens",
            "Service account and claim mapping",
            "Public read-only site",
        ];
        assert_eq!(Recipe::titles(), run);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn no_authentication() {
        let fake = FakeMemgraph::start().await;
        let served = Recipe::find("No authentication").serve(&fake.uri(), None, &[]);
        let Some(answer) = served.curl(&[]) else { return };
        assert_eq!(answer["data"]["values"], json!([[1]]));
        assert_eq!(fake.violations(), [""; 0]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn user_and_password() {
        let fake = FakeNeo4j::start().await;
        let served = Recipe::find("User and password").serve(&fake.uri(), None, &[]);
        let Some(answer) = served.curl(&[]) else { return };
        assert_eq!(answer["data"]["values"], json!([[1]]));
        assert_eq!(principal(&served, &[]), json!("alice"));
        for refused in [
            served.curl_with(|line| line.replace("--user alice:wonderland", ""), &[]),
            served.curl_with(|line| line.replace("wonderland", "x"), &[]),
        ] {
            assert_eq!(refused.unwrap()["errors"][0]["code"], "Neo.ClientError.Security.Unauthorized");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn neo4j_with_bearer_tokens() {
        let fake = FakeNeo4j::start_with(Options { enterprise: true, ..Options::default() }).await;
        fake.control.set_token("bearer", "a.b.c", "alice");
        let served = Recipe::find("Neo4j with bearer tokens").serve(&fake.uri(), None, &[]);
        let Some(answer) = served.curl(&[("ACCESS_TOKEN", "a.b.c")]) else { return };
        assert_eq!(answer["data"]["values"], json!([[1]]));
        assert_eq!(principal(&served, &[("ACCESS_TOKEN", "a.b.c")]), json!("alice"));
        let refused = served.curl(&[("ACCESS_TOKEN", "x.y.z")]).unwrap();
        assert_eq!(refused["errors"][0]["code"], "Neo.ClientError.Security.Unauthorized");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn public_read_only_site() {
        let fake = FakeNeo4j::start().await;
        fake.control.set_user(
            "public",
            crate::support::bolt::control::User { password: "password".into(), ..Default::default() },
        );
        let served = Recipe::find("Public read-only site").serve(&fake.uri(), None, &[SECRET]);
        let Some(answer) = served.curl(&[]) else { return };
        assert_eq!(answer["data"]["values"], json!([[1]]));
        let who = served.curl_with(whoami, &[]).unwrap();
        assert_eq!(json!([who["data"]["values"][0][0], who["data"]["values"][0][3]]), json!(["public", "r"]), "{who}");
        let act = |line: &str| line.replace("\"}'", "\", \"impersonatedUser\": \"alice\"}'");
        let refused = served.curl_with(act, &[]).unwrap();
        assert_eq!(refused["errors"][0]["code"], "Neo.ClientError.Security.Forbidden", "{refused}");
    }
}
