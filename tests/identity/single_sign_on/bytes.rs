//! LOGON as it goes over the wire, byte for byte.

use serde_json::json;

use super::stand::{PATH, SCHEME};
use crate::support::{
    bolt::{
        message::{HELLO, failure, success},
        peer::{Peer, Script},
        value::{hex, map, v},
    },
    gateway,
    query::refused,
};

type Pairs<'a> = &'a [(&'static str, &'a str)];

/// What one request with these headers, under these settings, says in its LOGON.
async fn logon_is(settings: Pairs<'_>, headers: Pairs<'_>, expected: &str) {
    let greeting = map([("connection_id", v("bolt-1")), ("server", v("Neo4j/v5.11.0 compatible - Memgraph"))]);
    let refusal = failure("Memgraph.ClientError.Security.Unauthenticated", "Authentication failure");
    let script = Script::new().accept(5, 2).expect_tag(HELLO).expect_bytes(hex(expected));
    let peer = Peer::listen([script.send(success(greeting)).send(refusal).close()]).await;
    let gateway = gateway::start_for_with(&peer.uri(), settings).await;
    let headers = [&[("Content-Type", "application/json")], headers].concat();
    let answer = gateway.send("POST", PATH, &headers, &json!({ "statement": "RETURN 1" }).to_string()).await;
    peer.join().await;
    let error = refused(&answer);
    assert_eq!((error.status, error.message.as_str()), (401, "Invalid credential."));
}

const TOKEN: (&str, &str) = ("Authorization", "Bearer a.b-c.d_e");
const ID_TOKEN: (&str, &str) = ("X-Id-Token", "f.g.h");

#[tokio::test]
async fn sends_an_access_token_alone() {
    let credentials = "8B\"credentials\" D0 16 \"access_token=a.b-c.d_e\"";
    let cases = [
        ("oidc-custom", "8B\"oidc-custom\""),
        ("oidc-entra-id", "8D\"oidc-entra-id\""),
        ("oidc-okta", "89\"oidc-okta\""),
        ("oidc-of-ours", "8C\"oidc-of-ours\""),
    ];
    for (scheme, encoded) in cases {
        let expected = format!("B16A A2 86\"scheme\" {encoded} {credentials}");
        logon_is(&[("auth.bearer_scheme", scheme)], &[TOKEN], &expected).await;
    }
}

#[tokio::test]
async fn sends_an_id_token_too() {
    let expected = "B16A A2 86\"scheme\" 8B\"oidc-custom\" \
                    8B\"credentials\" D0 25 \"access_token=a.b-c.d_e;id_token=f.g.h\"";
    let custom = ("auth.bearer_scheme", "oidc-custom");
    logon_is(&[custom], &[TOKEN, ID_TOKEN], expected).await;
    logon_is(&[custom], &[ID_TOKEN, TOKEN, ("Realm", "somewhere")], expected).await;
    logon_is(&[custom, ("auth.id_token_header", "X-Person")], &[TOKEN, ("X-Person", "f.g.h")], expected).await;
    let chosen = [("auth.request_schemes", "oidc-okta,oidc-custom")];
    logon_is(&chosen, &[TOKEN, ID_TOKEN, (SCHEME, "oidc-custom")], expected).await;
}

#[tokio::test]
async fn reads_the_id_token_from_the_configured_header_only() {
    let expected = "B16A A2 86\"scheme\" 8B\"oidc-custom\" 8B\"credentials\" D0 16 \"access_token=a.b-c.d_e\"";
    let settings = [("auth.bearer_scheme", "oidc-custom"), ("auth.id_token_header", "X-Person")];
    logon_is(&settings, &[TOKEN, ID_TOKEN], expected).await;
}

#[tokio::test]
async fn sends_unpaired_tokens_unchanged() {
    // Base64 with its padding, which no pair could hold.
    let saml = ("Authorization", "Bearer PHNhbWxwOlJlc3BvbnNlLz4+Cg==");
    let expected = "B16A A2 86\"scheme\" 8D\"saml-entra-id\" 8B\"credentials\" D0 1C \"PHNhbWxwOlJlc3BvbnNlLz4+Cg==\"";
    logon_is(&[("auth.bearer_scheme", "saml-entra-id")], &[saml], expected).await;
    logon_is(&[("auth.bearer_scheme", "saml-entra-id")], &[saml, ID_TOKEN], expected).await;
    let expected = "B16A A2 86\"scheme\" 88\"kerberos\" 8B\"credentials\" 88\"YIIG/w==\"";
    logon_is(&[("auth.bearer_scheme", "kerberos")], &[("Authorization", "Bearer YIIG/w==")], expected).await;
}

#[tokio::test]
async fn formats_tokens_as_configured() {
    let pairs = "B16A A2 86\"scheme\" 84\"ours\" 8B\"credentials\" D0 25 \"access_token=a.b-c.d_e;id_token=f.g.h\"";
    let settings = [("auth.bearer_scheme", "ours"), ("auth.bearer_credentials", "pairs")];
    logon_is(&settings, &[TOKEN, ID_TOKEN], pairs).await;
    let bare = "B16A A2 86\"scheme\" 8B\"oidc-custom\" 8B\"credentials\" 87\"a.b-c.d\"";
    let settings = [("auth.bearer_scheme", "oidc-custom"), ("auth.bearer_credentials", "token")];
    logon_is(&settings, &[("Authorization", "Bearer a.b-c.d"), ID_TOKEN], bare).await;
}
