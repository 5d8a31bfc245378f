//! FakeMemgraph: schemes, auth modules, what a login grants and what it takes.

use std::time::Duration;

use jsonwebtoken::{Algorithm, Header};
use serde_json::json;

use super::memgraph::{CLOSED, extra};
use crate::support::{
    bolt::control::{Logons, User},
    bolt::fake_memgraph::{AuthModule, FakeMemgraph, Oidc, Options},
    bolt::issuer::{AUDIENCE, Issuer, KEY_ID, seconds_from_now},
    bolt::message::*,
    bolt::raw::RawClient,
    bolt::value::*,
};

const REFUSED: &str = "FAILURE Memgraph.ClientError.Security.Unauthenticated: Authentication failure";

fn sso(scheme: &str, credentials: &str) -> Value {
    map([("scheme", v(scheme)), ("credentials", v(credentials))])
}

/// What is answered to LOGON, or that the connection ends.
async fn logged_on(fake: &FakeMemgraph, auth: &Value) -> String {
    let mut client = RawClient::open(fake.connect(), (5, 2)).await;
    let answers = client.talk(&[hello(), logon(auth.clone()), logoff()]).await;
    assert_eq!(answers[0], "SUCCESS");
    match answers[1].as_str() {
        "SUCCESS" => assert_eq!(answers[2], "SUCCESS"),
        "END" => {}
        _ => assert_eq!(answers[2], "END", "a failed login ends the connection"),
    }
    answers[1].clone()
}

fn user(password: &str) -> User {
    User { password: password.to_owned(), ..User::default() }
}

#[tokio::test]
async fn handles_schemes_before_and_since_3_9() {
    let none = || map([("scheme", v("none"))]);
    let basic_map = |principal: Value, credentials: Value| {
        map([("scheme", v("basic")), ("principal", principal), ("credentials", credentials)])
    };
    // Without users, so that all that is read is let in: before 3.9, and since.
    let cases = [
        (map([]), "SUCCESS", "SUCCESS"),
        (map([("principal", v("u"))]), "END", "SUCCESS"),
        (map([("scheme", v(1))]), "END", "SUCCESS"),
        (map([("scheme", Value::Null)]), "END", "SUCCESS"),
        (none(), "SUCCESS", "SUCCESS"),
        (map([("scheme", v("basic"))]), "SUCCESS", "SUCCESS"),
        (basic_map(v("u"), v("p")), "SUCCESS", "SUCCESS"),
        (basic_map(Value::Null, v("p")), "END", "SUCCESS"),
        (basic_map(v("u"), v(7)), "END", "SUCCESS"),
        (none().with("credentials", Value::Null), "END", "SUCCESS"),
        (map([("scheme", v(""))]), REFUSED, REFUSED),
        (sso("bearer", "t"), REFUSED, REFUSED),
        (sso("kerberos", "t"), REFUSED, REFUSED),
        (sso("oidc-custom", "t"), REFUSED, REFUSED),
    ];
    for (old, options) in [(true, Options::old()), (false, Options::default())] {
        let fake = FakeMemgraph::start_with(options).await;
        for (auth, before, since) in &cases {
            assert_eq!(logged_on(&fake, auth).await, if old { *before } else { *since }, "{auth:?}, old: {old}");
        }
        let ends = cases.iter().filter(|case| old && case.1 == "END").count();
        assert_eq!(fake.violations().len(), ends, "{:?}", fake.violations());
    }
}

