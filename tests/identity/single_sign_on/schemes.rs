//! Under which scheme a token is shown to the database: everybody's, its issuer's, or the request's choice.

use std::io::Write;

use serde_json::json;
use tempfile::NamedTempFile;

use super::stand::{NamedBy, SCHEME, Stand, person};
use crate::support::{
    bolt::{
        issuer::{AUDIENCE, ISSUER, Issuer},
        value::Value,
    },
    query::refused,
};

fn schemes(stand: &Stand) -> Vec<String> {
    let scheme = |auth: &Value| auth.get("scheme").and_then(Value::as_str).unwrap().to_owned();
    stand.shown().iter().map(scheme).collect()
}

#[tokio::test]
async fn lets_the_request_choose_an_allowed_scheme() {
    let settings = [("auth.bearer_scheme", "oidc-custom"), ("auth.request_schemes", "oidc-okta,kerberos")];
    let stand = Stand::start(NamedBy::AccessToken, &settings).await;
    let token = stand.issuer.token("ann", &json!({}));
    stand.fake.control.set_token("kerberos", &token, "kim");
    for (choice, name) in [(None, "ann"), (Some("oidc-okta"), "ann"), (Some("kerberos"), "kim"), (None, "ann")] {
        let headers: Vec<_> = choice.iter().map(|choice| (SCHEME, *choice)).collect();
        assert_eq!(person(&stand.ask(&token, &headers).await).0, name, "{choice:?}");
    }
    assert_eq!(schemes(&stand), ["oidc-custom", "oidc-okta", "kerberos"], "the same token is another login each time");
    stand.is_content();
}

#[tokio::test]
async fn rejects_other_schemes_before_sending() {
    let settings = [("auth.bearer_scheme", "oidc-custom"), ("auth.request_schemes", "oidc-okta")];
    let none = [("auth.bearer_scheme", "oidc-custom")];
    for settings in [&settings[..], &none] {
        let stand = Stand::start(NamedBy::AccessToken, settings).await;
        let token = stand.issuer.token("ann", &json!({}));
        // The scheme that everybody's tokens have is not for requests to name either.
        for choice in ["saml-entra-id", "oidc-custom", "OIDC-OKTA", "oidc-okta,oidc-custom", "basic", "none", "", "ö"]
        {
            let answer = stand.ask(&token, &[(SCHEME, choice)]).await;
            let error = refused(&answer);
            assert_eq!((error.status, error.code.as_str()), (400, "Neo.ClientError.Request.Invalid"), "{choice}");
            assert!(error.message.contains(SCHEME) && error.message.contains("auth.request_schemes"), "{answer}");
        }
        stand.nobody_came();
    }
}

#[tokio::test]
async fn uses_the_scheme_of_each_issuer() {
    let mut keys = NamedTempFile::new().unwrap();
    keys.write_all(json!(Issuer::default().keys()).to_string().as_bytes()).unwrap();
    let keys = keys.path().to_str().unwrap();
    let settings = [
        ("auth.bearer_scheme", "oidc-custom"),
        ("auth.request_schemes", "oidc-entra-id"),
        ("auth.issuers.one.issuer", "https://one.example"),
        ("auth.issuers.one.audience", AUDIENCE),
        ("auth.issuers.one.key_file", keys),
        ("auth.issuers.one.scheme", "oidc-okta"),
        ("auth.issuers.two.issuer", "https://two.example"),
        ("auth.issuers.two.audience", AUDIENCE),
        ("auth.issuers.two.key_file", keys),
        ("auth.issuers.two.scheme", "saml-entra-id"),
        ("auth.issuers.other.issuer", ISSUER),
        ("auth.issuers.other.audience", AUDIENCE),
        ("auth.issuers.other.key_file", keys),
    ];
    let stand = Stand::start(NamedBy::AccessToken, &settings).await;
    let token = |subject: &str, issuer: &str| stand.issuer.token(subject, &json!({ "iss": issuer }));
    let (one, two, other) =
        (token("ann", "https://one.example"), token("bob", "https://two.example"), token("cat", ISSUER));
    stand.fake.control.set_token("saml-entra-id", &two, "bob");
    for (token, name) in [(&one, "ann"), (&two, "bob"), (&other, "cat")] {
        assert_eq!(person(&stand.ask(token, &[]).await).0, name);
    }
    assert_eq!(schemes(&stand), ["oidc-okta", "saml-entra-id", "oidc-custom"]);
    assert_eq!(
        person(&stand.ask(&one, &[(SCHEME, "oidc-entra-id")]).await).0,
        "ann",
        "the request's choice comes first"
    );
    assert_eq!(schemes(&stand)[3..], ["oidc-entra-id"]);

    let unknown = token("dan", "https://three.example");
    let forged = stand.issuer.forged("ann", &json!({ "iss": "https://one.example" }));
    for bad in [unknown, forged] {
        assert_eq!(stand.ask(&bad, &[]).await.status, 401);
    }
    assert_eq!(stand.shown().len(), 4, "what the gateway refuses the database never sees");
    stand.is_content();
}