#[tokio::test]
async fn accepts_only_credentials_with_a_mapped_scheme() {
    let fake = FakeMemgraph::start().await;
    fake.map_scheme("saml-okta", AuthModule::Table);
    fake.control.set_token("saml-okta", "PHNhbWw+PT0=", "sam");
    fake.control.set_token("kerberos", "YIIB", "kim");
    assert_eq!(logged_on(&fake, &map([("scheme", v("none"))])).await, REFUSED, "with a module there is access control");
    let mut sam = RawClient::login(fake.connect(), (5, 2), sso("saml-okta", "PHNhbWw+PT0=")).await;
    assert_eq!(sam.cell("WHOAMI", extra([]), 0).await, v("sam"));
    RawClient::login(fake.connect(), (4, 4), sso("kerberos", "YIIB")).await;
    for wrong in ["PHNhbWw+PT0", "PHNhbWw+PT0=;", "", "sam"] {
        assert_eq!(logged_on(&fake, &sso("saml-okta", wrong)).await, REFUSED);
    }
    assert_eq!(fake.violations(), [""; 0]);

    for auth in [map([("scheme", v("kerberos"))]), map([("scheme", v("kerberos")), ("credentials", v(1))])] {
        assert_eq!(logged_on(&fake, &auth).await, CLOSED);
    }
    assert_eq!(fake.violations(), ["closed: SSO without credentials"; 2]);
    for (key, value) in [("principal", v("")), ("principal", Value::Null), ("realm", v("r")), ("parameters", map([]))] {
        let auth = sso("kerberos", "YIIB").with(key, value);
        assert_eq!(logged_on(&fake, &auth).await, "SUCCESS", "the server does not look");
        assert_eq!(fake.violations().last(), Some(&format!("a login under kerberos with the key {key}")));
    }
    assert_eq!(fake.violations().len(), 6);
    let mut old = RawClient::open(fake.connect(), (4, 4)).await;
    let auth = sso("kerberos", "YIIB").with("user_agent", "t/1").with("realm", "r");
    assert_eq!(old.talk(&[hello_with(auth)]).await, ["SUCCESS"]);
    assert_eq!(fake.violations().len(), 7);

    let community = FakeMemgraph::start_with(Options { license: false, ..Options::default() }).await;
    community.control.set_token("kerberos", "YIIB", "kim");
    assert_eq!(logged_on(&community, &sso("kerberos", "YIIB")).await, REFUSED);
}

/// A server whose provider gives `reader` and `writer`, which exist, and `stranger`, which does not.
async fn with_oidc(change: impl FnOnce(Oidc) -> Oidc) -> (FakeMemgraph, Issuer) {
    let issuer = Issuer::default();
    let fake = FakeMemgraph::start_with(Options::default().with_roles(["reader", "writer"])).await;
    let module = Oidc::new(issuer.keys(), AUDIENCE, ["reader", "writer", "stranger"]);
    fake.map_scheme("oidc-custom", AuthModule::Oidc(change(module)));
    (fake, issuer)
}

async fn oidc(fake: &FakeMemgraph, credentials: &str) -> String {
    logged_on(fake, &sso("oidc-custom", credentials)).await
}

#[tokio::test]
async fn splits_oidc_credentials_as_python_does() {
    let (fake, issuer) = with_oidc(|module| module).await;
    let (access, id) = (issuer.token("a", &json!({})), issuer.token("ann", &json!({})));
    let good = [
        format!("access_token={access};id_token={id}"),
        format!("id_token={id};access_token={access}"),
        format!("access_token=x;id_token={id};access_token={access}"),
        format!("access_token={access};id_token={id};other="),
        format!("access_token={access};id_token={id};="),
    ];
    let bad = [
        String::new(),
        access.clone(),
        format!("access_token={access}"),
        format!("id_token={id}"),
        format!("access_token={access};id_token={id};"),
        format!(";access_token={access};id_token={id}"),
        format!("access_token={access};;id_token={id}"),
        format!("access_token={access}; id_token={id}"),
        format!("access_token ={access};id_token={id}"),
        format!("access_token= {access};id_token={id}"),
        format!("access_token={access};id_token={id}="),
        format!("access_token={access}=;id_token={id}"),
        format!("access_token={access};id_token={id};x"),
        format!("access_token={access};id_token={id};x=y=z"),
        format!("access_token={access};id_token={id};id_token=x"),
        format!("Access_Token={access};id_token={id}"),
        format!("access_token={access},id_token={id}"),
        format!("access_token={access};id_token={id};ä=1"),
    ];
    for credentials in good {
        assert_eq!(oidc(&fake, &credentials).await, "SUCCESS", "{credentials}");
    }
    for credentials in bad {
        assert_eq!(oidc(&fake, &credentials).await, REFUSED, "{credentials}");
    }
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn verifies_oidc_tokens() {
    let (fake, issuer) = with_oidc(|module| module.named_by_access("sub")).await;
    let header = |alg| Header { kid: Some(KEY_ID.to_owned()), ..Header::new(alg) };
    let claims = issuer.claims("ann", &json!({}));
    let with = |claims| issuer.token("ann", &claims);
    let strange = Header { kid: Some("strange".to_owned()), ..header(Algorithm::RS256) };
    // {"alg":"none","kid":"own"}, the claims, and no signature.
    let good = with(json!({}));
    let payload = good.split('.').nth(1).unwrap();
    let unsigned = format!("eyJhbGciOiJub25lIiwia2lkIjoib3duIn0.{payload}.");
    let changed = format!("{}.{}.{}", good.split('.').next().unwrap(), &payload[..payload.len() - 4], "AAAA");
    let cases = [
        ("good", good.clone(), true),
        ("several audiences", with(json!({ "aud": ["x", AUDIENCE] })), true),
        ("another issuer", with(json!({ "iss": "https://elsewhere.example" })), true),
        ("valid by now", with(json!({ "nbf": seconds_from_now(-60) })), true),
        ("forged", issuer.forged("ann", &json!({})), false),
        ("expired", with(json!({ "exp": seconds_from_now(-60) })), false),
        ("for ever", with(json!({ "exp": null })), false),
        ("not yet", with(json!({ "nbf": seconds_from_now(3600) })), false),
        ("from the future", with(json!({ "iat": seconds_from_now(3600) })), false),
        ("for somebody else", with(json!({ "aud": "neo4j" })), false),
        ("for nobody", with(json!({ "aud": null })), false),
        ("no key named", issuer.sign(&Header::new(Algorithm::RS256), &claims), false),
        ("an unknown key", issuer.sign(&strange, &claims), false),
        ("another algorithm of that key", issuer.sign(&header(Algorithm::RS512), &claims), false),
        ("the public key as a secret", issuer.sign(&header(Algorithm::HS256), &claims), false),
        ("unsigned", unsigned, false),
        ("changed", changed, false),
        ("no token", "x.y.z".to_owned(), false),
        ("empty", String::new(), false),
    ];
    for (what, token, fine) in cases {
        let answer = oidc(&fake, &format!("access_token={token}")).await;
        assert_eq!(answer, if fine { "SUCCESS" } else { REFUSED }, "{what}");
    }
}

#[tokio::test]
async fn derives_name_and_roles_from_oidc_tokens() {
    let (by_id, issuer) = with_oidc(|module| module).await;
    let (by_access, _) = with_oidc(|module| module.named_by_access("email")).await;
    by_id.control.set_user("local", user("pw"));
    let who = async |fake: &FakeMemgraph, credentials: &str| {
        let mut client = RawClient::login(fake.connect(), (5, 2), sso("oidc-custom", credentials)).await;
        let row = client.rows("WHOAMI", extra([])).await.remove(0);
        (row[0].clone(), row[9].clone())
    };
    let token = |subject: &str, claims| issuer.token(subject, &claims);
    let both = |claims, subject: &str| {
        format!("access_token={};id_token={}", token("app", claims), token(subject, json!({ "roles": null })))
    };
    assert_eq!(who(&by_id, &both(json!({}), "ann")).await, (v("ann"), strings(&["reader"])));
    let two = json!({ "roles": ["writer", "unknown", "reader"] });
    assert_eq!(who(&by_id, &both(two, "ann")).await, (v("ann"), strings(&["reader", "writer"])));
    assert_eq!(who(&by_id, &both(json!({ "roles": "writer" }), "bob")).await, (v("bob"), strings(&["writer"])));
    let access = format!("access_token={}", token("app", json!({ "email": "ann@example.com" })));
    assert_eq!(who(&by_access, &access).await.0, v("ann@example.com"));
    assert_eq!(who(&by_access, &format!("{access};id_token=unread")).await.0, v("ann@example.com"));

    let refused = [
        ("a local user", both(json!({}), "local")),
        ("no roles", both(json!({ "roles": null }), "ann")),
        ("unknown roles", both(json!({ "roles": ["unknown"] }), "ann")),
        ("an unknown role", both(json!({ "roles": "unknown" }), "ann")),
        ("a role that is not there", both(json!({ "roles": ["reader", "stranger"] }), "ann")),
        ("no ID token", format!("access_token={}", token("app", json!({})))),
    ];
    for (what, credentials) in refused {
        assert_eq!(oidc(&by_id, &credentials).await, REFUSED, "{what}");
    }
    let nameless = format!("access_token={}", token("app", json!({})));
    assert_eq!(oidc(&by_access, &nameless).await, REFUSED, "the claim is missing");
    RawClient::login(by_id.connect(), (5, 2), basic("local", "pw")).await;
}

#[tokio::test]
async fn fixes_rights_at_login() {
    let fake = FakeMemgraph::start().await;
    let mut nobody = RawClient::login(fake.connect(), (5, 2), map([("scheme", v("none"))])).await;
    fake.control.set_user("ann", User { admin: true, ..user("pw") });
    fake.control.set_user("bob", user("pw"));
    let mut ann = RawClient::login(fake.connect(), (5, 2), basic("ann", "pw")).await;
    fake.control.set_user("ann", user("changed"));
    fake.control.drop_user("bob");
    fake.control.set_user("bob", user("another"));
    let as_bob = || extra([("imp_user", v("bob"))]);
    assert_eq!(ann.cell("WHOAMI", as_bob(), 1).await, v("bob"), "still an administrator");
    assert_eq!(ann.cell("WHOAMI", extra([]), 9).await, strings(&["admin"]));
    assert_eq!(nobody.cell("WHOAMI", extra([]), 9).await, strings(&["admin"]), "and whoever came before all users");

    fake.control.drop_user("ann");
    assert_eq!(ann.cell("WHOAMI", extra([]), 0).await, v("ann"));
    let again = ann.talk(&[logoff(), logon(basic("ann", "pw"))]).await;
    assert_eq!(again, ["SUCCESS", REFUSED]);
    fake.control.set_user("ann", user("pw"));
    let mut ann = RawClient::login(fake.connect(), (5, 2), basic("ann", "pw")).await;
    let refused = ann.talk(&[run("WHOAMI", map([]), as_bob())]).await;
    assert!(refused[0].contains("Failed to impersonate user 'bob'"), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn checks_logins_one_at_a_time() {
    let delay = Duration::from_millis(250);
    let fake = FakeMemgraph::start_with(Options { login_delay: delay, ..Options::default() }).await;
    fake.control.set_user("ann", user("pw"));
    let mut clients = Vec::new();
    for password in ["pw", "pw", "no", "pw"] {
        let mut client = RawClient::open(fake.connect(), (5, 2)).await;
        client.send(&[hello(), logon(basic("ann", password))]).await;
        clients.push(client);
    }
    let begun = tokio::time::Instant::now();
    fake.control.wait_for("all have come", |counts| counts.logging_in == 4).await;
    for (nth, client) in clients.iter_mut().enumerate() {
        assert_eq!(client.briefs(2).await[1], if nth == 2 { REFUSED } else { "SUCCESS" });
    }
    assert_eq!(begun.elapsed().as_millis() / delay.as_millis(), 4, "the clock is not the world's");

    assert_eq!(fake.control.logons(&basic("ann", "pw")), Logons { accepted: 3, refused: 0 });
    assert_eq!(fake.control.logons(&basic("ann", "no")), Logons { accepted: 0, refused: 1 });
    assert_eq!(fake.control.logons(&basic("bob", "pw")), Logons::default());
    let counts = fake.control.counts();
    assert_eq!((counts.logons, counts.failed_logons, counts.logging_in), (3, 1, 0));

    let mut late = RawClient::open(fake.connect(), (5, 2)).await;
    late.send(&[hello(), logon(basic("ann", "pw"))]).await;
    fake.control.wait_for("a login", |counts| counts.logging_in == 1).await;
    clients[0].ask(&[run("RETURN 1", map([]), extra([]))]).await;
    assert_eq!(fake.control.counts().logons, 4, "the statement had to wait for the login");
}
